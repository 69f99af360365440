"""A summary as data: its sections, the facts that stand in it word for word, and the text that says so."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

SECTIONS = {
    "intent": "Intent and state",
    "decisions": "Key decisions",
    "facts": "Facts and context",
    "open": "Open questions",
    "actions": "Action items",
    "artifacts": "Artifacts",
}
"""The sections of every summary, in order: their names in a prompt, and their titles"""
VERBATIM = "Word for word"
CUT = "Not summed up, but cut, for want of an answer"
OPEN = "[summary of earlier messages"
CLOSE = "[end of the summary]"

# No line of a summary begins like these: it begins with its mark, or with the blanks of a line that goes on.
_BLOCK = re.compile(
    rf"^{re.escape(OPEN)}(?P<how>[^\]\n]*)\]\n(?P<inside>.*?)\n?^{re.escape(CLOSE)}$\n?", re.DOTALL | re.MULTILINE
)
_ON = "  "
_TITLES = {title: name for name, title in SECTIONS.items()}


@dataclass(frozen=True, slots=True)
class Summary:
    """What a span of a conversation came to.

    sections  lines by section, each a sentence or a few that belong together; sections without lines are left out
    verbatim  what the lines do not say and should not be lost, as it stands in the source
    cut       what is left of messages that no model would sum up: who speaks, and some of the words
    """

    sections: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    verbatim: tuple[str, ...] = ()
    cut: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.verbatim or self.cut) or any(self.sections.values())

    def lines(self) -> list[tuple[str, str]]:
        """All lines with their sections, in order."""
        return [(name, line) for name in SECTIONS for line in self.sections.get(name, ())]

    def edited(self, edit: Callable[[str], Iterable[str]]) -> Summary:
        """Each line replaced by what `edit` makes of it: one line, several, or none."""
        made = {name: tuple(new for line in held for new in edit(line)) for name, held in self.sections.items()}
        return replace(self, sections={name: held for name, held in made.items() if held})

    def body(self) -> str:
        """The summary as Markdown, without the frame that says what it is."""
        held = [(title, self.sections.get(name, ())) for name, title in SECTIONS.items()]
        parts = [_part(title, lines) for title, lines in (*held, (CUT, self.cut), (VERBATIM, self.verbatim)) if lines]
        return "\n".join(parts)

    def text(self, how: str = "") -> str:
        """What stands in the output; `how` says in a few words what it was made of and by whom."""
        said = " ".join(how.replace("]", ")").split())
        return f"{OPEN}{f': {said}' if said else ''}]\n{self.body()}\n{CLOSE}"


def _part(title: str, lines: Iterable[str]) -> str:
    return "\n".join([f"## {title}", *(item(line) for line in lines)])


def item(line: str) -> str:
    """A line as it stands in the output; of a text of several lines, the others are indented."""
    return "- " + "\n".join(line.splitlines()).replace("\n", f"\n{_ON}")


def found(text: str) -> tuple[str, Summary | None]:
    """A text without the first summary in it, and that summary; None where there is none."""
    block = _BLOCK.search(text)
    if block is None:
        return text, None
    return text[: block.start()] + text[block.end() :], _read(block["inside"])


def _read(body: str) -> Summary:
    held: dict[str, list[str]] = {}
    lines = list[str]()
    for line in body.splitlines():
        if line.startswith("## "):
            lines = held.setdefault(line[3:].strip(), [])
        elif line.startswith("- "):
            lines.append(line[2:])
        elif lines:
            lines[-1] += f"\n{line.removeprefix(_ON)}"
    sections = {_TITLES[title]: tuple(said) for title, said in held.items() if title in _TITLES and said}
    return Summary(sections, tuple(held.get(VERBATIM, ())), tuple(held.get(CUT, ())))
