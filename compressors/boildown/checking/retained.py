"""What of an original survives in the file that was made of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from boildown.checking.findings import Finding
from boildown.errors import InputError
from boildown.measure.retention import Retention, combined, read
from boildown.tokens import Counter
from boildown.transcript import Transcript


@dataclass(slots=True)
class Comparison:
    """Takes the conversations of a file in order, beside those of its `original`: one pair at a time is in memory.

    They are paired by their place. One that is missing at the end retains nothing.
    """

    file: str
    name: str
    original: Iterator[Transcript]
    counter: Counter
    found: list[Retention] = field(default_factory=list)

    def add(self, compressed: Transcript) -> None:
        """Raises InputError where the original has fewer conversations."""
        before = next(self.original, None)
        if before is None:
            raise InputError(
                f"{self.file}: it has more conversations than {self.name}, its original. Name the files anew."
            )
        self.found.append(read(before, self.counter).retention(compressed, self.counter))

    def findings(self, least: float) -> Iterator[Finding]:
        """Whether too little survives, all conversations together."""
        for missing in self.original:
            self.found.append(read(missing, self.counter).retention(Transcript(()), self.counter))
        share = combined(self.found).share if self.found else 1.0
        if share < least:
            said = f"{share:.3f} of the facts and statements survive, {least - share:.3f} below {least:g}"
            yield Finding(self.file, "min-retention", f"{said}; the original is {self.name}", value=share, limit=least)
