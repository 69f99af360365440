"""What the tests of streams share: a follower that is fed lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from boildown.following.compression import Compressor
from boildown.following.follower import Compress, Follower, Stream
from boildown.following.records import Reader
from boildown.memory.store import opened
from boildown.policy import Policy, shipped

Follow = Callable[..., Follower]


@pytest.fixture
def folder(tmp_path: Path) -> str:
    """Where an archive is to be."""
    return str(tmp_path / "memory")


@pytest.fixture
def follow(folder: str) -> Iterator[Follow]:
    """Makes a follower: follow(window=2000, archive=True) with a store and checkpoints."""
    with opened(folder, write=True) as store:
        made: list[Follower] = []

        def make(
            window: int = 2_000, archive: bool = False, every: int = 20, compress: Compress | None = None
        ) -> Follower:
            policy = Policy(window, shipped())
            stream = Stream("s", folder=folder if archive else "", every=every)
            reader = Reader("stream", "o200k_base")
            compress = compress or Compressor(policy, "o200k_base")
            follower = Follower(stream, reader, policy, compress, lambda text: None, store if archive else None)
            made.append(follower)
            return follower

        yield make
        for one in made:
            one.close()
