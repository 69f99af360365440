"""Fit: exactly the budget, newest first, and a conversation that its consumer accepts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import pytest

from boildown.errors import BudgetError
from boildown.marks import Reference, digest
from boildown.pipeline import Context, Named, compress
from boildown.stages.fit import Fit
from boildown.transcript import Message, Rules, Text, ToolCall, ToolResult, Transcript
from strategies import WORDS, chat, context, long_transcript

FOUR = "one two three four"  # a message of it costs 8 tokens
TALK = chat(*(("assistant" if n % 2 else "user", FOUR) for n in range(6)))
LONG = chat(("user", " ".join(WORDS[:40])), ("assistant", " ".join(WORDS[10:50])), ("user", "Good, thank you."))
ANTHROPIC, SHAREGPT = Rules(user_first=True), Rules(alternate=True)


def fitted(source: Transcript, left: Transcript, where: Context) -> Transcript:
    result = Fit(source)(left, where)
    assert where.count(result) <= where.target
    return result


def only(transcript: Transcript, *ids: str) -> Transcript:
    return transcript.with_messages(m for m in transcript.messages if m.id in ids)


def ids(transcript: Transcript) -> str:
    return " ".join(m.id for m in transcript.messages)


@pytest.mark.parametrize(
    ("kept", "target", "expected"),
    [
        (("m1",), 24, "m1 m5 m6"),
        (("m1", "m6"), 24, "m1 m5 m6"),
        ((), 16, "m5 m6"),
        (("m1", "m2", "m3", "m4"), 16, "m3 m4"),
        ((), 48, "m1 m2 m3 m4 m5 m6"),
        ((), 0, ""),
    ],
)
def test_the_newest_that_is_gone_comes_back_and_the_oldest_goes(
    kept: tuple[str, ...], target: int, expected: str
) -> None:
    assert ids(fitted(TALK, only(TALK, *kept), context(target))) == expected


def test_what_was_changed_comes_back_whole_where_there_is_room() -> None:
    changed = TALK.with_messages(m.with_blocks([Text("one")]) for m in TALK.messages)
    result = fitted(TALK, changed, context(6 * 5 + 6))
    assert [m.text for m in result.messages] == ["one"] * 4 + [FOUR] * 2


def test_one_group_is_cut_to_the_room_that_is_left() -> None:
    result = fitted(LONG, only(LONG, "m3"), context(40))
    assert ids(result) == "m2 m3"
    assert set(result.messages[0].text.rstrip("….").split()) < set(LONG.messages[1].text.split())
    assert context(0).count(result) >= 0.95 * 40


def test_a_tool_exchange_comes_back_whole_or_not_at_all() -> None:
    call = Message("m2", "assistant", (ToolCall("c1", "look", "{}"),))
    result = Message("m3", "tool", (ToolResult("c1", " ".join(WORDS[:40])),))
    source = Transcript((chat(("user", FOUR)).messages[0], call, result, replace(TALK.messages[0], id="m4")))
    assert ids(fitted(source, only(source, "m4"), context(18))) == "m1 m4"
    assert ids(fitted(source, only(source, "m4"), context(50))) in ("m2 m3 m4", "m1 m2 m3 m4")


def test_a_message_that_comes_back_is_no_longer_covered() -> None:
    keeper = replace(TALK.messages[0], covers=("m3", "m5"))
    result = fitted(TALK, TALK.with_messages([keeper]), context(16))
    assert [(m.id, m.covers) for m in result.messages] == [("m1", ("m3", "m5")), ("m6", ())]
    result = fitted(TALK, TALK.with_messages([keeper]), context(24))
    assert [(m.id, m.covers) for m in result.messages] == [("m1", ("m3",)), ("m5", ()), ("m6", ())]


def test_a_message_that_comes_back_whole_stands_for_what_it_stood_for() -> None:
    keeper = replace(TALK.messages[5], covers=("m2",)).with_blocks([Text("one")])
    result = fitted(TALK, TALK.with_messages([keeper]), context(8))
    assert [(m.id, m.text, m.covers) for m in result.messages] == [("m6", FOUR, ("m2",))]


def test_what_a_joined_turn_stands_for_has_one_keeper() -> None:
    joined = replace(TALK.messages[0], covers=("m2",))
    source = TALK.with_messages([joined, *TALK.messages[2:3]])
    keeper = replace(TALK.messages[2], covers=("m1", "m2"))
    result = fitted(source, source.with_messages([keeper]), context(16))
    assert [(m.id, m.covers) for m in result.messages] == [("m1", ("m2",)), ("m3", ())]


@pytest.mark.parametrize("target", [15, 20, 30, 40, 60, 80])
def test_the_user_begins_for_the_anthropic_api(target: int) -> None:
    first = chat(("system!", "Be brief."), *((m.role, m.text) for m in LONG.messages))
    result = fitted(first, only(first, "m1", "m3"), context(target, rules=ANTHROPIC))
    assert [m.role for m in result.messages][:2] == ["system", "user"]


def test_a_conversation_that_begins_with_the_assistant_may_stay_so() -> None:
    source = chat(("assistant", FOUR), ("user", FOUR), ("assistant", FOUR))
    assert ids(fitted(source, source, context(8, rules=ANTHROPIC))) == "m3"


def test_where_a_pin_leaves_no_room_for_the_users_word_it_says_how_much_is_needed() -> None:
    source = chat(("user", FOUR), ("assistant!", FOUR))
    with pytest.raises(BudgetError) as caught:
        Fit(source)(source, context(9, rules=ANTHROPIC))
    assert (caught.value.needed, caught.value.budget) == (13, 9)
    result = fitted(source, source, context(13, rules=ANTHROPIC))
    assert [(m.role, m.text) for m in result.messages] == [("user", "…"), ("assistant", FOUR)]


@pytest.mark.parametrize("target", [8, 16, 26, 32, 44])
def test_roles_alternate_for_sharegpt(target: int) -> None:
    without = only(TALK, "m1", "m3", "m4", "m6")
    result = fitted(TALK, without, context(target, rules=SHAREGPT))
    assert all(a.role != b.role for a, b in pairwise(result.messages))
    assert context(0).count(result) >= 0.8 * target


def test_turns_that_are_joined_name_each_other() -> None:
    source = chat(("user", "one"), ("assistant", " ".join(WORDS)), ("user", "two"))
    result = fitted(source, only(source, "m1", "m3"), context(11, rules=SHAREGPT))
    assert [(m.id, m.text, m.covers) for m in result.messages] == [("m1", "one\n\ntwo", ("m3",))]


def test_room_for_the_users_word_does_not_cost_the_messages_that_a_stage_chose() -> None:
    said = [("assistant", " ".join(WORDS[n : n + 36])) for n in range(12)]
    source = chat(("user", FOUR), *said)
    chosen = only(source, "m3", "m5", "m7", "m9")
    result = fitted(source, chosen, context(context(0).count(chosen) + 2, rules=ANTHROPIC))
    assert set("m1 m3 m5 m7 m9".split()) <= set(ids(result).split())


BASE, OTHER = " ".join(WORDS[:40]), " ".join(f"{word}_{word}.py" for word in WORDS[:30])
MARK = str(Reference("search()", "below", digest(BASE)))
SEARCHES = Transcript(
    (
        Message("m1", "assistant", (ToolCall("c1", "search", "{}"),)),
        Message("m2", "tool", (ToolResult("c1", BASE),)),
        Message("m3", "assistant", (ToolCall("c2", "search", "{}"), ToolCall("c3", "search", "{}"))),
        Message("m4", "tool", (ToolResult("c2", BASE),)),
        Message("m5", "tool", (ToolResult("c3", OTHER),)),
    )
)


def referring(base: str, other: str = OTHER) -> Transcript:
    """The searches, the first result a reference, the others as given."""
    texts = {"m2": MARK, "m4": base, "m5": other}
    return SEARCHES.with_messages(
        m.with_blocks(replace(b, text=texts[m.id]) if isinstance(b, ToolResult) else b for b in m.blocks)
        for m in SEARCHES.messages
    )


def test_a_reference_stays_where_its_base_does() -> None:
    size = context(0).count(referring(BASE))
    assert fitted(SEARCHES, referring(BASE), context(size + 10)) == referring(BASE)


def test_a_reference_whose_base_was_cut_is_gone() -> None:
    cut = referring(BASE[:40], OTHER)
    result = fitted(SEARCHES, cut, context(context(0).count(cut)))
    assert result.messages[1].text == "…"


def test_what_a_reference_refers_to_is_not_cut_to_fill_the_room() -> None:
    left = referring(BASE, OTHER[:20])
    result = fitted(SEARCHES, left, context(context(0).count(left) + 8))
    assert [m.text for m in result.messages][:4] == ["", MARK, "", BASE]


@pytest.mark.parametrize("scorer", ["none", "learned"])
def test_the_last_step_takes_the_word_of_the_scorer_that_was_asked_for(scorer: str) -> None:
    talk, where = long_transcript(3), context(300)
    expected = Fit(talk, scorer)(talk.with_messages([]), where)
    other = Fit(talk, "none" if scorer == "learned" else "learned")(talk.with_messages([]), where)
    nothing = Named("prune", Nothing(scorer), "")
    assert compress(talk, [nothing], where)[0] == expected != other


@dataclass(frozen=True)
class Nothing:
    """Takes all out, as a stage of the name `prune` that has a scorer."""

    scorer: str

    def __call__(self, transcript: Transcript, context: Context, /) -> Transcript:
        return transcript.with_messages([])
