"""The tree: what is asked on each level, what of it stands in the summary, and what more messages cost."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boildown.errors import ModelError
from boildown.summaries.merging import merged
from boildown.summaries.standing import Written
from boildown.summaries.summary import SECTIONS, Summary
from boildown.summaries.tree import Tree
from boildown.summaries.writing import Task, Writer
from boildown.summarizers.calls import Request
from boildown.summarizers.scripted import Scripted
from boildown.tokens import Counter, tokenizer
from boildown.transcript import Framing, Message, Text
from quoting import quoted
from strategies import WORDS, chat

COUNTER = Counter(tokenizer(), Framing())
TREE = Tree(chunk=400, ratio=5, group=5)
PARTS = "<part>"


def model(answer: Callable[[Request], str] | None = None) -> Scripted:
    return Scripted(answer or (lambda request: quoted(request, 1000)))


def written(
    messages: Sequence[Message], tokens: int, asked: Scripted | None = None, earlier: Summary | None = None
) -> Written:
    return TREE(Writer(asked or model(), "m", COUNTER), messages, earlier, tokens)


def talk(turns: int, seed: int = 1) -> tuple[Message, ...]:
    """Sentences that say their number, so that it can be seen where one is from."""
    draw = random.Random(seed)
    return chat(
        *(
            ("assistant" if n % 2 else "user", f"Point {n:03} is {' '.join(draw.choices(WORDS[:-12], k=12))}.")
            for n in range(turns)
        )
    ).messages


def size(messages: Sequence[Message]) -> int:
    return sum(COUNTER.messages(messages))


def body(summary: Summary) -> int:
    return sum(COUNTER.texts([summary.body()]))


def points(lines: Sequence[str]) -> list[int]:
    return [int(line.split()[1]) for line in lines if line.startswith("Point")]


TALK = talk(300)
ALL = body(written(TALK, 10**6).summary)
"""Tokens of all chunks' summaries"""


def test_where_all_chunks_fit_no_further_level_is_asked_for() -> None:
    asked = model()
    found = written(TALK, ALL, asked)
    assert not any(PARTS in request.prompt for request in asked.asked)
    assert found.account.spans > 10
    assert body(found.summary) == ALL


@pytest.mark.parametrize("share", [0.9, 0.6, 0.3, 0.1, 0.03])
def test_the_summary_is_never_larger_than_it_may_be_and_fills_most_of_it(share: float) -> None:
    room = int(ALL * share)
    assert room * 0.5 <= body(written(TALK, room).summary) <= room


