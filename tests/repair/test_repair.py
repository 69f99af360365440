"""What is broken is mended, said, and mended once; what is not keeps its bytes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from boildown import formats
from boildown.repair import Repaired, repair
from boildown.repair.codex import ABORTED
from boildown.repair.messages import NONE_RECORDED
from boildown.validity.rules import BY_HAND
from damage import Damage, both, broken, copy, drop, found, move, put, shaken
from roundtrip import SAMPLES, files

TOOLS, CLAUDE = "openai-tools.json", "anthropic.json"
SESSION, ROLLOUT = "claude-code.jsonl", "codex.jsonl"
NAMES = {TOOLS: "openai", CLAUDE: "anthropic", SESSION: "claude-code", ROLLOUT: "codex"}


def mended(sample: str, damage: Damage) -> Repaired:
    """The broken sample, mended: all that was found is, nothing is found then, and a second time changes nothing."""
    name, data = NAMES[sample], broken(sample, damage)
    done = repair(formats.load(name), data)
    assert {(v.line, v.rule) for v in done.mended} >= set(found(name, data)) != set()
    assert found(name, done.data) == list(done.left) == []
    assert repair(formats.load(name), done.data) == Repaired(done.data, (), ())
    return done


def parsed(done: Repaired) -> list[Any]:
    """The records, or the messages of a sample that is one JSON value."""
    lines = done.data.splitlines()
    if lines[0].startswith(b'{"'):
        return [json.loads(line) for line in lines]
    whole = json.loads(done.data)
    return list(whole["messages"]) if isinstance(whole, dict) else list(whole)


def changed(sample: str, damage: Damage, done: Repaired) -> tuple[list[bytes], list[bytes]]:
    """The lines that only the broken file has, and those that only the mended one has."""
    before, after = broken(sample, damage).splitlines(), done.data.splitlines()
    return [line for line in before if line not in after], [line for line in after if line not in before]


def test_an_orphan_result_goes_and_nothing_else_changes() -> None:
    damage = put(20, "toolu_lost", "message", "content", 0, "tool_use_id")
    done = mended(SESSION, both(damage, drop(17)))
    assert [v.rule for v in done.mended] == ["dangling-parent", "dangling-source", "orphan-result"]
    gone, new = changed(SESSION, both(damage, drop(17)), done)
    assert [json.loads(line)["uuid"][:8] for line in gone] == ["df3f9bff", "883e88fd"]
    assert [json.loads(line)["parentUuid"][:8] for line in new] == ["8a7799ea"]


def test_an_orphan_call_gets_a_result_that_says_that_there_is_none() -> None:
    done = mended(SESSION, drop(23))
    records = {r["uuid"][:8]: r for r in parsed(done) if r.get("uuid")}
    made = next(r for r in records.values() if r.get("sourceToolAssistantUUID", "")[:8] == "883e88fd")
    assert made["message"]["content"] == [
        {"type": "tool_result", "tool_use_id": "toolu_01Edit", "content": NONE_RECORDED, "is_error": True}
    ]
    assert made["parentUuid"][:8] == "883e88fd"
    assert parsed(done).index(made) == parsed(done).index(records["883e88fd"]) + 1


def test_what_hung_on_an_orphan_call_hangs_on_its_new_result() -> None:
    done = mended(SESSION, both(put(24, "883e88fd-d5ce-5ba2-a4f2-c3cc56bb5f46", "parentUuid"), drop(23)))
    (made,) = [r for r in parsed(done) if NONE_RECORDED in json.dumps(r)]
    call = next(r for r in parsed(done) if "toolu_01Edit" in json.dumps(r) and r["type"] == "assistant")
    assert made["parentUuid"] == call["uuid"]


def test_a_dangling_parent_becomes_the_nearest_record_before() -> None:
    damage = put(30, "00000000-dead", "parentUuid")
    done = mended(SESSION, damage)
    gone, new = changed(SESSION, damage, done)
    assert [json.loads(line)["parentUuid"][:8] for line in new] == ["43c8bcb9"]
    assert new[0] == gone[0].replace(b"00000000-dead", json.loads(new[0])["parentUuid"].encode())


def test_the_first_record_of_a_file_has_no_parent_to_name() -> None:
    done = mended(SESSION, put(3, "00000000-dead", "parentUuid"))
    assert parsed(done)[2]["parentUuid"] is None


def test_a_circle_of_parents_is_opened() -> None:
    done = mended(SESSION, put(4, "a714e743-5d43-51c0-bb24-499df6d77b56", "parentUuid"))
    assert done.data != (SAMPLES / SESSION).read_bytes()
    assert [v.rule for v in done.mended] == ["circular-parent"]


def test_the_copy_of_a_record_goes() -> None:
    assert mended(SESSION, copy(24, 28)).data == (SAMPLES / SESSION).read_bytes()
    assert (
        mended(SESSION, both(copy(24, 28), put(29, "2027-01-01", "timestamp"))).data == (SAMPLES / SESSION).read_bytes()
    )


def test_a_record_that_shares_a_uuid_but_says_something_else_gets_one_of_its_own() -> None:
    other = json.loads((SAMPLES / SESSION).read_bytes().splitlines()[23])["uuid"]
    records = parsed(mended(SESSION, both(put(28, other, "uuid"), put(30, other, "parentUuid"))))
    uuids = [r["uuid"] for r in records if r.get("uuid")]
    assert len(set(uuids)) == len(uuids)
    assert records[29]["parentUuid"] == records[27]["uuid"] != other == records[24]["parentUuid"]


@pytest.mark.parametrize(
    "thought",
    [{"type": "thinking", "thinking": "", "signature": ""}, {"type": "thinking", "thinking": "Hm."}],
    ids=["no text, empty signature", "text without a signature"],
)
def test_hollow_thinking_goes_and_the_chain_closes(thought: dict[str, str]) -> None:
    damage = put(7, thought, "message", "content", 0)
    done = mended(SESSION, damage)
    gone, new = changed(SESSION, damage, done)
    assert [json.loads(line)["uuid"][:8] for line in gone] == ["b1ba6a15", "118ca04a"]
    assert [json.loads(line)["parentUuid"][:8] for line in new] == ["2ac8a4bc"]


def test_hollow_thinking_goes_and_its_message_stays() -> None:
    done = mended(CLAUDE, put(2, "", "content", 0, "signature"))
    assert [part["type"] for part in parsed(done)[1]["content"]] == ["text", "tool_use", "tool_use"]


def test_a_thought_with_a_signature_and_no_words_is_whole() -> None:
    assert found("anthropic", broken(CLAUDE, put(2, "", "content", 0, "thinking"))) == []


def chained(records: list[Any]) -> None:
    """With each record of the main talk behind the compaction boundary's as the child of the one before it."""
    last = None
    for record in records:
        if record.get("parentUuid") and not record["isSidechain"] and record["type"] != "progress":
            record["parentUuid"], last = last or record["parentUuid"], record["uuid"]


