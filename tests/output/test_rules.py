"""Each kind of output, before and after, without loss and with it."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from boildown import output


class Case(NamedTuple):
    """A text, its kind, and its lines without loss and with it."""

    kind: str
    text: str
    tight: str
    loose: str


PYTEST = """\
============ test session starts ============
platform linux -- Python 3.11.9, pytest-8.3.2
rootdir: /srv/app
collected 5 items

tests/test_cart.py::test_adds PASSED [ 20%]
tests/test_cart.py::test_keeps PASSED [ 40%]
tests/test_cart.py::test_total FAILED [ 60%]
tests/test_price.py .. [100%]

================= FAILURES ==================
________________ test_total _________________

    def test_total():
>       assert cart.total() == 42

tests/test_cart.py:12:
_ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _

    def total(self):
        rows = self.rows
>       return sum(rows)
E       TypeError: bad

/usr/lib/python3.11/site-packages/lib/sums.py:7: TypeError
========= short test summary info ===========
FAILED tests/test_cart.py::test_total - TypeError: bad
======= 1 failed, 4 passed in 0.12s ========="""
PYTEST_LEFT = """\
============ test session starts ============
[... 2 of set-up]
collected 5 items

[... 2 passed]
tests/test_cart.py::test_total FAILED [ 60%]
[... 2 passed]

================= FAILURES ==================
________________ test_total _________________

    def test_total():
>       assert cart.total() == 42

tests/test_cart.py:12:
_ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _
[... 5 lines of a library]
E       TypeError: bad
/usr/lib/python3.11/site-packages/lib/sums.py:7: TypeError
========= short test summary info ===========
FAILED tests/test_cart.py::test_total - TypeError: bad
======= 1 failed, 4 passed in 0.12s ========="""
GO = """\
=== RUN   TestA
made a branch
=== RUN   TestA/one
--- PASS: TestA (0.00s)
    --- PASS: TestA/one (0.00s)
=== RUN   TestB
made no branch
--- FAIL: TestB (0.01s)
    b_test.go:7: no branch
FAIL
FAIL\texample.org/b\t0.01s
ok  \texample.org/c\t0.02s"""
GO_LEFT = """\
[... 2 passed]
made no branch
--- FAIL: TestB (0.01s)
    b_test.go:7: no branch
FAIL
FAIL\texample.org/b\t0.01s
[... 1 passed]"""
CARGO = """\
   Compiling cart v0.1.0 (/srv/cart)
running 3 tests
test adds ... ok
test keeps ... ok
test total ... FAILED

test result: FAILED. 2 passed; 1 failed; 0 ignored"""
CARGO_LEFT = """\
[... 1 of set-up]
running 3 tests
[... 2 passed]
test total ... FAILED

test result: FAILED. 2 passed; 1 failed; 0 ignored"""
JEST = """\
PASS src/price.test.ts
FAIL src/cart.test.ts
  cart
    ✓ adds (2 ms)
    ✓ keeps
    ✕ totals (4 ms)

    expect(received).toBe(expected)
      at Object.<anonymous> (src/cart.test.ts:9:21)
      at run (node_modules/jest/a.js:1:2)
      at go (node_modules/jest/b.js:3:4)

Tests:       1 failed, 2 passed, 3 total"""
JEST_LEFT = """\
[... 1 passed]
FAIL src/cart.test.ts
  cart
[... 2 passed]
    ✕ totals (4 ms)

    expect(received).toBe(expected)
      at Object.<anonymous> (src/cart.test.ts:9:21)
[... 2 frames of libraries]

Tests:       1 failed, 2 passed, 3 total"""
UNITTEST = """\
test_adds (tests.test_cart.Cart.test_adds) ... ok
test_keeps (tests.test_cart.Cart.test_keeps) ... ok
test_total (tests.test_cart.Cart.test_total) ... FAIL

AssertionError: 41 != 42
Ran 3 tests in 0.001s
"""
GREP = """\
src/a.py:3:import os
src/a.py:9:os.walk(top)
src/a.py:12:os.stat(x)
src/a.py:20:os.stat(y)
src/a.py:31:os.stat(z)
src/a.py:44:os.getcwd()
src/a.py:50:os.sep
lib/b.py:1:import os"""
GREP_TIGHT = """\
src/a.py
a.py:3:import os
a.py:9:os.walk(top)
a.py:12:os.stat(x)
a.py:20:os.stat(y)
a.py:31:os.stat(z)
a.py:44:os.getcwd()
a.py:50:os.sep
lib/b.py:1:import os"""
AROUND = """\
src/a.py-8-def walk():
src/a.py:9:    os.walk(top)
/srv/app/src/a.py-10-    return
--
src/a.py:30:os.walk(low)
lib/b.py:1:import os"""
AROUND_TIGHT = """\
src/a.py (also as /srv/app/src/a.py)
a.py-8-def walk():
a.py:9:    os.walk(top)
a.py-10-    return
--
a.py:30:os.walk(low)
lib/b.py:1:import os"""
DIFF = """\
diff --git a/cart.py b/cart.py
index 1a2b3c4..5d6e7f8 100644
--- a/cart.py
+++ b/cart.py
@@ -1,5 +1,5 @@ class Cart:
 import os

-total = 41
+total = 42
 # the end