def test_a_smaller_room_takes_more_levels() -> None:
    calls = list[int]()
    for room in (ALL, ALL // 2, ALL // 4, ALL // 30):
        asked = model()
        written(TALK, room, asked)
        calls.append(sum(PARTS in request.prompt for request in asked.asked))
    assert calls == sorted(calls)
    assert calls[0] == 0 < calls[1] < calls[-1]


def test_what_is_newer_is_told_in_more_detail() -> None:
    summary = written(TALK, ALL // 2).summary
    told = sorted(n for _, line in summary.lines() for n in points([line]))
    assert sum(n >= 150 for n in told) > sum(n < 150 for n in told) > 0


def test_every_section_goes_on_in_the_order_of_time() -> None:
    for room in (ALL, ALL // 2, ALL // 10):
        for lines in written(TALK, room).summary.sections.values():
            assert points(lines) == sorted(points(lines))


def test_all_summaries_of_a_level_are_asked_for_at_once() -> None:
    class Rounds(Scripted):
        rounds = 0

        def ask(self, requests: Sequence[Request]):  # type: ignore[no-untyped-def]
            self.rounds += 1
            return super().ask(requests)

    asked = Rounds(lambda request: quoted(request, 10))
    written(TALK, ALL // 20, asked)
    assert len(asked.asked) > 15
    assert asked.rounds <= 4


def telling(request: Request) -> str:
    """An answer in the form that is asked for, nearly as long as it may be."""
    said = re.findall(r"(?<![^\s])[a-z]{3,}(?![^\s])", request.prompt.rpartition("</")[0]) or ["nothing"]
    most = int(re.findall(r"at most (\d+) words", request.prompt)[-1]) * 4 // 5
    lines = [" ".join(said[n : n + 12]) for n in range(0, min(most, len(said)), 12)]
    return "<facts>\n" + "\n".join(f"- {line}" for line in lines) + "\n</facts>"


def wordy(request: Request) -> str:
    """An answer several times as long as it may be."""
    return quoted(replace(request, prompt=re.sub(r"at most \d+ words", "at most 300 words", request.prompt)), 1000)


@given(seed=st.integers(0, 10**6), turns=st.integers(10, 500), share=st.floats(0.02, 1), chunk=st.integers(200, 2000))
@settings(max_examples=10)
def test_each_token_is_read_at_most_one_and_a_quarter_times(seed: int, turns: int, share: float, chunk: int) -> None:
    messages, asked = talk(turns, seed), model(telling)
    tree = Tree(chunk, ratio=5, group=5)
    found = tree(Writer(asked, "m", COUNTER), messages, None, max(60, int(size(messages) * share / 5)))
    assert size(messages) <= found.account.read <= 1.25 * size(messages)


def test_what_is_read_is_what_was_sent_of_the_conversation_without_instructions() -> None:
    few = TALK[:12]
    assert written(few, 200).account.read == size(few)
    asked = iter(["No form at all.", quoted(Task(60, few).request("m"))])
    assert written(few, 200, model(lambda _: next(asked))).account.read == 2 * size(few)


def test_an_answer_that_is_too_long_is_cut_and_not_asked_for_again() -> None:
    asked = model(wordy)
    found = written(TALK, ALL // 5, asked)
    assert not any("<draft>" in request.prompt for request in asked.asked)
    assert found.account.read <= 1.25 * size(TALK)
    assert body(found.summary) <= ALL // 5


def test_what_mending_sends_is_no_more_than_the_answers_left_of_their_tokens() -> None:
    def answer(request: Request) -> str:
        if "<line>" in request.prompt:
            return quoted(request)
        return telling(request).replace("harbour", "harbour of 7731 ships")

    asked = model(answer)
    found = Tree(2000, ratio=5, group=5)(Writer(asked, "m", COUNTER), TALK, None, ALL // 5)
    sent = sum(request.prompt.count("<line>") for request in asked.asked)
    assert 0 < sent < found.account.found
    assert found.account.read <= 1.25 * size(TALK)
    assert "7731" not in found.summary.body()


def test_what_is_asked_for_does_not_hang_on_the_room() -> None:
    asked = [model() for _ in range(3)]
    for room, one in zip((ALL, ALL // 2, ALL // 10), asked, strict=True):
        written(TALK, room, one)
    few, some, many = ({request.prompt for request in one.asked} for one in asked)
    assert few < some < many


def test_messages_that_follow_cost_the_last_chunk_and_what_is_above_it() -> None:
    room, levels = ALL // 8, 3
    before = model()
    written(TALK[:240], room, before)
    known = {request.prompt for request in before.asked}
    for end in range(244, 300, 8):
        asked = model()
        written(TALK[:end], room, asked)
        new = {request.prompt for request in asked.asked} - known
        assert 0 < len(new) <= levels + 2
        known |= new


def test_a_span_that_no_answer_comes_for_is_cut_offline_and_only_that() -> None:
    def answer(request: Request) -> str:
        if "Point 100 " in request.prompt and PARTS not in request.prompt:
            raise ModelError("the endpoint has gone")
        return quoted(request, 1000)

    room = ALL + 200
    found = written(TALK, room, model(answer))
    (note,) = found.account.cut
    assert note.what == "cut offline"
    assert "the endpoint has gone" in note.why
    first, last = (int(name[1:]) - 1 for name in note.where.split(" to "))
    assert first <= 100 <= last
    told = points([line for _, line in found.summary.lines()])
    assert not [n for n in told if first <= n <= last]
    assert found.summary.cut
    assert all(first <= int(word) <= last for line in found.summary.cut for word in line.split() if word.isdigit())
    whole = points([line for _, line in written(TALK, room).summary.lines()])
    assert sorted(told) == sorted(n for n in whole if not first <= n <= last)


def test_a_summary_of_summaries_that_no_answer_comes_for_is_put_together_from_them() -> None:
    def answer(request: Request) -> str:
        if PARTS in request.prompt:
            raise ModelError("the endpoint has gone")
        return quoted(request, 1000)

    found = written(TALK, ALL // 3, model(answer))
    assert 0 < body(found.summary) <= ALL // 3
    assert {note.what for note in found.account.cut} == {"summaries cut offline"}
    assert found.account.spans_cut == 0
    assert {points([line])[0] for _, line in found.summary.lines()} <= set(range(300))


PAINTED = re.compile(r"(Ada|Bob) painted (.+?)\.")


def painting(request: Request) -> str:
    """Who painted what, by the messages; and what one of them painted by the other, where it is summed up again."""
    if PARTS in request.prompt:
        other = {"Ada": "Bob", "Bob": "Ada"}
        lines = [f"{other[who]} painted {what}." for who, what in PAINTED.findall(request.prompt)][:4]
    else:
        said = re.findall(r"--- user, (\w+)\nI painted (.+?)\.", request.prompt)
        lines = [f"{who} painted {what}." for who, what in said]
    return f"<facts>\n{chr(10).join(f'- {line}' for line in lines)}\n</facts>" if lines else quoted(request)


def test_names_that_changed_places_above_the_chunks_are_found() -> None:
    draw, truth, said = random.Random(2), set[tuple[str, str]](), list[Message]()
    for n in range(60):
        what = " ".join("".join(draw.choices("abcdefghijklmnop", k=8)) for _ in range(4))
        who = ("Ada", "Bob")[n % 2]
        truth.add((who, what))
        said.append(Message(f"m{n}", "user", (Text(f"I painted {what}. {' '.join(['And so on.'] * 12)}"),), name=who))
    asked = model(painting)
    found = written(said, 250, asked)
    assert any(PARTS in request.prompt for request in asked.asked)
    assert found.account.dropped > 0
    told = {pair for _, line in found.summary.lines() for pair in PAINTED.findall(line)}
    assert told
    assert told <= truth


def test_what_an_earlier_run_summed_up_comes_first() -> None:
    earlier = Summary({"facts": ("The mill is called Ada.",)}, verbatim=("Ada",))
    found = written(TALK, ALL + 100, earlier=earlier).summary
    assert found.sections["facts"][0] == "The mill is called Ada."
    assert found.verbatim == ()


def test_lines_stand_below_the_days_that_they_are_of() -> None:
    first, second = Summary({"facts": ("A.",), "open": ("Why?",)}), Summary({"facts": ("B.",)})
    week = ("2027-03-01", "2027-03-07")
    assert merged([(week, first), (week, second), (("2027-03-08", "2027-03-08"), second), ((), second)]).sections == {
        "facts": ("From 2027-03-01 to 2027-03-07:", "A.", "B.", "On 2027-03-08:", "B.", "Undated:", "B."),
        "open": ("From 2027-03-01 to 2027-03-07:", "Why?"),
    }
    assert merged([((), first), ((), second)]).sections == {"facts": ("A.", "B."), "open": ("Why?",)}


def test_days_are_named_where_they_are_little_of_a_summary() -> None:
    days = chat(
        *(("user", f"[{1 + n // 40} March 2027 10:00] {message.text * 6}") for n, message in enumerate(talk(160)))
    ).messages
    tree = Tree(chunk=8000, ratio=5, group=5)
    summary = tree(Writer(model(), "m", COUNTER), days, None, 10**6).summary
    assert {name for name, _ in summary.lines()} == set(SECTIONS)
    assert all(lines[0].startswith(("On 2027-03-01:", "From 2027-03-01 to ")) for lines in summary.sections.values())
    assert not any(line.startswith("On ") for _, line in written(days, 10**6).summary.lines())