def path(done: Repaired) -> list[str]:
    """The beginnings of the uuids on the way from the record before the compaction boundary to the first."""
    records = {r["uuid"]: r for r in parsed(done) if r.get("uuid")}
    own, found = next(r["logicalParentUuid"] for r in parsed(done) if r.get("logicalParentUuid")), list[str]()
    while own:
        found.append(own[:8])
        own = records[own]["parentUuid"]
    return found[::-1]


@pytest.mark.parametrize("both_ways", [False, True], ids=["in the file", "in the file and in the chain"])
def test_a_split_message_is_brought_together_with_its_results(both_ways: bool) -> None:
    moves = both(move(15, 24), move(12, 23), *([chained] if both_ways else []))
    done = mended(SESSION, moves)
    assert [v.rule for v in done.mended] == ["split-message", "late-result"]
    group = [json.loads(line)["uuid"][:8] for line in done.data.splitlines() if b"msg_01BlinkPeriodA" in line]
    assert group == ["b1ba6a15", "118ca04a", "23af8ddd", "9ac01c84"]
    order = [r.get("uuid", "")[:8] for r in parsed(done)]
    assert order.index("bd8d842b") < order.index("9ac01c84") < order.index("1ef56adc") < order.index("8a7799ea")
    whole = Repaired((SAMPLES / SESSION).read_bytes(), (), ())
    assert [own for own in path(done) if own in path(whole)] == path(whole)


def test_the_snapshots_of_files_survive() -> None:
    assert mended(SESSION, drop(23)).data.count(b"file-history-snapshot") == 2


def test_codex_gets_what_its_own_client_would_send() -> None:
    done = mended(ROLLOUT, drop(17))
    assert parsed(done)[15]["payload"] == {"type": "custom_tool_call_output", "call_id": "call_a2", "output": ABORTED}
    assert changed(ROLLOUT, drop(17), done)[0] == []
    lost = mended(ROLLOUT, drop(9))
    assert [json.loads(line)["payload"]["call_id"] for line in changed(ROLLOUT, drop(9), lost)[0]] == ["call_a1"]


def test_a_call_without_result_is_answered_beside_the_others() -> None:
    done = mended(TOOLS, drop(4))
    third, fourth, fifth = parsed(done)[2:5]
    assert [c["id"] for c in third["tool_calls"]] == ["call_7Qd1", "call_7Qd2"]
    assert fourth["tool_call_id"] == "call_7Qd2"
    assert fifth == {"role": "tool", "tool_call_id": "call_7Qd1", "content": NONE_RECORDED}


