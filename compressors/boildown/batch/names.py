"""What a batch's files are called: which endings are read, and what the output of each is named."""

from __future__ import annotations

SUFFIXES = (".json", ".jsonl", ".traj")
"""What is read in a directory. A text or Markdown file is read where it is named: most are no transcripts."""
PACKED = (".gz", ".zst")
"""What is read as what it holds; outputs are not packed."""
OWN = ".boildown"
"""The folder in the output's directory for the journal and for what is not finished"""
ENDINGS = {
    "claude-code": ".jsonl",
    "codex": ".jsonl",
    "pi": ".jsonl",
    "oasst": ".jsonl",
    "gemini-cli": ".json",
    "claude-ai": ".json",
    "chatgpt": ".json",
    "inspect-ai": ".json",
    "swe-agent": ".traj",
    "text": ".txt",
    "markdown": ".md",
}
"""The endings of formats that are always written in one form; the others are arrays as well as lines."""


def is_read(name: str) -> bool:
    """Whether a file of this name is read where it is found in a directory."""
    return unpacked(name).lower().endswith(SUFFIXES)


def unpacked(name: str) -> str:
    """`name` without the ending of a packed file."""
    return next((name[: -len(end)] for end in PACKED if name.lower().endswith(end)), name)


def output_name(name: str, write_as: str | None) -> str:
    """What the output of the input `name` is called: as the input, but for what packing or --to changes."""
    name = unpacked(name)
    stem, dot, _ = name.rpartition(".")
    if write_as is None or not dot or "/" in name[len(stem) :]:
        return name
    if write_as in ENDINGS:
        return stem + ENDINGS[write_as]
    return name if name.lower().endswith((".json", ".jsonl")) else f"{stem}.jsonl"
