"""Every source comes back byte for byte; where something is lost, the messages are named."""

from __future__ import annotations

import codecs
import json
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from boildown.archive import manifest as manifests
from boildown.archive.originals import find, keep, message_records, ranges, restore
from boildown.archive.store import FILE, digest, opened
from boildown.errors import ArchiveError, UsageError
from boildown.registry import STAGES
from conftest import ROOT, source_roots
from roundtrip import SAMPLES

CHAT = (SAMPLES / "openai.jsonl").read_bytes()
LINES = CHAT.splitlines(keepends=True)


def given_back(folder: str, written: bytes, source: str = "") -> bytes:
    with opened(folder) as archive:
        return restore(archive, find(archive, written, "small.jsonl", source))


@pytest.mark.parametrize("path", sorted(SAMPLES.iterdir()), ids=lambda path: path.name)
def test_every_sample_comes_back(folder, kept, path):
    written, archived = kept(path.read_bytes(), path.name, ratio=1.4)
    assert given_back(folder, written, archived.source) == path.read_bytes()


@pytest.mark.parametrize("stage", STAGES)
def test_what_a_stage_took_out_comes_back(folder, kept, stage):
    data = (SAMPLES / "openai-tools.json").read_bytes()
    written, _ = kept(data, "tools.json", stage)
    assert written != data == given_back(folder, written)


@pytest.mark.parametrize(
    "data",
    [
        CHAT.rstrip(b"\n"),
        b"\n\n" + CHAT + b"\n \n",
        CHAT.replace(b"\n", b"\r\n"),
        codecs.BOM_UTF8 + CHAT,
        codecs.BOM_UTF16_LE + CHAT.decode().encode("utf-16-le"),
        codecs.BOM_UTF16_BE + CHAT.decode().encode("utf-16-be"),
        CHAT.decode().encode("utf-16-le"),
        LINES[0] + b'{"role": "user", "cont\n' + b"".join(LINES[1:]),
        b"".join(LINES[:9] * 3),
        CHAT.replace(b"offsite", b"off\xff\xfesite"),
    ],
)
def test_every_way_of_writing_a_file_comes_back(folder, kept, data):
    written, archived = kept(data)
    assert given_back(folder, written, archived.source) == data


def test_what_fits_is_archived_too(folder, kept):
    written, _ = kept(CHAT, ratio=1)
    assert written == CHAT == given_back(folder, written)


NESTED = {"oasst.jsonl"}
"""Here a reply stands within what it answers, so that no record is a piece of the file."""


@pytest.mark.parametrize("name", sorted({path.name for path in SAMPLES.iterdir()} - NESTED))
def test_the_pieces_are_the_records_so_that_none_is_kept_twice(folder, kept, name):
    written, archived = kept((SAMPLES / name).read_bytes(), name, "prune", 1.4)
    with opened(folder) as archive:
        manifest = find(archive, written, name, archived.source)
    records = {i for c in manifest.conversations for e in c.messages for i in e.records}
    assert records
    assert records <= set(manifest.pieces)


def test_a_session_that_grew_adds_only_what_is_new(kept):
    assert kept(b"".join(LINES[:20]))[1].new == 20
    assert kept(CHAT)[1].new == len(LINES) - 20
    assert kept(CHAT)[1].new == 0


def test_the_manifest_says_what_became_of_each_message(folder, kept):
    written, _ = kept((SAMPLES / "openai-twice.jsonl").read_bytes(), "twice.jsonl", "dedup", 1.4)
    with opened(folder) as archive:
        manifest = find(archive, written, "twice.jsonl")
        (conversation,) = manifest.conversations
        fates = [(e.fate.id, e.fate.fate, e.fate.by) for e in conversation.messages]
        assert fates == [("m1", "stood for", "m3"), ("m2", "kept", ""), ("m3", "kept", "")]
        lines = (SAMPLES / "openai-twice.jsonl").read_bytes().splitlines(keepends=True)
        assert message_records(archive, manifest, 0, "m1") == [lines[0]]


def test_a_manifest_is_read_as_it_was_written(folder, kept):
    written, _ = kept(CHAT, "a \ud800 name.jsonl")
    with opened(folder) as archive:
        manifest = find(archive, written, "small")
    assert manifest.name == "a \ud800 name.jsonl"
    assert manifests.load(manifests.dump(manifest)) == manifest


def test_a_newer_manifest_is_refused():
    with pytest.raises(ArchiveError, match="schema 2"):
        manifests.load(b'{"schema": 2}')


def test_an_output_that_was_edited_is_not_known(folder, kept):
    written, _ = kept(CHAT)
    with pytest.raises(ArchiveError, match="edited since"):
        given_back(folder, written + b"\n")


def same_output(kept) -> tuple[bytes, list[bytes], list[str]]:
    """Two sources that become one output: the output, the sources, their hashes."""
    sources = [json.dumps({"role": "user", "content": f"{n} " + "Well, " * 50}).encode() + b"\n" for n in range(2)]
    last = b'{"role": "assistant", "content": "Noted."}\n'
    found = [kept(source + last, f"{n}.jsonl", "window", 8) for n, source in enumerate(sources)]
    assert found[0][0] == found[1][0] == last
    return last, [source + last for source in sources], [archived.source for _, archived in found]


