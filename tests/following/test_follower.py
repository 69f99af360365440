"""A stream stays within its window, loses nothing without an account, and makes the same of the same input."""

from __future__ import annotations

import json
import tracemalloc
from dataclasses import replace
from itertools import chain, pairwise
from pathlib import Path

import pytest

from boildown import formats
from boildown.errors import InputError, ModelError
from boildown.following.checkpoint import load
from boildown.following.compression import Compressed, Compressor
from boildown.following.records import Reader
from boildown.measure.content import text
from boildown.memory.messages import Scope
from boildown.policy import Policy, shipped
from boildown.repair import violations
from boildown.report import ConversationReport
from boildown.summaries.summary import OPEN
from boildown.tokens import Counter, tokenizer
from killing import messages
from quoting import quoting
from roundtrip import SAMPLES, files


def fed(follower, lines):
    for line in lines:
        follower.add(line)
    return follower


def tokens(follower) -> int:
    format = follower.reader.format
    (transcript,) = format.read(follower.context())
    return Counter(tokenizer(), format.INFO.framing).total(transcript.messages)


def test_what_fits_is_as_it_came(follow):
    lines = list(messages(20))
    follower = fed(follow(), lines)
    assert follower.context() == b"".join(lines)
    assert (follower.state.tally.messages, follower.state.tally.compressions) == (20, 0)


def test_the_context_is_within_the_window_at_any_time(follow):
    follower = follow(window=1_000)
    for n, line in enumerate(messages(300)):
        follower.add(line)
        assert follower.state.tokens <= 1_000
        if n % 40 == 0:
            assert tokens(follower) <= 1_000
    assert follower.state.tally.compressions > 3


def test_the_same_input_makes_the_same_context(follow):
    first, second = (fed(follow(), messages(400)) for _ in range(2))
    for one in (first, second):
        one.finish()
    assert first.context() == second.context()


def test_every_message_is_held_or_stood_for_or_dropped(follow):
    follower = fed(follow(), messages(400))
    follower.finish()
    held = len(follower.context().splitlines())
    tally = follower.state.tally
    assert held + tally.stood_for + tally.dropped == tally.messages == 400


def test_messages_go_by_their_numbers_in_the_stream(follow):
    follower = fed(follow(), messages(400))
    follower.finish()
    names = follower.state.held.names
    for name, line in zip(names, follower.state.held.lines, strict=True):
        if name not in follower.state.held.cut and "\\n" not in line.decode() and "Note" in line.decode():
            assert int(name[1:]) <= 400
    last = json.loads(follower.state.held.lines[-1])["content"]
    assert last.startswith(f"Note {int(names[-1][1:]) - 1}: ")


def test_it_is_not_compressed_again_before_the_use_has_passed_a_level_anew(follow):
    compressor, sizes = Compressor(Policy(4_000, shipped()), "o200k_base"), list[int]()

    def compress(held, format):
        done = compressor(held, format)
        sizes.append(done.account.tokens_in)
        return done

    follower = follow(window=4_000, compress=compress)
    for line in messages(400):
        follower.add(line)
        follower.poll(wait=True)
    assert len(sizes) > 4
    assert all(b < a or b - a > 500 for a, b in pairwise(sizes)), sizes


def test_what_was_cut_by_the_last_compression_is_not_cut_by_the_next(follow):
    follower = fed(follow(window=2_000), messages(100))
    while not follower.state.held.cut:
        fed(follower, [json.dumps({"role": "user", "content": f"more {follower.state.offset}"}).encode() + b"\n"])
        follower.poll(wait=True)
    held = follower.state.held
    newest = sorted(held.cut, key=lambda name: int(name[1:]))[-10:]
    lines = {held.lines[held.names.index(name)] for name in newest}
    count = follower.state.tally.compressions
    for more in messages(400, seed=9):
        follower.add(more)
        follower.poll(wait=True)
        if follower.state.tally.compressions > count:
            break
    assert lines <= {*follower.state.held.lines}


def test_memory_does_not_grow_with_the_stream(follow):
    def newest(held, format):
        account = ConversationReport("", 600, 1_000, 600, (), ())
        return Compressed(replace(held, lines=held.lines[-20:]), 600, account)

    follower, source = follow(window=1_000, compress=newest), messages(6_000)
    fed(follower, (next(source) for _ in range(4_500)))  # past the point where counts are forgotten
    tracemalloc.start()
    try:
        before = tracemalloc.take_snapshot()
        fed(follower, source)
        grown = sum(one.size_diff for one in tracemalloc.take_snapshot().compare_to(before, "filename"))
    finally:
        tracemalloc.stop()
    assert follower.state.tally.compressions > 80
    assert grown < 2_000_000


def test_carried_records_that_are_no_messages_do_not_pile_up(follow):
    record = {"type": "progress", "sessionId": "s", "uuid": "u", "parentUuid": None, "data": "x" * 10_000}
    said = (SAMPLES / "claude-code.jsonl").read_bytes().splitlines(keepends=True)
    follower = fed(follow(window=100_000), said)
    for n in range(1_000):
        follower.add(json.dumps({**record, "uuid": f"u{n}"}).encode() + b"\n")
    assert sum(map(len, follower.state.lines)) < 5_000_000
    assert violations(follower.reader.format, follower.context()) == []


