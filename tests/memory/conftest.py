"""What the tests of the memory share: an open store, and short ways to put something in and to ask."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from battery import battery
from boildown.archive.places import LANCE
from boildown.memory.messages import Memory, Origin, Said, Scope
from boildown.memory.places import opened
from boildown.memory.recall import recall

LANCE_LACKS = importlib.util.find_spec("lancedb") is None
LANCE_MARKS = (pytest.mark.skipif(LANCE_LACKS, reason="needs boildown[lance]"), battery)
BOTH = ("sqlite", pytest.param("lance", marks=LANCE_MARKS))
"""The stores: what holds for one holds for the other"""


@pytest.fixture(params=BOTH)
def folder(tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """Where an archive is to be, once with its messages in SQLite and once with them in LanceDB."""
    place = tmp_path / "memory"
    if request.param == "lance":
        (place / LANCE).mkdir(parents=True)
    return str(place)


@pytest.fixture
def store(folder: str) -> Iterator[Memory]:
    """An empty store, open for writing."""
    with opened(folder, write=True) as opened_store:
        yield opened_store


Put = Callable[..., int]


@pytest.fixture
def put(store: Memory) -> Put:
    """Puts texts, or messages, into a session: put("a", "b", session="s", user="u") -> how many are new."""

    def add(*said: str | Said, session: str = "s", user: str = "", source: str = "00") -> int:
        rows = [Said(f"m{n}", "user", one) if isinstance(one, str) else one for n, one in enumerate(said, 1)]
        with store.transaction():
            return store.put(Origin(session, user, source=source, file="chat.jsonl"), rows)

    return add


Find = Callable[..., list[str]]


@pytest.fixture
def find(store: Memory) -> Find:
    """The texts that a question finds, best first: find("pricing", user="u", most=3)."""

    def ask(question: str, most: int = 10, **scope: object) -> list[str]:
        return [hit.kept.said.text for hit in recall(store, question, Scope(**scope), most)]

    return ask
