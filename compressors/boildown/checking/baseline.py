"""How large files were when that was accepted: a small file that is committed beside them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from boildown.checking.findings import GONE, NEW, Finding
from boildown.checking.looking import Looked
from boildown.errors import UsageError

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Baseline:
    """The tokens of files by their path, as seen from the baseline's folder, and the tokenizer that counted them."""

    tokenizer: str
    files: Mapping[str, int] = field(default_factory=dict)

    def dump(self) -> bytes:
        """As JSON, a file a line in the order of their names, so that what a change does to it is small."""
        value = {"schema": SCHEMA, "tokenizer": self.tokenizer, "files": dict(sorted(self.files.items()))}
        return json.dumps(value, indent=2).encode() + b"\n"

    def grown(self, name: str, looked: Looked, allowed: float) -> Iterator[Finding]:
        """Whether the file called `name` here is larger than allowed, or new."""
        if name not in self.files:
            yield Finding(looked.file, NEW, f"{looked.tokens:,} tokens, not in the baseline yet", severity="note")
            return
        before, now = self.files[name], looked.tokens
        if now > before * (1 + allowed) + 1e-6:
            by = now / before - 1 if before else None
            more = f"{now - before:,}" + ("" if by is None else f" ({by:.1%})")
            said = f"{now:,} tokens, {more} more than the {before:,} of the baseline, the limit is {allowed:.1%}"
            yield Finding(looked.file, "max-growth", said, value=by, limit=allowed)

    def updated(self, tokenizer: str, sizes: Mapping[str, int], gone: Iterable[str]) -> Baseline:
        """With the sizes of files that were looked at, and without those that are gone. Others stay as they are."""
        kept = self.files if tokenizer == self.tokenizer else {}
        lost = set(gone)
        return Baseline(tokenizer, {name: n for name, n in {**kept, **sizes}.items() if name not in lost})


def gone(names: Iterable[str], path: str) -> list[Finding]:
    """A note for each file of the baseline at `path` that is there no longer."""
    return [Finding(path, GONE, f"{name} is there no longer", subject=name, severity="note") for name in sorted(names)]


def load(data: bytes, path: str) -> Baseline:
    """The baseline in `data`. Raises UsageError where it is none."""
    try:
        value = json.loads(data)
        files, tokenizer = value["files"], value["tokenizer"]
        sound = value["schema"] == SCHEMA and isinstance(tokenizer, str) and all(type(n) is int for n in files.values())
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        sound = False
    if not sound:
        raise UsageError(
            f"--baseline {path}: this is no baseline of boildown. Name another file, or take it away and make one "
            "with --update-baseline."
        )
    return Baseline(tokenizer, files)
