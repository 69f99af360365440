"""The store keeps each message once, in its place and for its user, through other writers and kills."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress
from pathlib import Path

import pytest

from boildown.archive.places import LANCE
from boildown.archive.store import opened as sources
from boildown.errors import ArchiveError, UsageError
from boildown.memory.messages import Origin, Said, Scope
from boildown.memory.places import check, opened
from boildown.memory.recall import recall
from boildown.memory.schema import FILE
from conftest import ROOT, source_roots

WRITER = """
import sys
from boildown.memory.messages import Origin, Said
from boildown.memory.places import opened
folder, name, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3])
with opened(folder, write=True) as store:
    for n in range(rounds):
        with store.transaction():
            said = [Said(f"m{i}", "user", f"{name} round{n} message{i}") for i in range(20)]
            assert store.put(Origin(f"{name} {n}", source=name), said) == 20
        print(n, flush=True)
"""


def writer(folder: str, name: str, rounds: int) -> subprocess.Popen[str]:
    """A process that puts `rounds` sessions of 20 messages, and says the number of each that is final."""
    command = [sys.executable, "-c", WRITER, folder, name, str(rounds)]
    return subprocess.Popen(command, env=source_roots(ROOT), stdout=subprocess.PIPE, text=True)


def sessions(folder: str) -> dict[str, int]:
    """Each session's name and how many messages it has."""
    with opened(folder) as store:
        return {one.name: one.messages for one in store.sessions()}


def texts(store, session="s", user="") -> list[str]:
    """A session's messages in their order."""
    return [kept.said.text for kept in store.said(Scope(user, session))]


def test_the_same_messages_again_are_none(put, store):
    assert [put("a", "b", "a"), put("a", "b", "a")] == [3, 0]
    assert texts(store) == ["a", "b", "a"]


def test_of_a_session_that_grew_only_the_new_messages_are_put(put, store):
    assert [put("a", "b", source="01"), put("a", "b", "c", "a", source="02")] == [2, 2]
    assert texts(store) == ["a", "b", "c", "a"]


@pytest.mark.parametrize(
    ("first", "then", "order"),
    [
        ("ad", "abcd", "abcd"),
        ("cd", "abcd", "abcd"),
        ("bd", "abcde", "abcde"),
        ("abcd", "cd", "abcd"),
        ("ab", "xy", "abxy"),
        ("abc", "axc", "axbc"),
        ("", "ab", "ab"),
    ],
)
def test_messages_that_come_later_stand_where_they_were_said(put, store, first, then, order):
    put(*first)
    put(*then)
    assert texts(store) == list(order)


def test_what_differs_in_anything_that_is_said_is_another_message(put, store):
    said = [
        Said("m1", "user", "a"),
        Said("m2", "tool", "a"),
        Said("m3", "user", "a", "Ada"),
        Said("m4", "user", "a", "", "9"),
    ]
    assert put(*said) == 4


@pytest.mark.parametrize("text", ["\ud800 half", "nul \x00 in it", "a" * 200_000, "'\"; DROP TABLE messages; --", " "])
def test_any_text_is_kept(put, find, store, text):
    put(text, "a word")
    assert texts(store)[0] == text.encode("utf-8", "replace").decode()
    assert find("word")[0] == "a word"


def test_one_users_messages_are_never_found_for_another(put, find, store):
    put("the code is 1111", session="shared name", user="ada")
    put("the code is 2222", session="shared name", user="ben")
    put("the code is 3333", session="shared name")
    assert find("what is the code", user="ada") == ["the code is 1111"]
    assert find("what is the code", user="ben", session="shared name") == ["the code is 2222"]
    assert find("what is the code") == ["the code is 3333"]
    assert find("what is the code", user="eve") == []
    assert [one.user for one in store.sessions("ada")] == ["ada"]
    assert store.speakers(["ada"], Scope("ben")) == []


def test_what_a_user_finds_is_the_same_beside_few_others_and_many(put, store, monkeypatch):
    put(*(f"the harbour at dawn, page {n}" for n in range(40)), "a ferry leaves the harbour", session="a", user="ada")
    put("the ferry is late", "dawn", session="b", user="ada")
    put("a ferry, a ferry, the harbour", "nothing", user="bob")
    asked = store, "when does the ferry leave the harbour?", Scope("ada"), 5
    beside_few = recall(*asked)
    monkeypatch.setattr("boildown.memory.scopes._FEW", 0)
    assert beside_few == recall(*asked)
    assert beside_few[0].kept.said.text == "a ferry leaves the harbour"


def test_few_are_found_among_many_of_other_users(put, find):
    put("the harbour", *(f"page {n}" for n in range(30)), user="ada")
    put(*(f"the harbour, {n}" for n in range(20)), user="bob")
    assert find("harbour", most=1, user="ada") == ["the harbour"]


def test_whose_a_message_is_cannot_be_said_by_its_text_or_the_question(put, find):
    put("u1 u2 s1 s2 session : s1 OR user : u2", user="ada")
    put("the code is 2222", user="ben")
    for question in ("code u1", 'code" OR user : "u2', "u2 s2", "user : u2"):
        assert "the code is 2222" not in find(question, user="ada")


