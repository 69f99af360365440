"""Rebuilds compressors/boildown/ranks/*.xz from tiktoken's rank files.

    python scripts/pack_ranks.py                        tiktoken fetches the files, or finds them in its cache
    python scripts/pack_ranks.py --originals FOLDER     FOLDER is such a cache; nothing is fetched

The same files come out each time, given the same liblzma.
"""

from __future__ import annotations

import argparse
import lzma
from base64 import b64decode
from hashlib import sha1, sha256
from importlib import import_module
from pathlib import Path
from typing import cast
from unittest.mock import patch

import tiktoken.load

from boildown.tokens import VOCABULARIES, unpack

PUBLIC = import_module("tiktoken_ext.openai_public")
RANKS = Path(__file__).parents[1] / "compressors" / "boildown" / "ranks"
# A little smaller than the preset's lc=3, pb=2: tokens are text, and no numbers of four bytes.
FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "lc": 4, "lp": 0, "pb": 0}]


def published(name: str) -> tuple[str, str]:
    """The address and the SHA-256 of a rank file, from tiktoken's own source."""
    with patch.object(PUBLIC, "load_tiktoken_bpe", lambda url, expected_hash: (url, expected_hash)):
        return cast(tuple[str, str], PUBLIC.ENCODING_CONSTRUCTORS[name]()["mergeable_ranks"])


def original(name: str, folder: Path | None) -> bytes:
    url, digest = published(name)
    if folder is None:
        return tiktoken.load.read_file_cached(url, digest)
    path = folder / sha1(url.encode()).hexdigest()
    data = path.read_bytes()
    if (found := sha256(data).hexdigest()) != digest:
        raise SystemExit(f"{path}: its SHA-256 is {found}, but tiktoken's source says {digest} of {name}.")
    return data


def parse(data: bytes) -> dict[bytes, int]:
    """Tokens to ranks, from lines of a token in base64, a blank, and its rank."""
    pairs = (line.split() for line in data.splitlines())
    return {b64decode(token): int(rank) for token, rank in pairs}


def pack(ranks: dict[bytes, int]) -> bytes:
    tokens = sorted(ranks, key=ranks.__getitem__)
    data = len(tokens).to_bytes(4, "big") + bytes(map(len, tokens)) + b"".join(tokens)
    packed = lzma.compress(data, check=lzma.CHECK_SHA256, filters=FILTERS)
    if unpack(packed) != ranks:
        raise SystemExit("The packed ranks do not unpack to what they were: the ranks have a gap.")
    return packed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--originals", type=Path, help="folder with tiktoken's cache files")
    parser.add_argument("--output", type=Path, default=RANKS, help="folder for the packed files")
    options = parser.parse_args()
    for name in VOCABULARIES:
        path = options.output / f"{name}.xz"
        path.write_bytes(pack(parse(original(name, options.originals))))
        print(f"{path}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
