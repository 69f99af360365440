"""Markdown transcripts: `**User:** ...`, `**Assistant**`, `## User`, `### ChatGPT said:`, with or without rulers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from boildown.formats import talk
from boildown.formats.source import Sample
from boildown.formats.spoken import MARKDOWN, aside
from boildown.transcript import FormatInfo, Framing, Rules, Transcript

INFO = FormatInfo(
    name="markdown",
    title="Markdown: turns that begin with `**User:**`, `**Assistant**`, `## User` or `### ChatGPT said:`",
    example="**User:** Hello",
    framing=Framing(message=4, name=1, block=3, reply=3, source="taken as Chat Completions'; it is no API's"),
    rules=Rules(joins=True),
    says=frozenset({"text", "system", "name"}),
    plain=True,
)


def sniff(sample: Sample) -> bool:
    """Text of which two lines name a speaker in bold or as a heading."""
    return sample.kind == "text" and talk.leads(sample.text, MARKDOWN)


def read(data: bytes) -> Iterator[Transcript]:
    """The conversation in `data`, or the conversations between lines such as `# Conversation 2`.

    Raises ValueError where no line names a speaker. A line that only looks as if it did has a backslash before it.
    """
    return talk.read(data, FORM)


def write(transcripts: Iterable[Transcript]) -> Iterator[bytes]:
    """Each conversation in its own words; those of another format as `**User:** ...`, a blank line between."""
    return talk.write(transcripts, FORM)


def _head(role: str, name: str | None, broken: bool) -> str:
    return f"**{role.capitalize()}{aside(name)}:**" + ("\n\n" if broken else " ")


FORM = talk.Form("markdown", MARKDOWN, _head, "# Conversation {}")
