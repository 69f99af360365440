"""The promises, for every registered stage and the default pipeline, on transcripts that Hypothesis builds."""

from __future__ import annotations

import copy
import json
import os
import random
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, count, pairwise, product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from battery import in_battery, sampled
from boildown import registry
from boildown.actions import arguments
from boildown.actions import texts as strings
from boildown.errors import BudgetError, InputError
from boildown.marks import is_mark, reference, restore
from boildown.pipeline import Context, Pins, Step, compress, target
from boildown.report import Fate, fates
from boildown.run import Job, boil, conversations, reader, run
from boildown.stages.redact import Redact
from boildown.table import FRAMING, STAMP, WORDY
from boildown.text.frames import MARK
from boildown.text.kinds import Kind
from boildown.text.pieces import words
from boildown.text.units import units
from boildown.tokens import Counter, tokenizer
from boildown.transcript import (
    Block,
    FormatInfo,
    Message,
    Opaque,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Transcript,
    groups,
)
from boildown.written import MARKS, NOTHING
from conftest import ROOT, source_roots
from quoting import quoting
from roundtrip import DATA, SAMPLES, in_turns, said
from strategies import INFOS, PLANTED, long_transcript, names, sessions, transcripts

BY_MEANING = ["dedup:by=meaning,embedder=lsa", "cluster:by=meaning,embedder=lsa"]
PIPELINES = [*registry.names(), *BY_MEANING, "dedup,prune", registry.DEFAULT]
COUNTERS = {name: Counter(tokenizer(), info.framing) for name, info in INFOS.items()}
WRITERS = {"abstractive", "archive", "auto", "condense", "hierarchical", "ledger", "mask", "rolling", "stale"}
"""Stages that say something in words of their own: what holds of pieces holds of the others."""
LEAST_FILL = 0.97
LEAST_ROOM = 250
TAKERS = [p for p in PIPELINES if not WRITERS.intersection(named.name for named in registry.parse(p))]
every_pipeline = pytest.mark.parametrize("pipeline", PIPELINES)
many = settings(max_examples=max(1, settings().max_examples // 2))
some = settings(max_examples=max(1, settings().max_examples // 4))
few = settings(max_examples=max(1, settings().max_examples // 7))


@dataclass(frozen=True)
class Case:
    """A transcript, its pins set, to be compressed to `target` for a format."""

    transcript: Transcript
    format: str
    target: int

    @property
    def info(self) -> FormatInfo:
        return INFOS[self.format]

    @property
    def context(self) -> Context:
        return Context(COUNTERS[self.format], self.target, self.info.rules, model=quoting())

    @property
    def read(self) -> dict[str, Message]:
        return {m.id: m for m in self.transcript.messages}


def between(transcript: Transcript, name: str, percent: int) -> Case:
    """A target `percent` of the way from what must be kept to the whole."""
    counter = COUNTERS[name]
    least = counter.total([m for m in transcript.messages if m.pinned]) + opening(transcript, name)
    whole = counter.total(transcript.messages)
    return Case(transcript, name, min(whole, least + (whole - least) * percent // 100))


def opening(transcript: Transcript, name: str) -> int:
    """Tokens of the user's first word, where the format demands that one begins and no pinned message does."""
    spoken = [m for m in transcript.messages if m.role != "system"]
    pinned = [m for m in spoken if m.pinned]
    if not INFOS[name].rules.user_first or not pinned or pinned[0].role == "user" or spoken[0].role != "user":
        return 0
    return sum(COUNTERS[name].messages([spoken[0].with_blocks([Text(NOTHING)])]))


def roomy(seed: int, name: str, percent: int) -> Case:
    """A large transcript, and a target of which a word is a small part."""
    case = between(long_transcript(seed), name, percent)
    return replace(case, target=max(case.target, LEAST_ROOM))


cases = st.builds(between, transcripts(), names, st.integers(0, 100))
alternating = st.sampled_from(sorted(name for name, info in INFOS.items() if info.rules.alternate))
turn_cases = st.builds(between, transcripts(), alternating, st.integers(0, 100))
by_the_user = st.sampled_from(sorted(name for name, info in INFOS.items() if info.rules.user_first))
opened_cases = st.builds(between, transcripts(), by_the_user, st.integers(0, 100))
calm = st.sampled_from(sorted(name for name, info in INFOS.items() if not info.rules.alternate))
turns_cases = st.one_of(
    st.builds(between, transcripts(), calm, st.integers(0, 60)),
    st.builds(roomy, st.integers(0, 10**6), calm, st.integers(8, 60)),
)
session_cases = st.builds(between, sessions(), names, st.integers(0, 100))
long_cases = st.builds(roomy, st.integers(0, 10**6), names, st.integers(8, 90))


@dataclass(frozen=True)
class Boiled:
    """What a pipeline made of a case, for laws to look at."""

    pipeline: str
    case: Case
    result: Transcript
    steps: list[Step]


Law = Callable[[Boiled], None]
LAWS: list[Law] = []
LAWS_OF_TAKERS: list[Law] = []


def law(check: Law) -> Law:
    """One more thing that holds of whatever any pipeline makes of any case."""
    LAWS.append(check)
    return check


def law_of_takers(check: Law) -> Law:
    """One more thing that holds where no stage says something in words of its own."""
    LAWS_OF_TAKERS.append(check)
    return check


def boiled(pipeline: str, case: Case) -> tuple[Transcript, list[Step]]:
    return compress(case.transcript, registry.parse(pipeline), case.context)


def own(result: Transcript, case: Case) -> list[Message]:
    """The messages that are the source's, not added by a stage."""
    return [m for m in result.messages if m.id in case.read]


# 1 and 2: the budget


@law
def the_output_never_exceeds_the_budget(done: Boiled) -> None:
    assert done.case.context.count(done.result) <= done.case.target


@every_pipeline
@given(transcript=transcripts(), name=names, percent=st.integers(0, 99))
@few
def test_a_budget_that_the_pins_alone_exceed_is_an_error_that_says_by_how_much(
    pipeline: str, transcript: Transcript, name: str, percent: int
) -> None:
    pinned = COUNTERS[name].total([m for m in transcript.messages if m.pinned])
    case = Case(transcript, name, pinned * percent // 100)
    if case.target == pinned:
        return
    with pytest.raises(BudgetError) as caught:
        boiled(pipeline, case)
    assert (caught.value.needed, caught.value.budget) == (pinned, case.target)


@every_pipeline
@given(case=long_cases)
@few
def test_the_output_fills_the_budget_where_more_could_have_been_kept(pipeline: str, case: Case) -> None:
    result, _ = boiled(pipeline, case)
    assert_filled(case.transcript, result, case.context)


def assert_filled(source: Transcript, result: Transcript, context: Context) -> None:
    """At least LEAST_FILL of the target, or what is gone does not fit into the rest, the smallest things first."""
    size, full = context.count(result), LEAST_FILL * min(context.target, context.count(source))
    if size < full:
        fits = max(
            n
            for n in accumulate(sorted(_missing(source, restore(result), context)), initial=0)
            if n <= context.target - size
        )
        assert size + fits < full, f"{size} of {context.target}, but {fits} more would have fitted"


def _missing(source: Transcript, result: Transcript, context: Context) -> Iterator[int]:
    """For each group of messages, the tokens of the least of it that could be put back."""
    now = {m.id: m for m in result.messages}
    covered = {i for m in result.messages for i in m.covers}
    extra = 2 * context.counter.framing.message if context.rules.alternate else 0
    for members in groups(source.messages):
        found = [source.messages[i] for i in members]
        if any(m.pinned or m.id in covered for m in found):
            continue
        if all(m.id in now for m in found):
            gone = [p for m in found for p in _gone(m, now[m.id])]
            yield from context.counter.texts(f" {p.text}{p.around}" for p in gone)
        else:
            yield sum(context.sizes([_least(m, context) for m in found])) + extra


def _gone(was: Message, now: Message) -> list[Part]:
    text = now.text
    return [
        p for t in _texts(was) for p in dict.fromkeys(_cut(t)) if not p.frames and text.count(p.text) < t.count(p.text)
    ]


def _least(message: Message, context: Context) -> Message:
    """The message with nothing in it that could be left out."""
    blocks = [
        replace(b, text=NOTHING if b.text else "") if isinstance(b, ToolResult) else b
        for b in message.blocks
        if not isinstance(b, Text | Thinking)
    ]
    if not blocks:
        cut = [Text(p.text + p.around) for t in _texts(message) for p in _cut(t) if not p.frames]
        thoughts = [b for b in message.blocks if isinstance(b, Thinking)]
        sizes = context.sizes([message.with_blocks([b]) for b in (*cut, *thoughts)])
        blocks = [b for _, b in sorted(zip(sizes, (*cut, *thoughts), strict=True), key=lambda pair: pair[0])[:1]]
    return message.with_blocks(blocks)


# 3 and 4: the account


@law
def every_message_is_kept_or_stood_for_or_dropped_with_a_reason(done: Boiled) -> None:
    source, sizes = done.case.transcript.messages, done.case.context.sizes
    found = fates(source, sizes(source), done.result, sizes(done.result.messages), done.steps)
    assert_accounted(source, done.result, found)


def assert_accounted(source: Sequence[Message], result: Transcript, found: Sequence[Fate]) -> None:
    assert [f.id for f in found] == [m.id for m in source]
    assert all(f.by and f.reason for f in found if f.fate in ("changed", "stood for", "dropped"))
    covers = [i for m in result.messages for i in m.covers]
    assert len(covers) == len(set(covers))
    assert set(covers) <= {m.id for m in source} - {m.id for m in result.messages}
    assert all(m.covers or m.pinned for m in result.messages if m.id not in {m.id for m in source})


@law
def the_report_adds_up(done: Boiled) -> None:
    count = done.case.context.count
    assert count(done.case.transcript) - sum(step.before - step.after for step in done.steps) == count(done.result)


@every_pipeline
@given(transcript=transcripts(), name=names, ratio=st.sampled_from([1, 1.3, 2, 4]), system=st.booleans())
@few
def test_the_account_is_whole_where_the_transcript_is_converted_as_well(
    pipeline: str, transcript: Transcript, name: str, ratio: float, system: bool
) -> None:
    job = Job(registry.parse(pipeline), pipeline, ratio=ratio, pins=Pins(system=system), model=quoting())
    loose = transcript.with_messages(replace(m, pinned=False) for m in transcript.messages)
    try:
        result, account = boil(loose, INFOS[name], COUNTERS[name], job)
    except BudgetError:
        return
    assert_accounted(loose.messages, result, account.messages)
    assert account.tokens_in - sum(step.removed for step in account.steps) == account.tokens_out <= account.budget


# 5 to 7: pins, tool calls, thinking


@law
def a_pinned_message_comes_out_as_it_went_in(done: Boiled) -> None:
    now = {m.id: m for m in done.result.messages}
    host = {i: m for m in done.result.messages for i in (m.id, *m.covers)}
    for message in done.case.transcript.messages:
        if not message.pinned:
            continue
        if done.case.info.rules.alternate and now.get(message.id) != message:
            there = f"\n\n{host[message.id].text}\n\n"
            assert all(f"\n\n{text}\n\n" in there for b in message.blocks if isinstance(b, Text) and (text := b.text))
        else:
            assert replace(now[message.id], covers=message.covers) == message


@law
def a_tool_call_and_its_results_are_all_there_or_all_gone(done: Boiled) -> None:
    assert_paired(done.case.transcript.messages, done.result)


def assert_paired(source: Sequence[Message], result: Transcript) -> None:
    kept, caller = {m.id: m for m in restore(result).messages}, dict[str, str]()
    for message in source:
        for block in message.blocks:
            if isinstance(block, ToolCall):
                caller[block.id] = message.id
            if isinstance(block, ToolResult) and block.call_id in caller:
                assert (message.id in kept) == (caller[block.call_id] in kept), f"{caller[block.call_id]}, {message.id}"
        if message.id in kept:
            assert _exchange(kept[message.id]) == _exchange(message)


def _exchange(message: Message) -> list[object]:
    """The calls and results of a message, whatever the results' words."""
    blocks = [b for b in message.blocks if isinstance(b, ToolCall | ToolResult)]
    return [replace(b, text="") if isinstance(b, ToolResult) else b for b in blocks]


@law
def thinking_and_images_are_whole_or_absent(done: Boiled) -> None:
    for message in own(restore(done.result), done.case):
        whole = [b for b in done.case.read[message.id].blocks if isinstance(b, Thinking | Opaque)]
        left = [b for b in message.blocks if isinstance(b, Thinking | Opaque)]
        assert _within(left, whole)


def _within(left: Iterable[object], whole: Iterable[object]) -> bool:
    rest = iter(whole)
    return all(item in rest for item in left)


# 8: determinism


@every_pipeline
@given(case=cases)
@few
def test_the_input_is_not_changed_and_the_same_input_gives_the_same_output(pipeline: str, case: Case) -> None:
    before = copy.deepcopy(case.transcript)
    first, _ = boiled(pipeline, case)
    assert case.transcript == before
    fresh = Context(Counter(tokenizer(), case.info.framing), case.target, case.info.rules, model=quoting())
    assert compress(before, registry.parse(pipeline), fresh)[0] == first


HASHES = """
import hashlib, json, sys
from pathlib import Path
from boildown import registry, run
from boildown.errors import NotMetError
from quoting import quoting
def digest(path, pipeline):
    job = run.Job(registry.parse(pipeline), pipeline, ratio=2, model=quoting(), archive=lambda found: None)
    try:
        return hashlib.sha256(run.run(path.read_bytes(), path.name, job)[0]).hexdigest()
    except NotMetError as error:
        return str(error)
samples = sorted(Path(sys.argv[1]).iterdir())
print(json.dumps({p: [digest(path, p) for path in samples] for p in sys.argv[2:]}))
"""


def hashes(seed: str) -> dict[str, list[str]]:
    """Hashes of the outputs of all samples by pipeline, from a process with its own hash seed."""
    roots = source_roots(ROOT)
    path = os.pathsep.join((roots["PYTHONPATH"], str(ROOT / "tests")))
    environment = {**roots, "PYTHONPATH": path, "PYTHONHASHSEED": seed}
    command = [sys.executable, "-c", HASHES, str(SAMPLES), *PIPELINES]
    ran = subprocess.run(command, env=environment, capture_output=True, check=True)
    found: dict[str, list[str]] = json.loads(ran.stdout)
    return found


@pytest.mark.battery
def test_another_process_with_another_hash_seed_gives_the_same_bytes() -> None:
    assert hashes("1") == hashes("2")


# 9, 10 and 12: sizes and order


@law
def tokens_never_grow_but_where_the_last_step_fills_the_budget(done: Boiled) -> None:
    fills = [s.name == "fit" or bool(s.added) for s in done.steps]
    most = [max(s.before, done.case.target) if f else s.before for s, f in zip(done.steps, fills, strict=True)]
    assert [s for s, m in zip(done.steps, most, strict=True) if s.after > m] == []


@every_pipeline
@given(transcript=transcripts(most=1), name=names)
@few
def test_an_empty_transcript_and_one_within_budget_are_returned_as_they_are(
    pipeline: str, transcript: Transcript, name: str
) -> None:
    for given_one in (Transcript(()), transcript.with_messages(transcript.messages[:1]), transcript):
        result, steps = boiled(pipeline, between(given_one, name, 100))
        assert result is given_one or (result.breakpoints and replace(result, breakpoints=()) == given_one)
        assert steps == []


@every_pipeline
@given(transcript=transcripts(most=1), name=names, percent=st.integers(0, 99))
@few
def test_one_message_is_cut_like_many(pipeline: str, transcript: Transcript, name: str, percent: int) -> None:
    case = between(transcript.with_messages(transcript.messages[:1]), name, percent)
    result, _ = boiled(pipeline, case)
    assert len(own(result, case)) <= 1
    assert case.context.count(result) <= case.target


@law
def messages_stay_in_their_order(done: Boiled) -> None:
    assert _within([m.id for m in own(done.result, done.case)], [m.id for m in done.case.transcript.messages])
    assert {(m.id, m.role, m.name, m.time) for m in own(done.result, done.case)} <= {
        (m.id, m.role, m.name, m.time) for m in done.case.transcript.messages
    }


# 3: what a consumer demands


@every_pipeline
@given(case=turn_cases)
@few
def test_roles_alternate_where_the_format_demands_it(pipeline: str, case: Case) -> None:
    result, steps = boiled(pipeline, case)
    words = [m if all(isinstance(b, Text) for b in m.blocks) and m.role != "tool" else None for m in result.messages]
    assert (
        not steps
        or [(a.id, b.id) for a, b in pairwise(words) if a and b and (a.role, a.name) == (b.role, b.name)] == []
    )


@every_pipeline
@given(case=opened_cases)
@few
def test_the_user_begins_where_the_format_demands_it_and_the_source_does_so(pipeline: str, case: Case) -> None:
    result, _ = boiled(pipeline, case)
    first, was = ([m.role for m in t.messages if m.role != "system"][:1] for t in (result, case.transcript))
    assert first in ([], ["user"]) or was != ["user"]


# joined turns: what one speaker says in a row, of which words went, may be one message


@pytest.mark.parametrize("pipeline", ["extractive", "prune", "extractive,prune"])
@given(case=turns_cases)
@some
def test_joined_are_neighbours_of_one_speaker_that_were_cut_and_say_what_is_left_of_them(
    pipeline: str, case: Case
) -> None:
    result, _ = boiled(pipeline, case)
    place = {m.id: n for n, m in enumerate(case.transcript.messages)}
    said = [place[i] for m in result.messages for i in (m.id, *m.covers)]
    assert said == sorted(said)
    for message in result.messages:
        if message.covers:
            assert case.info.rules.joins
            parts = [case.read[i] for i in (message.id, *message.covers)]
            assert {(m.role, m.name, m.pinned, len(m.blocks)) for m in parts} == {
                (message.role, message.name, False, 1)
            }
            if "," in pipeline:  # what one stage left alone the next may cut at other places than it would the source
                continue
            assert _in_a_row(message.text.split("\n"), [m.text for m in parts]), f"{message.text!r} of {parts!r}"


def _in_a_row(lines: Sequence[str], sources: Sequence[str]) -> bool:
    """Whether the lines are what is left of each source in turn, at least a line of each and never all that it says."""
    if not sources:
        return not lines
    firsts = (("\n".join(lines[:n]), lines[n:]) for n in range(1, len(lines) - len(sources) + 2))
    return any(
        first != sources[0] and _made_of(first, sources[:1]) and _in_a_row(rest, sources[1:]) for first, rest in firsts
    )


# 11: nothing is falsified


@law_of_takers
def a_text_is_made_of_pieces_of_its_own_source(done: Boiled) -> None:
    for message in done.result.messages:
        texts = [t for i in (message.id, *message.covers) for t in _texts(done.case.read[i])]
        for text in _texts(message):
            assert text in texts or _made_of(text, texts), f"{text!r} is not made of pieces of {texts!r}"


def _texts(message: Message) -> list[str]:
    """What the message says in words of its source: marks are none, also in turns that were joined."""
    texts = [b.text.split("\n\n") for b in message.blocks if isinstance(b, Text | ToolResult)]
    return [said for parts in texts if (said := "\n\n".join(part for part in parts if not is_mark(part)))]


@dataclass(frozen=True)
class Part:
    """What may be kept or dropped by itself.

    around  what comes with it: what frames long code, JSON or a table, and the mark for what is left out beside it
    frames  whether it is such a frame, which stays while anything in it does
    """

    text: str
    around: str = ""
    frames: bool = False


def _cut(text: str) -> list[Part]:
    """Words and protected spans of sentences, stamps, other units whole; frames where they stand."""
    found, stamp, opened, table = [], STAMP.match(text), list[str](), ""
    for start, end, kind in units(text):
        if stamp and start < stamp.end() <= end:
            found.append(Part(stamp[0]))
            start = stamp.end()
        unit = text[start:end].strip()
        frame = "".join(opened) + (table if kind is Kind.TABLE else "")
        around = f"{frame}\n| … 100 items |" if frame else ""
        table = unit if kind is Kind.HEAD else table if kind is Kind.TABLE else ""
        if kind is Kind.OPEN:
            opened.append(unit)
        if kind is Kind.CLOSE:
            opened.pop()
        if kind in WORDY:
            said = text[start:end]
            cut = words([said])
            found += [Part(said[a:b]) for a, b in zip(cut.start.tolist(), cut.end.tolist(), strict=True)]
        elif unit:
            found.append(Part(unit, around, kind in FRAMING))
    return found


ALONE = re.compile(rf"(?:\A{NOTHING}\n\n|\n\n{NOTHING}(?=\n\n|\Z))")
"""A message of which nothing is left but the sign for that, in a turn with others"""


def _made_of(text: str, sources: Sequence[str]) -> bool:
    """Whether `text` is a row of pieces of `sources` in their order, besides marks for what went or ends a sentence."""
    text = ALONE.sub("", MARK.sub("", text))
    reached, end = {0}, len(text.rstrip())
    if text in (NOTHING, ""):
        return True
    for piece in (p.text for source in sources for p in _cut(source)):
        for place in list(reached):
            start = place + len(text[place:]) - len(text[place:].lstrip())
            if text.startswith(piece, start):
                reached.add(start + len(piece))
            for mark in ("", *MARKS):
                closed = piece.rstrip(",;:") + mark
                ends = mark in tuple("。！？।؟") or not text[start + len(closed) :][:1].strip()
                if text.startswith(closed, start) and ends:
                    reached.add(start + len(closed))
    return end in reached or len(text) in reached


@law_of_takers
def what_was_planted_survives_whole_or_not_at_all(done: Boiled) -> None:
    for message in done.result.messages:
        was = "\n\n".join(done.case.read[i].text for i in (message.id, *message.covers))
        now = "\n".join(_texts(message))
        for part, whole in PLANTED.items():
            if was.count(part) == was.count(whole):
                assert now.count(part) == now.count(whole), f"{now!r} of {was!r}"


SHAPES = {
    "number": re.compile(r"\d(?:[\d.,:/_-]*\d)?"),
    "address": re.compile(r"https?://[^\s\"'`<>]*\w"),
    "path": re.compile(r"(?<!\S)(?:/[\w.-]+)+/?\w"),
    "identifier": re.compile(r"\b\w+_\w+\b|\b[a-z]+[A-Z]\w*"),
}


@law
def no_number_address_path_or_identifier_is_there_that_the_source_lacks(done: Boiled) -> None:
    whole = "\n\n".join(_everything(m) for m in done.case.transcript.messages)
    for message in done.result.messages:
        if done.pipeline in TAKERS:
            was = "\n\n".join(done.case.read[i].text for i in (message.id, *message.covers))
            now = "\n".join(_texts(message))
            invented = {kind: set(s.findall(now)) - set(s.findall(was)) for kind, s in SHAPES.items()}
        else:  # It counts what it took out and names messages, so that numbers may be its own.
            shapes = {kind: shape for kind, shape in SHAPES.items() if kind != "number"}
            invented = {kind: {f for f in s.findall(message.text) if f not in whole} for kind, s in shapes.items()}
        assert not any(invented.values()), invented


def _everything(message: Message) -> str:
    calls = [" ".join([b.name, *strings(arguments(b))]) for b in message.blocks if isinstance(b, ToolCall)]
    thoughts = [b.text for b in message.blocks if isinstance(b, Thinking)]
    return "\n".join([message.name or "", message.text, *calls, *thoughts])


# references: what they stand for is there


def plain(messages: Iterable[Message]) -> dict[str, list[Block]]:
    """The blocks of each message, without where they stood."""
    return {m.id: [replace(b, at=-1) for b in m.blocks] for m in messages}


@law
def every_reference_names_something_that_is_there_letter_by_letter(done: Boiled) -> None:
    assert_settled(done.case.transcript.messages, done.result)


def assert_settled(source: Sequence[Message], result: Transcript) -> int:
    """Each reference gives back a block of its own source; how many there are."""
    before, after = plain(source), plain(restore(result).messages)
    count = 0
    for message in result.messages:
        for n, block in enumerate(message.blocks):
            if isinstance(block, Text | ToolResult) and reference(block.text) is not None:
                assert after[message.id][n] in before[message.id], block.text
                count += 1
    return count


# all of these, of each case


@every_pipeline
@given(case=st.one_of(cases, cases, session_cases))
@many
def test_every_law_holds(pipeline: str, case: Case) -> None:
    done = Boiled(pipeline, case, *boiled(pipeline, case))
    for check in [*LAWS, *(LAWS_OF_TAKERS if pipeline in TAKERS else ())]:
        check(done)


@pytest.mark.parametrize("pipeline", ["dedup", "delta", "dedup,delta", "delta,dedup"])
@given(case=session_cases | cases)
@some
def test_what_a_reference_stands_for_can_be_put_back(pipeline: str, case: Case) -> None:
    result, before = case.transcript, plain(case.transcript.messages)
    for named in registry.parse(pipeline):
        result = named.stage(result, replace(case.context, target=0))
    after = plain(restore(result).messages)
    assert after == {name: before[name] for name in after}
    if pipeline == "delta":
        assert list(after) == list(before)


# secrets: they go first, from pinned messages, too

KEY = "gh" + "p_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"


def spoiled(transcript: Transcript) -> Transcript:
    """With a key at the end of every other text that is not empty."""
    texts = count()
    return transcript.with_messages(
        m.with_blocks(
            replace(b, text=f"{b.text} {KEY}")
            if not isinstance(b, ToolCall | Opaque) and b.text and next(texts) % 2 == 0
            else b
            for b in m.blocks
        )
        for m in transcript.messages
    )


@pytest.mark.parametrize("pipeline", ["window", "stale,mask", registry.DEFAULT])
@given(transcript=transcripts(), name=names, percent=st.integers(0, 100))
@few
def test_what_is_compressed_is_as_if_the_secrets_had_never_been_there(
    pipeline: str, transcript: Transcript, name: str, percent: int
) -> None:
    told = spoiled(transcript)
    case = between(Redact()(told, Context(COUNTERS[name], 0)), name, percent)
    result, _ = compress(told, registry.parse(f"{pipeline},redact"), case.context)
    assert KEY not in repr(result.messages)
    assert result == boiled(pipeline, case)[0]


# 13: through the formats and back


def meant(messages: Iterable[Message]) -> list[Any]:
    """What the messages say, without where it stood; a user's message of which only results are left is the tool's."""
    bare = [m.with_blocks(replace(b, at=-1) for b in m.blocks) for m in messages]
    return [
        ("tool" if blocks and all(isinstance(b, ToolResult) for b in blocks) else role, blocks)
        for role, blocks in said(bare)
    ]


def combined(every: int, *values: Iterable[Any]) -> list[Any]:
    """All combinations, one in `every` in the default run, where each of the first two values has some of the other."""
    found = product(*map(list, map(enumerate, values)))
    taken = [(sum(n for n, _ in one[:2]) % every == 0, tuple(value for _, value in one)) for one in found]
    return [value if default else in_battery(value) for default, value in taken]


@pytest.mark.parametrize(
    ("pipeline", "path", "ratio"),
    combined(16, PIPELINES, sorted(SAMPLES.iterdir()), [2, 8]),
    ids=lambda value: getattr(value, "name", value),
)
def test_a_compressed_sample_reads_again_as_it_was_meant(pipeline: str, path: Path, ratio: int) -> None:
    assert_compresses(path, pipeline, ratio)


@pytest.mark.parametrize("path", sorted(SAMPLES.iterdir()), ids=lambda path: path.name)
@pytest.mark.parametrize(
    "pipeline", sampled(["condense,delta,dedup,prune,ledger", "dedup,prune", "stale,mask,ledger"], every=3)
)
def test_a_second_run_at_the_same_budget_changes_nothing(pipeline: str, path: Path) -> None:
    job = Job(registry.parse(pipeline), pipeline, ratio=2, pins=Pins(system=False), model=quoting())
    once, report = run(path.read_bytes(), path.name, job)
    budget = max(account.tokens_out for account in report.conversations)
    again, _ = run(once, path.name, replace(job, ratio=None, budget=budget, read_as=report.format_in))
    assert again == once


IN_TURNS = {"gemini"}
"""Formats that write what the model says in a row as one, since their API wants turns to alternate."""


def assert_compresses(path: Path, pipeline: str, ratio: float, least: int = 0) -> int:
    """Compress each conversation of a file of at least `least` tokens; how many there were."""
    form, plain, _ = reader(path.read_bytes(), path.name)
    counter, results, done = Counter(tokenizer(), form.INFO.framing), [], 0
    for transcript in conversations(form, plain, path.name):
        size = counter.total(transcript.messages)
        if size < least:
            results.append(transcript)
            continue
        budget = target(size, ratio=ratio)
        free = needed(counter, Pins()(transcript)) <= budget
        pins = Pins(system=free)
        if not free:
            budget = max(budget, needed(counter, pins(transcript)))
        result, account = boil(
            transcript, form.INFO, counter, Job(registry.parse(pipeline), pipeline, budget, pins=pins, model=quoting())
        )
        context = Context(counter, budget, form.INFO.rules, model=quoting())
        assert account.tokens_out <= budget
        assert account.tokens_in - sum(step.removed for step in account.steps) == account.tokens_out
        assert_accounted(transcript.messages, result, account.messages)
        assert_paired(transcript.messages, result)
        assert_settled(transcript.messages, result)
        if budget >= LEAST_ROOM:
            assert_filled(pins(transcript), result, context)
        results.append(result)
        done += 1
    if not any(t.messages for t in results):
        return done
    again = conversations(form, b"".join(form.write(results)), path.name)
    same = in_turns if form.INFO.name in IN_TURNS else list
    found, expected = ([meant(same(t.messages)) for t in found if t.messages] for found in (again, results))
    assert found == expected
    return done


def needed(counter: Counter, transcript: Transcript) -> int:
    return counter.total([m for m in transcript.messages if m.pinned])


# and on real conversations

REAL = {
    "openai": ("derived/openai_*.json*", "derived/edge/*"),
    "anthropic": ("derived/anthropic_messages.json*",),
    "claude-code": ("claude-code/**/*.json*", "multi-cli-pomodoro/claude-code*"),
    "codex": ("codex/**/*.jsonl", "multi-cli-pomodoro/codex*"),
    "chatgpt": ("chatgpt-export/*.json", "derived/chatgpt_export_branched.json"),
    "sharegpt": ("sharegpt/*.json", "derived/sharegpt.json"),
    "swe-agent": ("swe-agent/*.traj",),
    "openhands": ("openhands/*.json*",),
    "inspect-ai": ("inspect-ai/*.json",),
    "pi": ("pi/*.jsonl",),
    "gemini-cli": ("gemini/*.json", "multi-cli-pomodoro/gemini*"),
    "gemini": ("derived/gemini_contents.json",),
    "claude-ai": ("derived/claude_ai_export.json",),
    "langchain": ("derived/langchain_*.json",),
    "openai-responses": ("derived/openai_responses.json",),
    "oasst": ("oasst/*.jsonl",),
}
LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
SIZES = range(4_000, 400_000)


def real_files() -> list[Path]:
    """Two files of each format that are neither tiny nor large; all of them in the long profile."""
    chosen: list[Path] = []
    for patterns in REAL.values():
        found = sorted({path for pattern in patterns for path in DATA.glob(pattern)})
        small = [path for path in found if path.stat().st_size in SIZES]
        chosen += found if LONG else random.Random(5).sample(small, min(2, len(small)))
    return chosen


@pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is not there: real conversations are not in the clone")
@pytest.mark.parametrize(
    ("path", "ratio", "pipeline"),
    combined(5, real_files(), [1.2, 3, 10], [registry.DEFAULT, f"delta,{registry.DEFAULT}"]),
    ids=lambda value: str(value.relative_to(DATA)) if isinstance(value, Path) else value,
)
def test_the_promises_hold_on_a_real_file(path: Path, ratio: float, pipeline: str) -> None:
    try:
        done = assert_compresses(path, pipeline, ratio, least=300)
    except InputError as error:
        pytest.skip(f"not a conversation that can be read: {error}")
    if not done:
        pytest.skip("fewer than 300 tokens")
