"""`boildown check`: going through the files, and its table and JSON."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace

from boildown.checking import baseline as baselines
from boildown.checking.baseline import Baseline
from boildown.checking.findings import RULES, UNREADABLE, Finding
from boildown.checking.limits import Checks, Limits, relative
from boildown.checking.looking import Looked, Original, look
from boildown.checking.outcome import Outcome, total
from boildown.errors import InputError, NoConversationError, UsageError
from boildown_cli import files
from boildown_cli.terminal import add_row, number, one_line, say, show, table


@dataclass(frozen=True, slots=True)
class Asked:
    """What files are held to: the command line's `flags`, and the configuration's `checks`.

    accepts  whether the baseline takes what is there, so that growth is no finding
    """

    flags: Limits
    checks: Checks
    tokenizer: str
    read_as: str | None = None
    baseline: str | None = None
    accepts: bool = False
    original: str | None = None

    def of(self, path: str) -> Limits:
        """What holds for a file. Where there is a baseline and nothing else is said, no file may grow."""
        limits = self.checks.of(path, self.flags)
        if self.baseline is None:
            return limits
        return replace(limits, max_growth=None if self.accepts else limits.max_growth or 0.0)

    @property
    def everywhere(self) -> list[Limits]:
        """All limits that may hold for some file."""
        return [self.flags.over(limits) for limits in (self.checks.limits, *(o.limits for o in self.checks.overrides))]


def check(asked: Asked) -> None:
    """Raise UsageError for what does not go together, or says nothing."""
    asks = {name for limits in asked.everywhere for name in limits.asked}
    if not asks and asked.baseline is None:
        raise UsageError(
            "nothing is asked for. Give a limit, such as --max-tokens 100000, --baseline FILE, --fail-on-secret or "
            "--valid; 'boildown check --help' lists them. Or write them under [check] in a boildown.toml."
        )
    for name, other, given in (
        ("max-growth", "--baseline FILE", asked.baseline),
        ("min-retention", "--original FILE", asked.original),
    ):
        if name in asks and given is None:
            raise UsageError(f"--{name} has nothing to compare with. Give {other}, too.")
    if asked.original is not None and "min-retention" not in asks:
        raise UsageError("--original is only compared for --min-retention. Give that, too, or leave it out.")
    if asked.original is not None and not os.path.exists(asked.original):
        raise UsageError(f"--original {asked.original}: there is no such file or directory.")


def outcome(
    paths: Iterable[tuple[str, str | None]], asked: Asked, tell_of: Callable[[str], None] | None = None
) -> Outcome:
    """What is found in files; those of directories come with these. `tell_of` is told which file's turn it is."""
    looked, others, skipped = list[Looked](), list[Finding](), list[str]()
    for path, folder in _once(paths):
        if tell_of:
            tell_of(f"checking {path}")
        try:
            looked.append(_looked(path, folder, asked))
        except NoConversationError as error:
            if folder is None:
                others.append(_unread(path, error))
            else:
                skipped.append(path)
        except InputError as error:
            others.append(_unread(path, error))
    if not looked and not others:
        raise InputError(f"{skipped[0]} and the others in its directory are no conversations. Name files that are.")
    limit = asked.flags.over(asked.checks.limits).max_total_tokens
    if limit is not None and looked:
        others += total(looked, limit)
    return Outcome(looked, others, skipped)


def _once(paths: Iterable[tuple[str, str | None]]) -> Iterator[tuple[str, str | None]]:
    """`paths` without a second time of a file, which would count twice in the total."""
    seen = set[str]()
    for path, folder in paths:
        if (name := os.path.abspath(path)) not in seen:
            seen.add(name)
            yield path, folder


def _looked(path: str, folder: str | None, asked: Asked) -> Looked:
    limits, name = asked.of(path), files.title(path)
    original = None
    if asked.original is not None and limits.min_retention is not None:
        source = _source(path, folder, asked.original)
        original = Original(source, files.read(source))
    return look(files.read(path), name, limits, asked.tokenizer, asked.read_as, original)


def _source(path: str, folder: str | None, original: str) -> str:
    """The file that `path` was made of: `original`, or the one in this directory that is called alike."""
    if not os.path.isdir(original):
        return original
    return os.path.join(original, os.path.relpath(path, folder) if folder else os.path.basename(path))


def _unread(path: str, error: InputError) -> Finding:
    said = str(error)
    return Finding(files.title(path), UNREADABLE, said.removeprefix(f"{files.title(path)}: "))