@@ -20 +20 @@
-old
+new"""
DIFF_LEFT = """\
[... unchanged lines left out]
diff --git a/cart.py b/cart.py
@@ -1,5 +1,5 @@ class Cart:
-total = 41
+total = 42
@@ -20 +20 @@
-old
+new"""
FIND = "./src/a.py\n./src/b.py\n./src/deep/c.py\n./node_modules/x/1.js\n./node_modules/x/2.js"
TREE = "shop\n├── cart.py\n├── lib\n│   ├── a.py\n│   └── b.py\n└── README.md"
LS = "total 8\n" + "\n".join(f"-rw-r--r-- 1 ada staff  {n}07 Jan  2 10:0{n} file{n}.py" for n in range(1, 6))
LINT = """\
src/a.py:1:1: W291 trailing whitespace
src/a.py:7:5: W291 trailing whitespace
src/a.py:9:5: E999 syntax error
src/b.py:2:5: W291 trailing whitespace
src/b.py:4:5: W291 trailing whitespace"""
VERSIONS = """\
mod/git@v6.0.0-20260328145551-a93b/a.go:007:package git
mod/git@v6.0.0-20260328145551-a93b/a.go-8-
mod/git@v6.0.0-20260328145551-a93b/b.go-9-package git
mod/git@v6.0.0-20260328145551-a93b/c.go:10:package git"""
LINES = '{"id": 1, "by": "Ada"}\n{"id": 2, "by": "Bo"}'

CASES = {
    "pytest": Case("test run", PYTEST, PYTEST, PYTEST_LEFT),
    "go test": Case("test run", GO, GO, GO_LEFT),
    "cargo test": Case("test run", CARGO, CARGO, CARGO_LEFT),
    "jest": Case("test run", JEST, JEST, JEST_LEFT),
    "unittest": Case("test run", UNITTEST, UNITTEST, "[... 2 passed]\n" + UNITTEST.split("\n", 2)[2]),
    "grep": Case(
        "matches", GREP, GREP_TIGHT, GREP_TIGHT.replace("a.py:31:os.stat(z)\na.py:44:os.getcwd()\n", "[... 2 more]\n")
    ),
    "grep with lines around": Case(
        "matches",
        AROUND,
        AROUND_TIGHT,
        "[... lines around matches left out]\nsrc/a.py (also as /srv/app/src/a.py)\n"
        "a.py:9:    os.walk(top)\na.py:30:os.walk(low)\nlib/b.py:1:import os",
    ),
    "paths with numbers": Case(
        "matches",
        VERSIONS,
        "mod/git@v6.0.0-20260328145551-a93b/a.go\na.go:007:package git\na.go-8-\n" + VERSIONS.split("\n", 2)[2],
        "[... lines around matches left out]\nmod/git@v6.0.0-20260328145551-a93b/a.go:007:package git\n"
        "mod/git@v6.0.0-20260328145551-a93b/c.go:10:package git",
    ),
    "diff": Case("diff", DIFF, DIFF, DIFF_LEFT),
    "find": Case(
        "listing",
        FIND,
        FIND,
        "./src/a.py\n./src/b.py\n./src/deep/c.py\n./node_modules/ [... 2 inside]",
    ),
    "tree": Case("listing", TREE, *["shop\n cart.py\n lib\n  a.py\n  b.py\n README.md"] * 2),
    "ls -l": Case(
        "listing",
        LS,
        LS,
        "[... modes and owners left out]\ntotal 8\n"
        + "\n".join(f"- {n}07 Jan  2 10:0{n} file{n}.py" for n in range(1, 6)),
    ),
    "lint": Case(
        "diagnostics",
        LINT,
        "src/a.py\na.py:1:1: W291 trailing whitespace\na.py:7:5: W291 trailing whitespace\n"
        "a.py:9:5: E999 syntax error\nsrc/b.py\nb.py:2:5: W291 trailing whitespace\nb.py:4:5: W291 trailing whitespace",
        "src/a.py\na.py:1:1: W291 trailing whitespace\na.py:7:5: W291 trailing whitespace\n[... 2 more of this]\n"
        "src/a.py:9:5: E999 syntax error",
    ),
    "json lines": Case("json lines", LINES, *["[2]{id,by}:\n1,Ada\n2,Bo"] * 2),
    "numbered lines of a file": Case("", *["     1→{\n     2→}\n" * 3] * 3),
    "code": Case("", *["def f(x):\n    return {'a': 1}\n\n\nprint(f(2))"] * 3),
    "prose": Case("", *["Dear Ada,\n\nthe mill is ready: see src/mill.py:12 for how.\n\nYours"] * 3),
    "escapes and progress": Case("", "\x1b[32mok\x1b[0m\n10%\r55%\r100%\r\n", *["ok\n100%\r\n"] * 2),
    "Codex's lines above": Case(
        "json lines",
        f"Chunk ID: c8d1bb\nProcess exited with code 0\nOutput:\n{LINES}",
        *["Chunk ID: c8d1bb\nProcess exited with code 0\nOutput:\n[2]{id,by}:\n1,Ada\n2,Bo"] * 2,
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_each_kind_is_told_and_said_by_its_own_rules(case: Case) -> None:
    assert output.kind(case.text) == case.kind
    assert output.condense(case.text) == case.tight
    assert output.condense(case.text, lossy=True) == case.loose


PATHS = [f"/srv/shop/application/src/file{n:02}.py" for n in range(40)]


def braced(*numbers: int) -> str:
    return "/srv/shop/application/src/{" + ",".join(f"file{n:02}.py" for n in numbers) + "}"


def test_paths_of_one_folder_share_it() -> None:
    lines = [braced(*range(n, min(n + 12, 40))) for n in range(0, 40, 12)]
    assert output.condense("\n".join(PATHS)) == "\n".join(lines)


def test_long_listings_keep_some_of_each_folder() -> None:
    assert output.condense("\n".join(PATHS), lossy=True) == braced(*range(8), 38, 39) + " [... 30 more]"


def test_equal_lines_of_other_text_are_folded_only_where_they_are_many() -> None:
    assert output.condense("tick\n" * 4) == "tick\n" * 4
    assert output.condense("tick\n" * 6 + "tock") == "tick [x 6]\ntock"
