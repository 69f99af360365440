"""What a check found, and the table of what it can find."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

UNREADABLE = "unreadable"
NEW, GONE = "new-file", "gone-file"


@dataclass(frozen=True, slots=True)
class Rule:
    """What is looked for: its name in one sentence, and what helps."""

    title: str
    remedy: str


RULES: dict[str, Rule] = {
    UNREADABLE: Rule("A file could not be looked at", "Get a whole copy of the file, or name its format with --from."),
    "max-tokens": Rule("A conversation has too many tokens", "Compress it: boildown compress FILE --budget TOKENS."),
    "max-file-tokens": Rule("A file has too many tokens", "Split the file, or compress it with boildown compress."),
    "max-message-tokens": Rule(
        "A message has too many tokens", "Shorten it, or compress with the stages condense,mask."
    ),
    "max-total-tokens": Rule("All files together have too many tokens", "Take files out, or compress the largest."),
    "max-growth": Rule(
        "A file has grown beyond what its baseline allows", "Compress it, or accept it with --update-baseline."
    ),
    "max-duplicate-share": Rule(
        "Too much of a conversation stands in it a second time", "boildown compress FILE --pipeline dedup takes it out."
    ),
    "max-tool-share": Rule(
        "Too much of a conversation is output of tools", "boildown compress FILE --pipeline condense,stale,mask."
    ),
    "max-base64-tokens": Rule(
        "A conversation holds too much base64", "Keep images and files beside the conversation, and name them in it."
    ),
    "min-retention": Rule("Too little of the original survives", "Compress less, or ask for less."),
    "fail-on-secret": Rule(
        "A secret stands in a conversation",
        "Revoke the secret, and take it out: boildown compress FILE --pipeline redact.",
    ),
    "valid": Rule("The consumer would refuse the conversation", "boildown repair FILE."),
    NEW: Rule("A file is not in the baseline", "Add it with --update-baseline."),
    GONE: Rule("A file of the baseline is there no longer", "Take it out with --update-baseline."),
}
"""By name, which is the option's where there is one. What `valid` finds goes by the names of the rules of validity."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A limit that is broken, or something that people should know.

    file          as it was named; the line is 0 where none is known
    rule          one of RULES, or of the rules of validity
    check         the entry of RULES that it belongs to
    conversation  its number, 0 where the file has one or is meant as a whole
    message       a message's id, where one is meant
    subject       what names the place also when lines have moved and figures have changed
    value, limit  what was measured and what is allowed, where these are numbers
    """

    file: str
    rule: str
    what: str
    remedy: str = ""
    line: int = 0
    conversation: int = 0
    title: str = ""
    message: str = ""
    subject: str = ""
    value: float | None = None
    limit: float | None = None
    severity: Literal["error", "note"] = "error"

    @property
    def check(self) -> str:
        return self.rule if self.rule in RULES else "valid"

    @property
    def within(self) -> str:
        """The place in its file, as far as that is more than a line."""
        number = f"conversation {self.conversation}" + (f" ({self.title})" if self.title else "")
        return ", ".join(part for part in (number if self.conversation else "", self.message) if part)

    @property
    def said(self) -> str:
        """All that is to be said behind the file's name and the line. An error of reading says by itself what helps."""
        what = self.what if self.rule == UNREADABLE else f"{self.what} ({self.help})"
        return f"{self.within}: {what}" if self.within else what

    @property
    def help(self) -> str:
        return self.remedy or RULES[self.check].remedy


def fingerprints(findings: Iterable[Finding], names: Iterable[str]) -> Sequence[str]:
    """A name for each finding that stays when lines move, figures change and other findings come or go.

    `names` are the files' as they are to be known. Several of one name are numbered in their order.
    """
    seen: dict[str, int] = {}
    found = []
    for one, name in zip(findings, names, strict=True):
        parts = (one.rule, name, str(one.conversation), one.message, one.subject)
        key = sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]
        seen[key] = seen.get(key, 0) + 1
        found.append(f"{key}:{seen[key]}")
    return found