def test_a_late_result_comes_to_stand_behind_its_call() -> None:
    assert parsed(mended(TOOLS, move(9, 10))) == json.loads((SAMPLES / TOOLS).read_bytes())


def test_calls_that_share_an_id_get_their_own_and_so_do_their_results() -> None:
    same = both(put(3, "call_7Qd1", "tool_calls", 1, "id"), put(5, "call_7Qd1", "tool_call_id"))
    call, first, second = parsed(mended(TOOLS, same))[2:5]
    assert [c["id"] for c in call["tool_calls"]] == ["call_7Qd1", "call_7Qd1_2"]
    assert [first["tool_call_id"], second["tool_call_id"]] == ["call_7Qd1", "call_7Qd1_2"]


def test_what_a_mend_bares_is_said_as_well() -> None:
    done = mended(CLAUDE, put(4, [{"type": "thinking", "thinking": "", "signature": ""}], "content"))
    assert [v.rule for v in done.mended] == ["hollow-thinking", "ending-in-thinking"]
    bared = mended(SESSION, put(9, [{"type": "text", "text": ""}], "message", "content"))
    assert [v.rule for v in bared.mended] == ["empty-text", "orphan-result", "dangling-source"]


MENDED = [
    (TOOLS, copy(9, 9)),
    (TOOLS, put(6, [], "tool_calls")),
    (CLAUDE, drop(3)),
    (CLAUDE, drop(6)),
    (CLAUDE, put(2, "", "content", 1, "text")),
    (CLAUDE, put(4, [], "content")),
    (CLAUDE, put(8, "Well, ", "content")),
    (CLAUDE, lambda r: r[2]["content"].insert(0, {"type": "text", "text": "Here:"})),
    (CLAUDE, lambda r: r[1]["content"].append(r[1]["content"].pop(0))),
    (CLAUDE, both(put(6, "toolu_01Bay07", "content", 1, "id"), put(7, "toolu_01Bay07", "content", 0, "tool_use_id"))),
    (SESSION, lambda r: r[19]["message"]["content"].insert(0, {"type": "text", "text": "Here:"})),
    (SESSION, both(put(17, "toolu_01Grep", "message", "content", 0, "id"),
                   put(20, "toolu_01Grep", "message", "content", 0, "tool_use_id"))),
    (SESSION, move(15, 24)),
    (SESSION, put(30, [], "message", "content")),
    (ROLLOUT, put(17, "function_call_output", "payload", "type")),
    (ROLLOUT, copy(11, 11)),
    (ROLLOUT, both(drop(11), put(15, "call_a1", "payload", "call_id"), put(16, "call_a1", "payload", "call_id"))),
]  # fmt: skip


@pytest.mark.parametrize("case", range(len(MENDED)), ids=lambda n: f"{MENDED[n][0]}-{n}")
def test_what_repair_can_mend_it_mends_once(case: int) -> None:
    mended(*MENDED[case])


@pytest.mark.parametrize("sample", NAMES)
@pytest.mark.parametrize("seed", range(8))
def test_whatever_happens_to_a_session_it_is_mended_or_named(sample: str, seed: int) -> None:
    name, data = NAMES[sample], broken(sample, shaken(seed))
    done = repair(formats.load(name), data)
    assert all(v.remedy.startswith(BY_HAND) for v in done.left)
    assert repair(formats.load(name), done.data).data == done.data
    assert bool(found(name, data)) or done.data == data


@pytest.mark.parametrize("path", sorted(SAMPLES.iterdir()), ids=lambda p: p.name)
def test_sound_files_keep_every_byte(path: Path) -> None:
    data = path.read_bytes()
    assert repair(formats.detect(data, path.name), data) == Repaired(data, (), ())


@pytest.mark.parametrize(
    "path",
    files(
        "claude-code/entire-cli/062a8bdd*.jsonl",
        "claude-code/log-fixtures/edge_cases.jsonl",
        "claude-code/simonw/*.json*",
        "derived/anthropic_messages.json",
        "derived/edge/[bd]*.json*",
        "tau-bench/*.json",
    ),
)
def test_real_files_are_mended_and_only_the_lines_that_were_broken_change(path: Path) -> None:
    data = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    format = formats.detect(data, path.name)
    done = repair(format, data)
    assert list(done.left) == found(format.INFO.name, done.data) == []
    assert repair(format, done.data).data == done.data
    assert (done.data == data) == (not done.mended)
    if path.suffix == ".jsonl":
        lines = set(done.data.splitlines())
        assert sum(line not in lines for line in data.splitlines()) <= 3 * len(done.mended)