def grown(found: Outcome, asked: Asked) -> tuple[Outcome, bytes | None]:
    """What is found together with the baseline, and the baseline's bytes where it is to be written anew.

    Raises UsageError where there is no baseline to compare with, or one of another tokenizer.
    """
    if asked.baseline is None:
        return found, None
    before = _baseline(asked)
    folder = os.path.dirname(os.path.abspath(asked.baseline))
    names = {relative(one.file, folder): one for one in found.looked if one.file != files.title(files.STDIN)}
    gone = [name for name in before.files if name not in names and not os.path.exists(os.path.join(folder, name))]
    if asked.accepts:
        sizes = {name: one.tokens for name, one in names.items()}
        after = before.updated(asked.tokenizer, sizes, gone)
        _tell_update(asked.baseline, before, after)
        return found, after.dump()
    notes = baselines.gone(gone, asked.baseline)
    for name, one in names.items():
        notes += before.grown(name, one, one.limits.max_growth or 0.0)
    return Outcome(found.looked, [*found.others, *notes], found.skipped), None


def _baseline(asked: Asked) -> Baseline:
    path = str(asked.baseline)
    if not os.path.exists(path):
        if asked.accepts:
            return Baseline(asked.tokenizer)
        raise UsageError(f"--baseline {path}: there is no such file. Make it with --update-baseline.")
    found = baselines.load(files.read(path), path)
    if found.tokenizer != asked.tokenizer and not asked.accepts:
        raise UsageError(
            f"--baseline {path}: it was counted with {found.tokenizer}, and this is {asked.tokenizer}. "
            f"Give --tokenizer {found.tokenizer}, or count anew with --update-baseline."
        )
    return found


def _tell_update(path: str, before: Baseline, after: Baseline) -> None:
    new, gone = after.files.keys() - before.files.keys(), before.files.keys() - after.files.keys()
    changed = [name for name, size in after.files.items() if before.files.get(name, size) != size]
    changes = f"{len(new):,} new, {len(changed):,} changed, {len(gone):,} gone"
    say(f"{path}: {number(len(after.files), 'file')} accepted, {changes}")


def place(one: Finding) -> str:
    """Where a finding is, for people: file and line, conversation and message."""
    place = f"{one.file}:{one.line}" if one.line else one.file
    return f"{place}, {one.within}" if one.within else place


def print_table(findings: Sequence[Finding]) -> None:
    """A row for each finding, and on stderr what helps."""
    if not findings:
        return
    rows = table(("where", "check", "found"), left=3)
    for one in findings:
        add_row(rows, place(one), one.rule, one.what + (f" ({one.remedy})" if one.remedy else ""))
    show(rows, sys.stdout)
    for check in dict.fromkeys(one.check for one in findings if one.rule != UNREADABLE):
        say(f"{check}: {RULES[check].remedy}")


def print_summary(found: Outcome) -> None:
    """What could not be read, and one line on all, on stderr."""
    for one in found.unread:
        say(f"Error: {one.file}: {one.what}")
    broken = found.broken
    where = f" in {number(len({one.file for one in broken}), 'file')}" if broken else ""
    checked = f"{number(found.conversations, 'conversation')} in {number(len(found.looked), 'file')} checked"
    said = [f"{checked}, {found.tokens:,} tokens: {number(len(broken), 'finding')}{where}"]
    if found.unread:
        said.append(f"{number(len(found.unread), 'file')} not read")
    if found.skipped:
        said.append(f"{number(len(found.skipped), 'file')} skipped: no conversation")
    say(one_line("; ".join(said)))


def json_value(found: Outcome, tokenizer: str) -> dict[str, object]:
    """All that was found, for JSON."""
    return {
        "schema": 1,
        "exit_code": found.code,
        "tokenizer": "; ".join(dict.fromkeys(one.counted for one in found.looked)) or tokenizer,
        "conversations": found.conversations,
        "tokens": found.tokens,
        "files": [_file(one) for one in found.looked],
        "findings": list(_findings(found.findings)),
        "skipped": found.skipped,
    }


def _file(one: Looked) -> dict[str, object]:
    return {
        "file": one.file,
        "format": one.format,
        "conversations": one.conversations,
        "tokens": one.tokens,
        "limits": {name.replace("_", "-"): value for name, value in one.limits.said().items()},
    }


def _findings(findings: Iterable[Finding]) -> Iterator[dict[str, object]]:
    for one in findings:
        yield {**asdict(one), "remedy": one.help}
