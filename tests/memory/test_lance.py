"""Messages in LanceDB: chosen by the archive's place, few files, no byte left of what was erased, S3's own rules."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from battery import battery
from boildown.archive.places import LANCE, absolute, in_lance, local
from boildown.archive.store import opened as sources
from boildown.errors import ArchiveError, UsageError
from boildown.memory.lance.table import told
from boildown.memory.messages import Origin, Said, Scope
from boildown.memory.places import check, erasable, opened
from boildown.memory.recall import recall
from boildown.memory.traces import Search, files, passages
from conftest import COMMAND, ROOT, source_roots

pytestmark = battery


@pytest.fixture
def place(tmp_path: Path) -> str:
    pytest.importorskip("lancedb")
    return f"lance:{tmp_path / 'memory'}"


def add(place: str, *texts: str, session: str = "s", user: str = "") -> int:
    with opened(place, write=True) as store, store.transaction():
        return store.put(Origin(session, user), [Said(f"m{n}", "user", text) for n, text in enumerate(texts, 1)])


def cli(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", COMMAND, *map(str, arguments)]
    return subprocess.run(command, env=source_roots(ROOT), capture_output=True, text=True, check=False)


def test_a_place_says_where_messages_are(tmp_path):
    assert in_lance(str(tmp_path)) is None
    assert in_lance(f"lance:{tmp_path}") == str(tmp_path / LANCE)
    assert in_lance("s3://bucket/team/") == f"s3://bucket/team/{LANCE}"
    (tmp_path / LANCE).mkdir()
    assert in_lance(str(tmp_path)) == str(tmp_path / LANCE)
    assert local(f"lance:{tmp_path}", "it is") == str(tmp_path)


def test_home_is_meant_where_shells_leave_its_sign(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert in_lance("lance:~/memory") == str(tmp_path / "memory" / LANCE)
    assert absolute("lance:~/memory") == f"lance:{tmp_path / 'memory'}"
    assert local("lance:~/memory", "it is") == str(tmp_path / "memory")


@pytest.mark.parametrize("command", [("expand", "FILE"), ("resume", "s"), ("compress", "FILE", "--ratio", "2")])
def test_what_needs_a_directory_says_so_on_object_storage(command):
    file = str(ROOT / "samples" / "openai.jsonl")
    done = cli(*(file if one == "FILE" else one for one in command), "--archive", "s3://bucket/team")
    assert (done.returncode, done.stdout) == (2, "")
    assert "object storage holds messages only" in done.stderr


def test_without_the_extra_it_is_said_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "lancedb", None)
    with pytest.raises(UsageError, match=r"pip install 'boildown\[lance\]'"):
        check(f"lance:{tmp_path}", write=True)


def test_messages_in_both_stores_are_refused(tmp_path, place):
    add(str(tmp_path / "memory"), "a word")
    with pytest.raises(UsageError, match="in SQLite already"):
        add(place, "a word")


def test_once_made_the_directory_alone_names_it_and_originals_stand_beside(tmp_path, place):
    assert add(place, "the harbour office") == 1
    folder = place.removeprefix("lance:")
    with sources(place, write=True) as archive:
        archive.put(b"a source")
    assert add(folder, "the harbour office", "a new one") == 1
    assert min(path.name for path in Path(folder).iterdir()) == "archive.db"
    with opened(folder) as store:
        assert recall(store, "harbour", Scope())[0].kept.said.text == "the harbour office"


def test_another_programs_tables_are_refused(place):
    lancedb = pytest.importorskip("lancedb")
    lancedb.connect(in_lance(place)).create_table("messages", [{"a": 1}])
    with pytest.raises(UsageError, match="another program's"), opened(place):
        pass


def test_many_small_puts_become_few_files_of_rows(place):
    with opened(place, write=True) as store:
        for n in range(60):
            with store.transaction():
                store.put(Origin(f"s{n}"), [Said("m1", "user", f"the harbour office, number {n}")])
        assert store._messages._table.stats()["fragment_stats"]["num_fragments"] < 48
        assert len(recall(store, "harbour", Scope(), 100)) == 60


def test_what_was_said_is_in_the_bytes_of_its_files_until_it_is_erased(place):
    texts = [f"The spare key number {n} hangs behind the lantern of boathouse {n * 7}." for n in range(400)]
    add(place, *texts, user="ada")
    add(place, "Bob alone says this, at some length.", user="bob")
    looked = Search(wanted := passages(texts))
    found = [looked.in_file(path) for path in files(place.removeprefix("lance:"))]
    assert set().union(*found) == wanted  # else the search would prove nothing
    with erasable(place) as messages:
        with messages.transaction():
            messages.erase("ada", ["s"])
        messages.compact()
    assert set().union(*map(looked.in_file, files(place.removeprefix("lance:")))) == set()
    with opened(place) as store:
        assert [(one.user, one.messages) for one in store.sessions()] == [("ada", 0), ("bob", 1)]


def test_messages_that_two_put_in_one_place_at_once_are_all_kept_each_in_its_own(place):
    """As on object storage, where nobody waits for another."""
    with opened(place, write=True) as one, opened(place, write=True) as other:
        one._lock = other._lock = "", True
        with one.transaction():
            one.put(Origin("s"), [Said("m1", "user", "from the one"), Said("m2", "user", "from both")])
            with other.transaction():
                other.put(Origin("s"), [Said("m1", "user", "from the other"), Said("m2", "user", "from both")])
        kept = one.said(Scope())
    assert sorted(k.said.text for k in kept) == ["from both", "from the one", "from the other"]
    assert [k.seat[1] for k in kept] == [0, 1, 2]


def test_nothing_there_is_an_error_to_read(place):
    with pytest.raises(ArchiveError, match="no messages to recall"), opened(place):
        pass


def test_a_file_that_is_gone_is_told_of(place):
    add(place, "the harbour office")
    tables = Path(in_lance(place))
    shutil.move(tables / "vectors.lance", tables / "moved")
    with pytest.raises(ArchiveError, match=r"it holds no vectors\.lance"), opened(place):
        pass
    assert add(place, "the harbour office") == 0
    next((tables / "messages.lance" / "data").iterdir()).unlink()
    with pytest.raises(ArchiveError, match="A file of it is gone"), opened(place) as store:
        store.sessions()


def test_an_error_names_the_file_and_not_lancedbs_sources():
    said = "Not found: /root/memory/data/1.lance, /root/.cargo/registry/src/lance-io/src/local.rs:273:40"
    with pytest.raises(ArchiveError, match=r"says: Not found: /root/memory/data/1\.lance\. A file"), told("memory"):
        raise OSError(said)


def test_what_a_batch_takes_out_is_recalled_from_where_the_place_says(place, tmp_path):
    done = cli(
        "batch",
        ROOT / "samples" / "openai.jsonl",
        "-o",
        tmp_path / "out",
        "--ratio",
        3,
        "--pipeline",
        "archive",
        "--archive",
        place,
    )
    assert done.returncode == 0, done.stderr
    with opened(place) as store:
        assert recall(store, "Which lodge?", Scope(), 5)
