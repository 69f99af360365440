"""Forgetting: nothing of one user is left anywhere, and nothing of another's is gone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from boildown.archive import store as sources
from boildown.archive.originals import find, restore
from boildown.archive.store import digest
from boildown.errors import BusyError, UsageError
from boildown.following.checkpoint import locked, name
from boildown.memory.archiving import archive
from boildown.memory.forgetting import forget
from boildown.memory.idle import compressed
from boildown.memory.messages import Scope
from boildown.memory.places import erasable, opened
from boildown.memory.recall import recall
from boildown.memory.sessions import sessions
from boildown.memory.traces import files
from boildown.registry import DEFAULT, parse, spec
from boildown.run import Job
from boildown.summarizers import answers

JOB = Job(parse(DEFAULT), spec(parse(DEFAULT)), ratio=2)
SECRET = "The spare key of the boathouse hangs behind the third lantern, and the alarm code is 8841."
COMMON = "We meet on Thursday at the harbour office, as we do each and every week."
HOSTILE = ["", "a", "A", "a' OR 1=1 --", "%", "_", "u1", 'b"', "x\x00y", "*", "ä", "a ", "\ud800"]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of answers of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return answers.folder()


def chat(*texts: str) -> bytes:
    return "".join(json.dumps({"role": "user", "content": text}) + "\n" for text in texts).encode()


def add(folder: str, user: str, data: bytes, session: str = "s", copies: bool = True) -> None:
    with opened(folder, write=True) as store:
        archive(store, data, f"{session}.jsonl", user, session)
    if copies:
        with sources.opened(folder, write=True) as kept:
            compressed(kept, data, f"{session}.jsonl", JOB)


def holds(folder: str, text: str) -> bool:
    """Whether the raw bytes of a file, or what is packed in the archive, hold a text."""
    with sources.opened(folder, write=True) as kept:
        packed = [kept.get(one) for one in kept.names()]
    return any(text.encode() in data for data in [*packed, *(path.read_bytes() for path in files(folder))])


def test_all_that_one_said_goes_and_all_that_others_said_stays(folder):
    add(folder, "ada", chat(SECRET, COMMON))
    add(folder, "bob", other := chat(COMMON, "Bob alone says this, at some length."))
    assert holds(folder, SECRET)
    plan, proof = forget(folder, "ada")
    assert (plan.messages, proof.found, proof.passages > 1, plan.shared > 1) == (2, 0, True, True)
    assert not holds(folder, SECRET)
    assert not holds(folder, "boathouse")
    assert [one.user for one in sessions(folder)] == ["bob"]
    with opened(folder) as store:
        assert [hit.kept.said.text for hit in recall(store, "harbour office", Scope("bob"))][:1] == [COMMON]
        assert recall(store, "boathouse", Scope("ada")) == []
    with sources.opened(folder) as kept:
        (filed,) = kept.all_filed()
        assert restore(kept, find(kept, kept.get(filed.output), "")) == other


def test_vectors_go_with_the_messages(folder):
    add(folder, "ada", chat(SECRET), copies=False)
    add(folder, "bob", chat(COMMON), copies=False)
    with opened(folder, write=True) as store, store.transaction():
        store.embed("model", {kept.seat: b"\x00<" for user in ("ada", "bob") for kept in store.said(Scope(user))})
    forget(folder, "ada")
    with opened(folder) as store:
        assert store.vectors("model", Scope("ada")).seats == []
        assert len(store.vectors("model", Scope("bob")).seats) == 1


def test_a_dry_run_changes_no_byte(folder):
    add(folder, "ada", chat(SECRET))
    before = {path: path.read_bytes() for path in files(folder)}
    plan, proof = forget(folder, "ada", dry_run=True)
    assert (plan.messages, proof) == (1, None)
    assert {path: path.read_bytes() for path in before} == before


def test_one_session_goes_and_the_others_stay(folder):
    add(folder, "ada", chat(SECRET), "one")
    add(folder, "ada", chat("Something quite different, of no great matter."), "two")
    plan, proof = forget(folder, "ada", "one")
    assert (plan.sessions, proof.found) == (("one",), 0)
    assert [one.session for one in sessions(folder)] == ["two"]
    assert not holds(folder, "boathouse")


def test_a_file_that_two_users_archived_stays_for_the_other(folder):
    data = chat(SECRET, COMMON)
    add(folder, "ada", data)
    add(folder, "bob", data)
    plan, proof = forget(folder, "ada")
    assert (plan.kept.filed, proof.passages, proof.found) == ((), 0, 0)
    with sources.opened(folder) as kept:
        (filed,) = kept.made_from(digest(data))
        assert restore(kept, find(kept, kept.get(filed.output), "")) == data


@pytest.mark.parametrize(("text", "goes"), [(SECRET, True), (COMMON, False), ("thanks a lot!", False)])
def test_an_original_that_was_archived_without_a_user_goes_with_a_whole_text_of_theirs(folder, text, goes):
    add(folder, "bob", chat(COMMON), copies=False)
    add(folder, "ada", chat(SECRET, COMMON, "thanks a lot!"), copies=False)
    with sources.opened(folder, write=True) as kept:
        compressed(kept, chat("Somebody begins, and goes on and on.", text), "other.jsonl", JOB)
    plan, proof = forget(folder, "ada")
    assert (len(plan.kept.filed), plan.kept.left) == ((1, ()) if goes else (0, plan.kept.left))
    assert proof.found == 0


def test_checkpoints_and_their_copies_go_with_the_one_they_are_of(folder):
    add(folder, "ada", chat(SECRET))
    add(folder, "bob", chat(COMMON))
    states = Path(folder, "checkpoints")
    states.mkdir()
    for called, value in {
        "a.json": {"session": "s", "user": "ada", "summary": "They spoke about a hidden lantern."},
        "a.json.previous": {"session": "s", "user": "ada", "recent": [SECRET]},
        "b.json": {"session": "s", "user": "bob", "recent": [COMMON]},
    }.items():
        (states / called).write_text(json.dumps(value))
    (states / ".torn").write_text(json.dumps({"user": "ada", "recent": [SECRET]})[:-2])
    (states / ".torn-of-bob").write_text('{"user": "bob", "rec')
    plan, proof = forget(folder, "ada")
    assert sorted(path.name for path in states.iterdir()) == [".torn-of-bob", "b.json"]
    assert (len(plan.state), proof.found) == (3, 0)


def test_one_of_whom_there_is_only_a_checkpoint_is_forgotten(tmp_path):
    (tmp_path / "m" / "checkpoints").mkdir(parents=True)
    (tmp_path / "m" / "checkpoints" / "a.json").write_text(json.dumps({"session": "s", "user": "ada", "x": [SECRET]}))
    _, proof = forget(str(tmp_path / "m"), "ada")
    assert (proof.found, proof.passages > 1, files(str(tmp_path / "m"))) == (0, True, [])


def test_all_answers_of_models_go_since_nobody_knows_of_whom_they_tell(folder, cache):
    add(folder, "ada", chat(SECRET))
    (cache / "ab").mkdir(parents=True)
    (cache / "ab" / "cdef.json").write_text(json.dumps({"model": "m", "text": "A key is hidden.", "usage": {}}))
    plan, _ = forget(folder, "ada")
    assert (len(plan.answers), list(cache.glob("??/*"))) == (1, [])


def test_what_is_left_is_found(folder):
    add(folder, "ada", chat(SECRET))
    Path(folder, "copy-of-somebody.txt").write_text(SECRET)
    assert forget(folder, "ada")[1].found > 0


def test_what_was_stopped_before_the_names_went_is_finished(folder):
    add(folder, "ada", chat(SECRET), copies=False)
    with erasable(folder) as messages, messages.transaction():
        messages.erase("ada", ["s"])
    plan, proof = forget(folder, "ada")
    assert (plan.sessions, plan.messages, proof.found, sessions(folder)) == (("s",), 0, 0, [])
    assert not any(b"boathouse" in path.read_bytes() for path in files(folder))


@pytest.mark.parametrize("user", HOSTILE[::3])
def test_a_user_of_any_name_is_the_only_one_who_is_forgotten_listed_and_asked(folder, user):
    for n, one in enumerate(HOSTILE):
        add(folder, one, chat(f"{SECRET} Number {n}.", COMMON), copies=False)
    written = user.encode("utf-8", "replace").decode()
    with opened(folder) as store:
        hits = recall(store, "boathouse lantern Thursday", Scope(written))
    assert {hit.kept.user for hit in hits} == {written}
    assert {hit.kept.said.text for hit in hits} == {f"{SECRET} Number {HOSTILE.index(user)}.", COMMON}
    assert {one.user for one in sessions(folder, written)} == {written}
    _, proof = forget(folder, user)
    assert proof.found == 0
    left = [one.encode("utf-8", "replace").decode() for one in HOSTILE if one != user]
    assert [(one.user, one.messages) for one in sessions(folder)] == [(name, 2) for name in left]


@pytest.mark.parametrize(("user", "session"), [("eve", None), ("", None), ("ada", "t"), ("Ada", None)])
def test_who_has_nothing_there_is_an_error(folder, user, session):
    add(folder, "ada", chat(SECRET))
    with pytest.raises(UsageError, match="holds nothing of theirs"):
        forget(folder, user, session)
    assert holds(folder, SECRET)


def test_what_a_kill_left_of_checkpoints_goes_by_its_name(folder):
    add(folder, "ada", chat(SECRET), copies=False)
    add(folder, "bob", chat(COMMON), copies=False)
    states = Path(folder, "checkpoints")
    states.mkdir()
    for user in ("ada", "bob"):
        own = name("s", user)
        for left in (f".{own}.json.new", f".{own}.previous.json.new", f"{own}.previous.json", f".{own}.lock"):
            (states / left).write_bytes(b'{"session": "s", "compressed": ["In oth')
    plan, proof = forget(folder, "ada")
    assert (len(plan.state), proof.found) == (3, 0)
    assert [path for path in files(str(states)) if name("s", "bob") not in path.name] == []
    assert len(files(str(states))) == 4


def test_what_is_being_followed_is_not_forgotten(folder):
    add(folder, "ada", chat(SECRET), copies=False)
    with locked(folder, "s", "bob"), locked(folder, "s", "ada"), pytest.raises(BusyError, match="being followed"):
        forget(folder, "ada")
    assert holds(folder, SECRET)
    with locked(folder, "s", "bob"):
        assert forget(folder, "ada")[1].found == 0


@pytest.mark.parametrize(("user", "also", "goes"), [("", "", True), ("ada", "", True), ("ada", "s", False)])
def test_the_page_of_a_session_goes_with_the_one_it_is_of(folder, user, also, goes):
    add(folder, user, chat(SECRET), copies=False)
    add(folder, "", chat(COMMON, SECRET if also else COMMON), also or "t", copies=False)
    pages = Path(folder, "ledgers", "project")
    pages.mkdir(parents=True)
    for of in ("s.md", ".s.md.torn", "t.md"):
        (pages / of).write_text(f"They ran: git log. {'' if of == 't.md' else SECRET}")
    plan, proof = forget(folder, user, "s")
    assert len(plan.pages) == (2 if goes else 0)
    assert (proof.found, proof.where) == (0, ())
    assert (pages / "t.md").exists()


def test_a_page_that_nobody_is_known_to_have_is_told_of_where_it_holds_something(folder):
    add(folder, "ada", chat(SECRET), copies=False)
    page = Path(folder, "ledgers", "project", "other.md")
    page.parent.mkdir(parents=True)
    page.write_text(SECRET)
    assert forget(folder, "ada")[1].where == (str(page),)
