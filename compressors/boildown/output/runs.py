"""Test runs: passing tests as a count; failing ones whole with their assertion and the project's own frames.

pytest, unittest, go test, cargo test, jest and vitest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from boildown.output import terminal
from boildown.output.excerpt import excerpt, omitted

_RUNNER = re.compile(
    r"""^(?:
    =+\ test\ session\ starts\ =+$ | =+\ (?:FAILURES|ERRORS|short\ test\ summary\ info)\ =+$
    | =*\ ?\d+\ (?:passed|failed)\b.*\ in\ [\d.]+s | Ran\ \d+\ tests?\ in\ [\d.]+s$
    | [ ]*---\ (?:PASS|FAIL|SKIP):\ \S+\ \( | (?:ok\ \ |FAIL)\t\S+\t
    | test\ result:\ (?:ok|FAILED)\. | running\ \d+\ tests?$
    | \ *Tests?:?\ +\d+\ (?:passed|failed).*\d+\ (?:total|passed) | \ *Tests\ +(?:\d+\ \w+\ \|\ )*\d+\ passed
    | (?:PASS|FAIL)\ +\S+\.(?:test|spec)\.[cm]?[jt]sx?
    )""",
    re.VERBOSE | re.MULTILINE,
)
_PASSED = re.compile(
    r"""
    (?=\S*::\S)\S++.*?\ (?:PASSED|XFAIL|XPASS)\b.* | (?:PASSED|XFAIL)\ \S+::.*      # pytest -v, -rA
    | \S+\.py\ [.x]+\ *(?:\[\ *\d+%\])? | [.]{3,}\ *(?:\[\ *\d+%\])? | \[gw\d+\]\ .*\ PASSED\ .*
    | test\w*\ \([\w.]+\).*\.\.\.\ ok                                   # unittest -v
    | \s*===\ (?:RUN|PAUSE|CONT|NAME)\ +\S+ | \s*---\ PASS:\ .* | PASS  # go test -v
    | (?:ok\ \ |\?\ \ \ )\t\S+\t.* | \t\S+\t\tcoverage:\ 0\.0%.*
    | test\ \S+(?:\ -\ .*)?\ \.\.\.\ ok                                 # cargo test
    | PASS\ +\S+\.(?:test|spec)\.\S+.*                                # jest
    """,
    re.VERBOSE,
)
_TICKED = re.compile(r"\s*[✓✔√] .*")
_GO_TEST = re.compile(r"=== (?:RUN|PAUSE|CONT|NAME) +(\S+)|--- (PASS|FAIL|SKIP): (\S+)")
_SET_UP = re.compile(
    r"platform \w+ -- Python.*|cachedir: .*|rootdir: .*|plugins: .*|configfile: .*|hypothesis profile .*|asyncio: .*"
    r"|created: \d+/\d+ workers|\d+ workers \[.*|scheduling tests via .*|using --randomly-seed.*|bringing up nodes.*"
    r"|\s+(?:Compiling|Downloaded|Downloading|Checking|Fresh|Updating|Locking|Adding) \S+ v?.*"
    r"|\s+Finished .*|\s+Running .*"
)
_LIBRARY = r"(?:/(?:site-packages|dist-packages|node_modules|lib/python3[.\d]*|pkg/mod|rustc)/|/go(?:/[\d.]+)?/src/)"
_PYTHON_FRAME = re.compile(rf'\s+File "[^"]*{_LIBRARY}[^"]*", line ')
_NODE_FRAME = re.compile(r"\s+at [^\n]*(?:[( /]node_modules/|\(node:)")
_GO_FRAME = re.compile(rf"\t(?=\S*?{_LIBRARY})\S+:\d+")
_FOREIGN = re.compile(rf"\S*{_LIBRARY}")
_DOTS = re.compile(r"(?:\S+\.py )?([.x]+) *(?:\[ *\d+%\])?$")
_PYTEST_PLACE = re.compile(r"(\S+):\d+: ?\w*")
_NEW_PART = re.compile(r"(?:=|_){3,} .* (?:=|_){3,}$|(?:_ ){5,}")


def sniff(text: str) -> bool:
    return _RUNNER.search(text) is not None


def lossless(text: str) -> str:
    return terminal.trimmed(text)


def lossy(text: str) -> str:
    rows = list(_own(terminal.trimmed(text).split("\n")))
    ticks = not any(map(_GO_TEST.match, rows)) and not any(row.startswith(("ok  \t", "FAIL\t")) for row in rows)
    inside = _of_passing(rows)
    kept = [
        n not in inside and not (_PASSED.fullmatch(row) or _SET_UP.fullmatch(row) or (ticks and _TICKED.fullmatch(row)))
        for n, row in enumerate(rows)
    ]
    found = excerpt(rows, kept, _passed, least=1)
    return terminal.folded("\n".join(_without_frames(found)))


def _of_passing(rows: Sequence[str]) -> set[int]:
    """Places of what passing tests of `go test -v` printed: from their first line to their result, no other between."""
    found: set[int] = set()
    test, start = "", 0
    for n, row in enumerate(rows):
        match = _GO_TEST.match(row)
        if match is None:
            continue
        name = match[1] or match[3]
        if match[2]:
            if match[2] == "PASS" and name == test:
                found.update(range(start, n))
            test = ""
        elif not name.startswith(f"{test}/") and name != test:
            test, start = ("", n) if test else (name, n)
    return found


def _passed(rows: Sequence[str]) -> str:
    """How many tests a run of expected lines holds, or how many lines of set-up; nothing for what announces a test."""
    if count := sum(_tests(row) for row in rows):
        return omitted(count, "passed")
    count = sum(_SET_UP.fullmatch(row) is not None for row in rows)
    return omitted(count, "of set-up") if count else ""


def _tests(row: str) -> int:
    if dots := _DOTS.match(row):
        return len(dots[1])
    if row.strip().startswith("===") or row == "PASS" or row.startswith("?"):
        return 0
    return 1 if _PASSED.fullmatch(row) or _TICKED.fullmatch(row) else 0


def _own(rows: Sequence[str]) -> Iterator[str]:
    """pytest's report without the listings of frames that are not the project's."""
    part: list[str] = []
    for row in rows:
        if _NEW_PART.match(row) and part:
            yield from _shortened(part)
            part = []
        part.append(row)
    yield from _shortened(part)


def _shortened(part: list[str]) -> list[str]:
    """A part of a report; of a frame in a library only its place and its error."""
    place = next((row for row in reversed(part) if row.strip()), "")
    match = _PYTEST_PLACE.match(place)
    if not (match and _FOREIGN.match(match[1])):
        return part
    heads = [row for row in part[:1] if _NEW_PART.match(row)]
    errors = [row for row in part if row.startswith("E ")]
    return [*heads, omitted(len(part) - len(heads) - len(errors) - 1, "lines of a library"), *errors, place]


def _without_frames(rows: Sequence[str]) -> Iterator[str]:
    """The rows, two or more frames of libraries in a row as their count."""
    foreign = [False] * len(rows)
    starts: set[int] = set()
    for n, row in enumerate(rows):
        if _PYTHON_FRAME.match(row):
            foreign[n : n + 2] = [True] * len(rows[n : n + 2])
            starts.add(n)
        elif _GO_FRAME.match(row) and n:
            foreign[n - 1 : n + 1] = [True, True]
            starts.add(n)
        elif _NODE_FRAME.match(row):
            foreign[n] = True
            starts.add(n)
    for strange, run in groupby(range(len(rows)), key=foreign.__getitem__):
        places = list(run)
        count = sum(n in starts for n in places)
        if strange and count > 1:
            yield omitted(count, "frames of libraries")
        else:
            yield from (rows[n] for n in places)
