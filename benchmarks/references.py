#!/usr/bin/env python3
"""What `dedup` and `delta` save on real sessions, each alone, and whether all of it comes back.

    python benchmarks/references.py [--shared ../shared] [--stages dedup delta] [PATTERN ...]

For each file and stage: tokens saved and their share, references to lines as they stand and with a diff, messages that
another stands for, and whether `restore` gives back every block of every message that is left.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from boildown import registry
from boildown.formats import Format
from boildown.marks import reference, restore
from boildown.pipeline import Context
from boildown.run import conversations, reader
from boildown.tokens import Counter, tokenizer
from boildown.transcript import Text, ToolResult, Transcript

ROOT = Path(__file__).resolve().parent.parent
PATTERNS = ("claude-code/entire-cli*/*.jsonl", "codex/git-sync/*.jsonl")


def account(stage: str, transcript: Transcript, form: Format) -> tuple[int, int, str]:
    """Tokens before, tokens saved, and a line that says what the stage did."""
    context = Context(Counter(tokenizer(), form.INFO.framing), 0, form.INFO.rules)
    after = registry.make(stage, {}).stage(transcript, context)
    before, saved = context.count(transcript), context.count(transcript) - context.count(after)
    blocks = [b for m in after.messages for b in m.blocks if isinstance(b, Text | ToolResult)]
    found = [mark for b in blocks if (mark := reference(b.text)) is not None]
    was = {m.id: m.blocks for m in transcript.messages}
    equal = all(m.blocks == was[m.id] for m in restore(after).messages)
    diffs, gone = sum(bool(mark.delta.diff) for mark in found), len(was) - len(after.messages)
    told = f"{len(found) - diffs} as they stand, {diffs} diffs, {gone} stood for, {'equal' if equal else 'NOT EQUAL'}"
    return before, saved, f"{stage} -{saved:,} ({saved / max(before, 1):.1%}; {told})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("patterns", nargs="*", default=PATTERNS, metavar="PATTERN")
    parser.add_argument("--stages", nargs="+", default=["dedup", "delta"])
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    given = parser.parse_args()
    whole, saved = 0, dict.fromkeys(given.stages, 0)
    for path in sorted(p for pattern in given.patterns for p in (given.shared / "data").glob(pattern)):
        form, plain, _ = reader(path.read_bytes(), path.name)
        for transcript in conversations(form, plain, path.name):
            told = []
            for stage in given.stages:
                before, less, line = account(stage, transcript, form)
                saved[stage] += less
                told.append(line)
            whole += before
            print(f"{path.stem[:24]}: {before:,} tokens; {'; '.join(told)}", flush=True)
    shares = ", ".join(f"{stage} {less / max(whole, 1):.1%}" for stage, less in saved.items())
    print(f"all: {whole:,} tokens; {shares}")


if __name__ == "__main__":
    main()
