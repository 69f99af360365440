"""Passages by which erased text would be known again, and looking for them in bytes."""

from __future__ import annotations

import json
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

SHORTEST, LENGTH = 12, 32
"""Characters of a passage. A shorter one stands in other texts by chance, of a longer one pages may hold the halves."""
_HEAD = 8
_AT_ONCE = 1 << 24
# Neither JSON nor a database writes these characters otherwise.
_RUN = re.compile(rf'[^\x00-\x1f\x7f"\\/\ud800-\udfff]{{{SHORTEST},}}')


def passages(texts: Iterable[str]) -> set[str]:
    """What `texts` say, in passages side by side; without what is shorter than SHORTEST."""
    found = set[str]()
    for text in texts:
        for run in _RUN.findall(text):
            parts = (run[start : start + LENGTH] for start in range(0, len(run), LENGTH))
            found.update(part for part in parts if len(part) >= SHORTEST and not part.isspace())
    return found


class Search:
    """Looks for many passages at once: as UTF-8, and as JSON writes them in ASCII."""

    def __init__(self, passages: Iterable[str]) -> None:
        import numpy as np

        self._forms: dict[bytes, str] = {form: one for one in passages for form in _forms(one)}
        self._by_head: dict[bytes, list[bytes]] = defaultdict(list)
        for form in self._forms:
            self._by_head[form[:_HEAD]].append(form)
        heads = np.frombuffer(b"".join(self._by_head), "<u8")
        self._heads = np.sort(heads)
        self._longest = max(map(len, self._forms), default=0)

    def __len__(self) -> int:
        return len(set(self._forms.values()))

    def found(self, data: bytes) -> set[str]:
        """Those of the passages that stand in `data`."""
        return {self._forms[form] for at in self._places(data) for form in self._at(data, at)}

    def _places(self, data: bytes) -> Iterator[int]:
        """Where in `data` a passage may begin."""
        import numpy as np

        if not len(self._heads):
            return
        for shift in range(min(_HEAD, len(data) - _HEAD + 1)):
            words = np.frombuffer(data, "<u8", (len(data) - shift) // _HEAD, shift)
            near = np.minimum(np.searchsorted(self._heads, words), len(self._heads) - 1)
            yield from (shift + _HEAD * int(n) for n in np.flatnonzero(self._heads[near] == words))

    def _at(self, data: bytes, at: int) -> Iterator[bytes]:
        return (form for form in self._by_head[data[at : at + _HEAD]] if data.startswith(form, at))

    def in_file(self, path: Path) -> set[str]:
        """Those of the passages that stand in the raw bytes of a file."""
        found, rest = set[str](), b""
        with path.open("rb") as file:
            while some := file.read(_AT_ONCE):
                found |= self.found(rest + some)
                rest = (rest + some)[-self._longest :]
        return found


def _forms(passage: str) -> set[bytes]:
    return {passage.encode(), json.dumps(passage)[1:-1].encode()}


def files(folder: str) -> list[Path]:
    """Every file in `folder` and below."""
    return sorted(Path(at, name) for at, _, names in os.walk(folder) for name in names if Path(at, name).is_file())
