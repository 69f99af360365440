"""Joined turns: what one speaker says in a row, once it was cut, is one message, and the room is filled by worth."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from boildown import formats, registry
from boildown.joining import Joining, runs
from boildown.pipeline import Context, Pins, compress
from boildown.run import Job, run
from boildown.stages.fit import Fit
from boildown.stages.prune import Prune
from boildown.transcript import Message, Rules, Text, Transcript
from roundtrip import SAMPLES
from strategies import INFOS, chat, context

JOINS = sorted(name for name, info in INFOS.items() if info.rules.joins)


def joining(target: int, **more: bool) -> Context:
    return replace(context(target), rules=Rules(joins=True, **more))


TALK = chat(
    ("user", "So the warehouse of it was burned down on 14 May 2023 then."),
    ("user", "As it was, the mayor of Rotterdam did not resign after all of that."),
    ("assistant", "Well."),
)


def test_what_one_speaker_says_in_a_row_is_one_message_that_names_the_others() -> None:
    first, second = (m.id for m in TALK.messages[:2])
    (message,) = Prune()(TALK, joining(20)).messages
    assert (message.id, message.covers) == (first, (second,))
    assert message.text == "warehouse burned 14 May 2023.\nmayor Rotterdam did not resign."


def test_it_stays_apart_where_the_format_has_no_such_rule_or_more_stages_take_something_out() -> None:
    for given in (context(24), replace(joining(24), last=False)):
        assert [m.covers for m in Prune()(TALK, given).messages] == [(), ()]


WAS = Message("m1", "user", (Text("It burned."),)), Message("m2", "user", (Text("He did stay."),))
NOW = WAS[0].with_blocks([Text("burned.")]), WAS[1].with_blocks([Text("stay.")])
CHANGES: dict[str, tuple[tuple[dict[str, Any], dict[str, Any]], bool]] = {
    "both were cut": (({}, {}), True),
    "of one name": (({"name": "Ana"}, {"name": "Ana"}), True),
    "the first is whole": (({"blocks": WAS[0].blocks}, {}), False),
    "the second is whole": (({}, {"blocks": WAS[1].blocks}), False),
    "the first is pinned": (({"pinned": True}, {}), False),
    "the second is pinned": (({}, {"pinned": True}), False),
    "another role": (({}, {"role": "assistant"}), False),
    "another name": (({"name": "Ana"}, {"name": "Ben"}), False),
    "the tool's": (({"role": "tool"}, {"role": "tool"}), False),
    "a blank that a token could reach over": (({}, {"blocks": (Text(" stay."),)}), False),
    "a slash that a token could reach": (({}, {"blocks": (Text("/stay."),)}), False),
}


@pytest.mark.parametrize(("changes", "expected"), CHANGES.values(), ids=CHANGES)
def test_neighbours_may_be_one_that_are_of_one_speaker_cut_and_not_pinned(
    changes: tuple[dict[str, Any], dict[str, Any]], expected: bool
) -> None:
    given = [{k: v for k, v in change.items() if k != "blocks"} for change in changes]
    was = [replace(m, **change) for m, change in zip(WAS, given, strict=True)]
    now = [replace(m, **change) for m, change in zip(NOW, changes, strict=True)]
    assert Joining(was, joining(0)).may(now[0], now[1]) == expected


def test_what_joining_saves_is_what_the_counter_says() -> None:
    (talk,) = formats.load("openai").read(SAMPLE)
    given = joining(context(0).count(talk) // 6)
    kept = Prune()(talk, replace(given, rules=Rules())).messages
    found = Joining(talk.messages, given)
    joined = found.joined(kept)
    assert len(joined) < len(kept)
    left = {m.id: m.text for m in kept}
    assert sum(given.sizes(kept)) - found.saved([left.get(m.id) for m in talk.messages]) == sum(given.sizes(joined))


SAMPLE = (SAMPLES / "openai.jsonl").read_bytes()


def boiled(name: str, ratio: float, pipeline: str = "prune") -> tuple[bytes, Any]:
    return run(SAMPLE, "the sample", Job(registry.parse(pipeline), pipeline, ratio=ratio, write_as=name))


@pytest.mark.parametrize("name", JOINS)
def test_every_format_that_joins_writes_what_reads_again_as_it_was_meant(name: str) -> None:
    data, report = boiled(name, 6)
    (account,) = report.conversations
    form = formats.load(name)
    assert account.tally()["stood for"] > 0
    again = list(form.read(data))
    assert sum(len(t.messages) for t in again) == account.tally()["kept"] + account.tally()["changed"]
    assert b"".join(form.write(again)) == data


@pytest.mark.parametrize("name", sorted(set(INFOS) - set(JOINS) - {"inspect-ai"}))
def test_no_other_format_joins(name: str) -> None:
    _, report = boiled(name, 6)
    assert report.conversations[0].tally()["stood for"] == 0


def test_by_itself_the_stage_takes_no_more_than_the_room_and_nearly_all_of_it() -> None:
    (talk,) = formats.load("openai").read(SAMPLE)
    whole = context(0).count(talk)
    for target in range(whole // 12, whole, 7):
        size = context(0).count(Prune()(talk, joining(target)))
        assert 0.94 * target <= size <= target


@pytest.mark.parametrize("ratio", [3, 5])
def test_more_is_left_where_turns_are_joined_and_the_room_is_filled(ratio: float) -> None:
    def words(rules: Rules) -> int:
        (talk,) = formats.load("openai").read(SAMPLE)
        given = replace(context(context(0).count(talk) // ratio), rules=rules)
        result, _ = compress(Pins()(talk), registry.parse("prune"), given)
        assert 0.97 * given.target <= given.count(result) <= given.target
        return sum(given.counter.texts([m.text for m in result.messages]))

    assert words(Rules(joins=True)) > words(Rules())


def test_compressing_again_to_the_same_budget_gives_the_same_bytes() -> None:
    data, report = boiled("openai", 6)
    job = Job(registry.parse("prune"), "prune", budget=report.conversations[0].budget)
    assert run(data, "the output", job)[0] == data


def joined() -> tuple[Transcript, Transcript]:
    """A talk, and what is left of it with two of its messages as one."""
    cut = Prune()(TALK, joining(20))
    assert [len(m.covers) for m in cut.messages] == [1]
    return TALK, cut


def test_the_last_step_leaves_what_was_joined_as_one_while_something_else_fills_the_room() -> None:
    talk, cut = joined()
    given = joining(context(0).count(cut) + sum(context(0).sizes(talk.messages[2:])))
    assert Fit(talk)(cut, given).messages == (*cut.messages, talk.messages[2])


def test_the_last_step_puts_nothing_back_that_stands_in_what_was_joined_besides() -> None:
    talk, cut = joined()
    for target in range(context(0).count(cut), context(0).count(talk) + 1):
        result = Fit(talk)(cut, joining(target))
        named = [i for m in result.messages for i in (m.id, *m.covers)]
        assert len(named) == len(set(named))
        assert context(0).count(result) <= target
    assert result.messages == talk.messages


def test_the_last_step_puts_nothing_between_the_parts_of_what_was_joined() -> None:
    first, second, _ = TALK.messages
    talk = TALK.with_messages([first, Message("m9", "assistant", (Text("Well."),)), second])
    cut = talk.with_messages(joined()[1].messages)
    for target in range(context(0).count(cut), context(0).count(talk)):
        result = Fit(talk)(cut, joining(target)).messages
        assert result[0].covers != ("m2",) or [m.id for m in result] == ["m1"]


def test_what_was_joined_is_known_by_its_parts() -> None:
    talk, cut = joined()
    assert list(runs(talk.messages, {m.id: m for m in cut.messages})) == [range(2)]
    assert list(runs(talk.messages, {m.id: m for m in talk.messages})) == []