@pytest.mark.parametrize("name", ["openai.jsonl", "openai-agent.jsonl", "claude-code.jsonl", "claude-code-edits.jsonl"])
def test_a_samples_context_breaks_no_rule(follow, name):
    data = (SAMPLES / name).read_bytes()
    follower = fed(follow(window=700), data.splitlines(keepends=True))
    follower.finish()
    assert follower.state.tally.compressions
    assert violations(follower.reader.format, follower.context()) == []
    assert tokens(follower) <= 700


@pytest.mark.parametrize(
    "path", files("codex/git-sync/rollout-019d7e3d*.jsonl", "claude-code/entire-cli/4f8c1176*.jsonl"), ids=str
)
def test_a_real_sessions_context_breaks_no_rule(follow, path: Path):
    lines = path.read_bytes().splitlines(keepends=True)[:100]
    follower = fed(follow(window=4_000), lines)
    follower.finish()
    assert violations(follower.reader.format, follower.context()) == []
    assert tokens(follower) <= 4_000


def test_records_of_one_message_are_one_message(follow):
    data = (SAMPLES / "claude-code.jsonl").read_bytes()
    (transcript,) = formats.load("claude-code").read(data)
    follower = fed(follow(window=100_000), data.splitlines(keepends=True))
    assert follower.state.tally.messages == len(transcript.messages)


def test_anthropics_blocks_tell_its_messages_from_openais(follow):
    call = {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {}}]}
    result = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "done"}]}
    lines = [{"role": "user", "content": "Do it."}, call, result]
    follower = fed(follow(), [json.dumps(line).encode() + b"\n" for line in lines])
    assert follower.reader.format.INFO.name == "anthropic"
    assert [type(b).__name__ for m in next(follower.reader.format.read(follower.context())).messages for b in m.blocks]


def test_lines_that_are_no_json_are_passed_over_and_counted(follow):
    lines = [b'{"role": "user", "content": "a"}\n', b"\n", b"oops\n", b'{"role": "user", "content": "b"}\n']
    follower = fed(follow(), lines)
    assert (follower.state.tally.messages, follower.state.tally.bad) == (2, 1)
    assert follower.state.offset == sum(map(len, lines))


@pytest.mark.parametrize("line", ['{"messages": [{"role": "user", "content": "a"}]}', '{"conversations": []}', "{}"])
def test_a_format_without_a_message_a_line_is_refused(line):
    reader = Reader("stream", "o200k_base")
    with pytest.raises(InputError):
        list(chain.from_iterable(reader.records(line.encode() + b"\n") for _ in range(70)))


def test_where_the_model_fails_it_is_cut_offline(follow):
    class Down:
        spending = None

        def ask(self, requests):
            raise ModelError("nobody answers")

    compressor = Compressor(Policy(3_000, shipped(), "m"), "o200k_base", model=Down())
    follower = fed(follow(window=100_000), messages(150))
    done = compressor(follower.state.snapshot(), follower.reader.format)
    assert done.note == "cut offline: nobody answers"
    assert done.tokens <= 1_800


def test_a_models_summary_is_brought_up_to_date_and_stands_first(follow):
    compressor = Compressor(Policy(3_000, shipped(), "m"), "o200k_base", model=quoting())
    follower = fed(follow(window=3_000, compress=compressor), messages(400))
    follower.finish()
    said = [text(m) for m in next(follower.reader.format.read(follower.context())).messages]
    assert follower.state.tally.compressions > 2
    assert [OPEN in one for one in said] == [True, *[False] * (len(said) - 1)]
    assert tokens(follower) <= 3_000


def test_the_archive_has_each_message_once_and_in_its_order(follow):
    lines = list(messages(130))
    follower = fed(follow(window=1_000, archive=True), lines)
    follower.finish()
    (session,) = follower._store.sessions()
    assert (session.messages, follower.state.tally.archived) == (130, 130)
    found = follower._store.get((1, n) for n in range(130))
    assert [found[1, n].said.text for n in range(130)] == [json.loads(line)["content"] for line in lines]
    assert follower._store.search(["note 7"], Scope(), 3)


def test_what_was_taken_in_after_the_checkpoint_is_not_kept_twice(follow, folder):
    lines = list(messages(50))
    first = fed(follow(archive=True, every=1_000), lines[:30])
    first.save()
    fed(first, lines[30:])
    checkpoint = load(folder, "s").checkpoint
    first.save()  # As if it was killed before the second checkpoint was written.
    second = follow(archive=True)
    second.restore(checkpoint)
    fed(second, lines[30:]).finish()
    assert second.context() == b"".join(lines)
    assert [one.messages for one in second._store.sessions()] == [50]


def test_a_state_that_is_taken_up_goes_on_as_if_nothing_had_been(follow, folder):
    lines = list(messages(300))
    whole = fed(follow(), lines)
    whole.finish()
    first = fed(follow(archive=True), lines[:151])
    first.finish()
    second = follow(archive=True)
    second.restore(load(folder, "s").checkpoint)
    assert second.context() == first.context()
    fed(second, lines[151:]).finish()
    assert second.state.tally.messages == 300
    assert text(next(second.reader.format.read(second.context())).messages[-1]).startswith("Note 299")
