"""boildown beside packages that one would otherwise pick, on the same files and budgets.

    python benchmarks/peers run [--only NAME] [--refresh NAME] [--suites S] [--cases REGEX] [--jobs N]
    python benchmarks/peers page

`run` measures what is missing among the rows kept in the cache, each package in an environment of its own; `page`
writes benchmarks/README.md from them. NAME is a package or a tool of packages.toml, and may be given several times.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import page
from measuring import ROWS, Request, measure
from packages import ROOT, SUITES, load
from rows import read

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "boildown-peers"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("do", choices=("run", "page"))
    parser.add_argument("--only", action="append", default=[], help="measure only this package or tool")
    parser.add_argument("--refresh", action="append", default=[], help="measure this one anew")
    parser.add_argument("--suites", default=",".join(SUITES))
    parser.add_argument("--cases", default="", help="a regular expression on cases' names")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--cache", type=Path, default=CACHE)
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "benchmarks" / "README.md")
    given = parser.parse_args()
    table = load()
    if given.do == "page":
        rows = read(given.cache / ROWS, table)
        given.output.write_text(page.page(table, list(rows.values())), encoding="utf-8")
        return
    if not (given.shared / "evals" / "evals.py").is_file():
        raise SystemExit(f"{given.shared}/evals/evals.py is not there: say where with --shared")
    given.cache.mkdir(parents=True, exist_ok=True)
    only = given.only or given.refresh
    suites = given.suites.split(",")
    measure(Request(table, given.shared, given.cache, only, given.refresh, suites, given.cases, given.jobs))


if __name__ == "__main__":
    main()
