"""The file formats: which there are, and finding out which one a file is in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import Protocol, cast

from boildown.errors import InputError, NoConversationError, UsageError
from boildown.formats.source import Sample, sample
from boildown.transcript import FormatInfo, Transcript

FORMATS: dict[str, str] = {
    "openai": "boildown.formats.openai",
    "anthropic": "boildown.formats.anthropic",
    "claude-code": "boildown.formats.claude_code",
    "codex": "boildown.formats.codex",
    "openai-responses": "boildown.formats.openai_responses",
    "gemini-cli": "boildown.formats.gemini_cli",
    "gemini": "boildown.formats.gemini",
    "langchain": "boildown.formats.langchain",
    "claude-ai": "boildown.formats.claude_ai",
    "chatgpt": "boildown.formats.chatgpt_export",
    "sharegpt": "boildown.formats.sharegpt",
    "swe-agent": "boildown.formats.swe_agent",
    "openhands": "boildown.formats.openhands",
    "inspect-ai": "boildown.formats.inspect_ai",
    "pi": "boildown.formats.pi",
    "oasst": "boildown.formats.oasst",
    "text": "boildown.formats.text",
    "markdown": "boildown.formats.markdown",
}


class Format(Protocol):
    """A module that reads and writes one file format."""

    INFO: FormatInfo

    def sniff(self, sample: Sample, /) -> bool:
        """Whether a file that begins like `sample` is in this format."""
        ...

    def read(self, data: bytes, /) -> Iterator[Transcript]:
        """The conversations of a file, in order. Raises InputError with the place where it cannot go on."""
        ...

    def write(self, transcripts: Iterable[Transcript], /) -> Iterator[bytes]:
        """A file's bytes, in pieces. A message that did not change is its source record, byte for byte."""
        ...


def load(name: str) -> Format:
    """The format called `name`."""
    if name not in FORMATS:
        raise UsageError(f"no format is called {name!r}. There are: {', '.join(FORMATS)}.")
    return cast(Format, import_module(FORMATS[name]))


def detect(data: bytes, where: str) -> Format:
    """The one format that `data` is in. `where` is the file's name, for errors."""
    seen = sample(data, where)
    found = [name for name in FORMATS if load(name).sniff(seen)]
    if len(found) == 1:
        return load(found[0])
    if found:
        raise InputError(f"{where}: it could be {' or '.join(found)}. Say which with --from.")
    if seen.kind == "text":
        raise NoConversationError(
            f"{where}: {seen.describe()}. See 'boildown formats', or name its format with --from."
        )
    raise NoConversationError(
        f"{where}: {seen.describe()}, which is none of the formats that boildown reads "
        f"({', '.join(FORMATS)}). See 'boildown formats', or name one with --from."
    )