def test_of_two_sources_of_one_output_both_come_back_and_none_is_guessed(folder, kept):
    output, sources, hashes = same_output(kept)
    with pytest.raises(UsageError, match="2 sources became this output") as error:
        given_back(folder, output)
    assert all(hash[:12] in str(error.value) for hash in hashes)
    assert [given_back(folder, output, hash[:12]) for hash in hashes] == sources
    with pytest.raises(UsageError, match="begins with 'ffff'"):
        given_back(folder, output, "ffff")


def test_an_output_that_was_archived_as_its_own_source_still_gives_the_first(folder, kept):
    small, _ = kept(CHAT)
    assert kept(small, ratio=1)[0] == small
    assert given_back(folder, small) == CHAT


def damage(folder: str, data: bytes) -> None:
    with closing(sqlite3.connect(Path(folder) / FILE)) as connection, connection:
        name = bytes.fromhex(digest(data))
        blob = bytearray(connection.execute("SELECT data FROM objects WHERE hash = ?", (name,)).fetchone()[0])
        blob[-1] ^= 1
        connection.execute("UPDATE objects SET data = ? WHERE hash = ?", (bytes(blob), name))


def test_the_messages_of_lost_records_are_named_and_archiving_again_mends_them(folder, kept, execute):
    written, _ = kept(CHAT)
    damage(folder, LINES[2])
    assert execute("DELETE FROM objects WHERE hash = ?", bytes.fromhex(digest(LINES[3]))) == 1
    damage(folder, LINES[6])
    with pytest.raises(ArchiveError, match=r"lost parts of chat\.jsonl: m3 to m4, m7 \(records: ") as error:
        given_back(folder, written)
    assert f"{digest(LINES[2])[:12]} damaged, {digest(LINES[3])[:12]} missing" in str(error.value)
    assert kept(CHAT)[1].new == 3
    assert given_back(folder, written) == CHAT


def test_all_lost_messages_are_named_but_not_all_of_their_records(folder, kept, execute):
    written, _ = kept(CHAT)
    execute("DELETE FROM objects WHERE hash NOT IN (SELECT manifest FROM outputs)")
    with pytest.raises(ArchiveError, match=r": m1 to m32 \(records: (\w+ missing, ){7}\w+ missing and 24 more\)"):
        given_back(folder, written)


def test_lost_messages_of_several_conversations_are_told_apart(folder, kept):
    lines = b"".join(LINES[:3]), b"".join(LINES[3:6])
    data = b"[" + b", ".join(b'{"messages": [' + b", ".join(part.splitlines()) + b"]}" for part in lines) + b"]"
    written, _ = kept(data, "two.json", ratio=1)
    damage(folder, LINES[1].rstrip())
    damage(folder, LINES[5].rstrip())
    with pytest.raises(ArchiveError, match=r"m2 of conversation 1; m3 of conversation 2 \("):
        given_back(folder, written)
    damage(folder, b"]}, " + b'{"messages": [')
    with pytest.raises(ArchiveError, match=r"conversation 2; what stands between messages \("):
        given_back(folder, written)


def test_without_its_manifest_all_of_a_source_is_lost(folder, kept, execute):
    written, _ = kept(CHAT)
    execute("DELETE FROM objects WHERE hash = (SELECT manifest FROM outputs)")
    with pytest.raises(ArchiveError, match=r"manifest of chat\.jsonl is missing, so all its messages are lost"):
        given_back(folder, written)


def test_a_source_that_would_not_come_back_is_not_archived(folder, monkeypatch):
    from boildown import registry
    from boildown.run import Job, run

    written, report = run(CHAT, "chat.jsonl", Job(registry.parse("prune"), "prune", ratio=3))
    monkeypatch.setattr("boildown.archive.originals._cut", lambda plain, spans: iter([plain[1:]]))
    with opened(folder, write=True) as archive:
        with pytest.raises(ArchiveError, match="make another file"):
            keep(archive, CHAT, written, report)
        assert (archive.find(""), archive.filed(digest(written))) == ([], [])


@pytest.mark.parametrize(
    ("ids", "said"),
    [([], ""), (["m1"], "m1"), (["m1", "m2", "m3", "m5"], "m1 to m3, m5"), (["x", "m2", "y9"], "x, m2, y9")],
)
def test_ids_in_a_row_are_said_as_ranges(ids, said):
    assert ranges(ids) == said


@pytest.mark.battery
def test_real_conversations_come_back_from_every_pipeline(shared):
    command = [sys.executable, ROOT / "benchmarks" / "roundtrip.py", "--shared", shared, "--sample", "3"]
    done = subprocess.run(
        [*command, "--largest", "40000"], env=source_roots(ROOT), capture_output=True, text=True, check=False
    )
    assert re.search(r"^3 files x \d+ pipelines \(.*\): 0 differences$", done.stdout, re.MULTILINE), done.stderr
