"""What the tests of the memory share: an open store, and short ways to put something in and to ask."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from boildown.memory.messages import Origin, Said, Scope
from boildown.memory.recall import recall
from boildown.memory.store import Store, opened


@pytest.fixture
def folder(tmp_path: Path) -> str:
    """Where an archive is to be."""
    return str(tmp_path / "memory")


@pytest.fixture
def store(folder: str) -> Iterator[Store]:
    """An empty store, open for writing."""
    with opened(folder, write=True) as opened_store:
        yield opened_store


Put = Callable[..., int]


@pytest.fixture
def put(store: Store) -> Put:
    """Puts texts, or messages, into a session: put("a", "b", session="s", user="u") -> how many are new."""

    def add(*said: str | Said, session: str = "s", user: str = "", source: str = "00") -> int:
        rows = [Said(f"m{n}", "user", one) if isinstance(one, str) else one for n, one in enumerate(said, 1)]
        with store.transaction():
            return store.put(Origin(session, user, source=source, file="chat.jsonl"), rows)

    return add


Find = Callable[..., list[str]]


@pytest.fixture
def find(store: Store) -> Find:
    """The texts that a question finds, best first: find("pricing", user="u", most=3)."""

    def ask(question: str, most: int = 10, **scope: object) -> list[str]:
        return [hit.kept.said.text for hit in recall(store, question, Scope(**scope), most)]

    return ask