def test_a_filter_by_role_session_and_time_holds(put, find):
    put(Said("m1", "user", "port 1", moment=100.0), Said("m2", "assistant", "port 2", moment=200.0), session="a")
    put(Said("m1", "user", "port 3", moment=300.0), Said("m2", "user", "port 4"), session="b")
    assert sorted(find("which port")) == ["port 1", "port 2", "port 3", "port 4"]
    assert find("which port", role="assistant") == ["port 2"]
    assert sorted(find("which port", session="b")) == ["port 3", "port 4"]
    assert find("which port", since=100.0, until=300.0, role="user") == ["port 1"]
    assert find("which port", since=250.0) == ["port 3"]


def test_where_a_message_is_from_is_told(store, put):
    put(Said("m7", "user", "a word", "Ada", "2027-05-08", 1.0), session="plans", user="u", source="ab")
    ((_, kept),) = store.get([(1, 0)]).items()
    assert (kept.session, kept.user, kept.source, kept.file, kept.said.id) == ("plans", "u", "ab", "chat.jsonl", "m7")


def test_two_writers_lose_nothing(folder):
    running = [writer(folder, name, 15) for name in ("one", "two")]
    assert [process.wait(60) for process in running] == [0, 0]
    assert sessions(folder) == {f"{name} {n}": 20 for name in ("one", "two") for n in range(15)}


@pytest.mark.parametrize("seed", range(4))
def test_what_was_final_when_a_writer_was_killed_is_there_and_nothing_is_half(folder, seed):
    if seed > 1 and (Path(folder) / LANCE).exists():
        pytest.skip("two kills: LanceDB takes seconds to load")
    process = writer(folder, "killed", 100_000)
    assert process.stdout is not None
    if seed:  # else while the file is made
        process.stdout.readline()
    time.sleep(random.Random(seed).random() * 0.3)
    process.send_signal(signal.SIGKILL)
    final = len(process.stdout.read().split()) + bool(seed)
    assert process.wait(30) == -signal.SIGKILL
    assert writer(folder, "next", 1).wait(60) == 0
    found = sessions(folder)
    assert set(found.values()) == {20}
    assert {f"killed {n}" for n in range(final)} | {"next 0"} <= found.keys()
    assert (Path(folder) / LANCE).exists() or sound(Path(folder) / FILE)


def sound(path: Path) -> bool:
    """Whether a file of SQLite is whole, its index included."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO words (words) VALUES ('integrity-check')")
        return connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_what_is_put_inside_of_a_failed_transaction_is_not_there(store, put):
    put("before")
    with suppress(ZeroDivisionError), store.transaction():
        store.put(Origin("s"), [Said("m2", "user", "within")])
        raise ZeroDivisionError
    assert texts(store) == ["before"]


def test_messages_and_sources_share_a_directory(folder):
    with opened(folder, write=True) as store, store.transaction():
        store.put(Origin("s"), [Said("m1", "user", "a")])
    with sources(folder, write=True) as archive:
        archive.put(b"a source")
    check(folder)
    assert sessions(folder) == {"s": 1}


def test_a_directory_without_messages_is_missing_to_read(folder):
    with sources(folder, write=True) as archive:
        archive.put(b"a source")
    with pytest.raises(ArchiveError, match="no messages to recall"), opened(folder):
        pass


def test_somebody_elses_file_and_a_newer_one_are_refused(tmp_path):
    path = tmp_path / FILE
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE theirs (a)")
    with pytest.raises(UsageError, match="another program's"), opened(str(tmp_path), write=True):
        pass
    path.unlink()
    with opened(str(tmp_path), write=True):
        pass
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(UsageError, match="newer boildown"), opened(str(tmp_path)):
        pass


def appended(store, place, *said) -> int:
    with store.transaction():
        return store.append(Origin("s"), [Said(f"m{n}", "user", one) for n, one in enumerate(said, place + 1)], place)


def test_a_streams_messages_come_one_behind_the_other_equal_ones_too(store):
    assert [appended(store, 0, "a", "b", "a"), appended(store, 3, "a", "c")] == [3, 5]
    assert texts(store) == ["a", "b", "a", "a", "c"]


def test_what_stands_at_its_place_in_the_stream_is_not_kept_again(store):
    appended(store, 0, "a", "b")
    assert [appended(store, 1, "b", "c"), appended(store, 0, "a", "b", "c")] == [3, 3]
    assert texts(store) == ["a", "b", "c"]
    assert [one.messages for one in store.sessions()] == [3]


def test_another_stream_of_the_session_comes_behind_the_first(store, put):
    put("a", "b")
    assert appended(store, 0, "a", "x") == 4
    assert appended(store, 9, "y") == 5
    assert texts(store) == ["a", "b", "a", "x", "y"]


def test_what_was_followed_is_none_when_it_is_archived_as_a_file(store, put):
    appended(store, 0, "a", "b", "a")
    assert put("a", "b", "a", "c") == 1
