"""Long code, JSON and tables come apart at their own structure, and what is left is framed as it was."""

from __future__ import annotations

import json
import random
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from battery import sampled
from boildown.stages.extractive import Extractive
from boildown.stages.prune import Prune
from boildown.table import table
from boildown.text.frames import MARK
from boildown.text.kinds import Kind
from boildown.text.pieces import bare
from boildown.text.structure import values
from boildown.text.units import units
from boildown.transcript import Message, Text
from boildown.written import Writing
from strategies import WORDS, chat, context


def kinds(text: str, long: int = 2000) -> list[tuple[str, str]]:
    return [(unit.kind.value, text[unit.start : unit.end]) for unit in units(text, long)]


def pruned(text: str, ratio: float = 4, stage: Prune | Extractive | None = None) -> str:
    """`text`, the only message, within a part of its tokens."""
    source = chat(("user", text))
    room = context(0).count(source)
    (left,) = (stage or Prune())(source, context(int(room / ratio))).messages
    assert context(0).count(source.with_messages([left])) <= room / ratio
    return left.text


def function(n: int) -> str:
    word = WORDS[n % 40]
    return (
        f"def {word}_{n}(a, b):\n    if a > {n}:\n        return [\n            b,\n        ]\n\n    return {{a: b}}\n"
    )


FUNCTIONS = [function(n) for n in range(60)]
CODE = "```python\nimport os\n\n\n" + "\n\n".join(FUNCTIONS) + "```\n"
ITEMS = [{"id": n, "name": WORDS[n % 40], "tags": WORDS[n % 30 : n % 30 + 2], "size": n * 1.5} for n in range(120)]
ROWS = [f"| {n} | {WORDS[n % 40]} | {n}.50 |" for n in range(200)]
TABLE = "| id | name | price |\n|---|---|---|\n" + "\n".join(ROWS) + "\n"
BOTH = pytest.mark.parametrize("stage", [Prune(), Extractive()], ids=["prune", "extractive"])
RATIOS = pytest.mark.parametrize("ratio", [1.2, 3, 12])


@RATIOS
@BOTH
def test_code_keeps_its_fence_and_whole_functions_and_says_how_many_lines_went(
    ratio: float, stage: Prune | Extractive
) -> None:
    cut = pruned(CODE, ratio, stage).rstrip().split("\n")
    assert (cut[0], cut[-1]) == ("```python", "```")
    inside = "\n".join(cut[1:-1])
    kept = [f for f in FUNCTIONS if f.strip() in inside]
    rest = MARK.sub("", inside)
    for found in kept:
        rest = rest.replace(found.strip(), "")
    assert rest.replace("import os", "").strip() == ""
    lines = sum(bool(line.strip()) for line in CODE.split("\n"))
    left = sum(bool(line.strip()) and not MARK.fullmatch(line) for line in cut)
    assert 0 < len(kept) < len(FUNCTIONS)
    assert sum(int(mark[1]) for mark in MARK.finditer(inside)) == lines - left


@RATIOS
@BOTH
@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("fenced", [False, True])
def test_json_stays_json_of_whole_values_and_says_how_many_items_went(
    ratio: float, stage: Prune | Extractive, indent: int | None, fenced: bool
) -> None:
    data = json.dumps({"total": 120, "items": ITEMS, "next": None}, indent=indent)
    cut = pruned(f"```json\n{data}\n```\n" if fenced else data, ratio, stage)
    value = json.loads(cut.removeprefix("```json\n").rstrip().removesuffix("```"))
    items = value.get("items", [])
    left = [item for item in items if isinstance(item, dict)]
    gone = sum(int(MARK.fullmatch(json.dumps(item, ensure_ascii=False))[1]) for item in items if isinstance(item, str))
    assert all(item in ITEMS for item in left)
    assert not items or len(left) + gone == len(ITEMS)


@RATIOS
@BOTH
def test_a_table_keeps_its_header_and_whole_rows_and_says_how_many_went(
    ratio: float, stage: Prune | Extractive
) -> None:
    head, line, *rows = pruned(TABLE, ratio, stage).rstrip().split("\n")
    assert (head, line) == ("| id | name | price |", "|---|---|---|")
    marks = [int(m[1]) for row in rows if (m := MARK.fullmatch(row))]
    kept = [row for row in rows if row in ROWS]
    assert len(kept) + len(marks) == len(rows)
    assert len(kept) + sum(marks) == len(ROWS)


def test_what_was_cut_and_is_cut_again_counts_all_that_went() -> None:
    twice = pruned(pruned(TABLE, 2), 4).rstrip().split("\n")
    assert sum(int(m[1]) for row in twice if (m := MARK.fullmatch(row))) + sum(r in ROWS for r in twice) == len(ROWS)


def test_short_json_is_one_unit_and_a_longer_one_comes_apart_at_its_members() -> None:
    assert kinds('{"status": "ok", "items": [1, 2, 3]}\nSo.') == [
        ("code", '{"status": "ok", "items": [1, 2, 3]}\n'),
        ("sentence", "So."),
    ]
    long = json.dumps({"a": {"b": "x" * 300, "c": 1, "d": ["y" * 200]}, "e": [2]}, indent=1)
    assert kinds(long) == [
        ("open", "{\n"),
        ("open", ' "a": {\n'),
        ("code", f'  "b": "{"x" * 300}",\n'),
        ("code", '  "c": 1,\n'),
        ("code", f'  "d": [\n   "{"y" * 200}"\n  ]\n '),
        ("close", "},\n"),
        ("code", ' "e": [\n  2\n ]\n'),
        ("close", "}"),
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"a": [1, 2, 3, 4, 5]}', 1),
        ('Here:\n{"a": [1, 2, 3, 4, 5]}\n\nand\n[{"b": "long enough"}]\n', 2),
        ('{"a": 1, "b": "long enough"}\n{"a": 2, "b": "long enough"}\n', 2),
        ("[1] is a citation, {not} JSON\n[10:02] Ada\n{\n  a: 1\n}", 0),
        ('{"a": [1, 2, 3, 4, 5]} and more on its line', 0),
        ('{"a": [1, 2, 3, 4, 5', 0),
        ("[]\n{}\n[1]\n", 0),
    ],
)
def test_json_is_what_parses_in_lines_of_its_own(text: str, found: int) -> None:
    assert len(list(values(text))) == found


STATEMENTS = {
    "functions": ["def f():\n    a\n\n    b\n\n\n", "def g():\n    c\n"],
    "decorators and comments": ["x = 1\n", "# about f\n@cached\ndef f():\n    a\n", "y = 2\n"],
    "brackets": ["x = [\n1,\n2,\n]\n", "call(\na,\nb)\n", "y = 2\n"],
    "branches": ["if a:\n    b\nelse:\n    c\n", "for x in xs do\n    a\nend\n", "y = 2\n"],
    "braces": ["function f() {\n  return 1;\n}\n\n", "const g = () => {\n  h();\n};\n"],
    "a long string": ['x = """\none\ntwo\n"""\n', "y = 2\n"],
}


@pytest.mark.parametrize("parts", STATEMENTS.values(), ids=STATEMENTS)
def test_code_comes_apart_between_statements(parts: list[str]) -> None:
    more = "".join(f"z{n} = {n}\n" for n in range(200))
    found = [text for kind, text in kinds("```\n" + "".join(parts) + more + "```\n", long=1000) if kind == "code"]
    assert found[: len(parts)] == parts


def test_a_class_longer_than_that_comes_apart_at_its_methods() -> None:
    methods = [f"    def m{n}(self):\n        return {n}\n\n" for n in range(120)]
    found = kinds("```\nclass A:\n" + "".join(methods) + "```\n")
    assert [text for _, text in found] == ["```\n", "class A:\n", *methods, "```\n"]


def test_a_fence_that_is_not_closed_frames_what_follows() -> None:
    cut = pruned(CODE.rstrip().removesuffix("```"), 5)
    assert cut.startswith("```python\n")
    assert [int(m[1]) > 0 for m in MARK.finditer(cut)][-1:] == [True]


LANGUAGES = {
    "Chinese": "会议决定把第{}项预算推迟到下个季度。客户没有批准方案{}。合同总额为{}万元。",
    "Japanese": "第{}回の会議で新しい計画を話し合いました。田中さんは{}番の案に反対しませんでした。費用は{}円です。",
    "Arabic": "اجتمع الفريق لمناقشة الخطة {} صباح اليوم. لم يوافق المدير على البند {}. تبلغ التكلفة {} درهم.",
    "Hindi": "बैठक में योजना {} पर चर्चा हुई। प्रबंधक ने प्रस्ताव {} को मंज़ूरी नहीं दी। कुल लागत {} रुपये है।",
    "Thai": "ที่ประชุมหารือเรื่องแผน {} เมื่อเช้านี้ ผู้จัดการไม่อนุมัติข้อเสนอ {} ค่าใช้จ่ายรวม {} บาท",
}


NUMBERS = {n for i in range(40) for n in (i, i + 100, i * 1000)}


@BOTH
@pytest.mark.parametrize("sentence", LANGUAGES.values(), ids=LANGUAGES)
def test_text_in_any_script_is_cut_to_the_budget_and_keeps_its_words(sentence: str, stage: Prune | Extractive) -> None:
    text = "\n".join(sentence.format(n, n + 100, n * 1000) for n in range(40))
    source = chat(("user", text))
    size = context(0).count(source)
    (left,) = stage(source, context(size // 3)).messages
    assert 0.85 * size / 3 <= context(0).count(source.with_messages([left])) <= size / 3
    rest = iter(text)
    assert all(letter in rest for letter in re.sub(r"[\s….]", "", left.text))
    assert all(int(number) in NUMBERS for number in re.findall(r"\d+", left.text))


JSONS = st.recursive(
    st.none() | st.integers() | st.text(max_size=200),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=8), inner, max_size=5),
    max_leaves=30,
)


@given(JSONS, st.sampled_from([None, 1, 4]))
def test_the_units_of_any_json_tile_it_and_open_as_often_as_they_close(value: object, indent: int | None) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    found = units(text)
    assert "".join(text[u.start : u.end] for u in found) == text
    assert all(u.start < u.end for u in found)
    assert sum((u.kind is Kind.OPEN) - (u.kind is Kind.CLOSE) for u in found) == 0


@given(JSONS, st.sampled_from([None, 2]), st.integers(0, 10**6))
def test_any_members_of_json_that_stay_are_json(value: object, indent: int | None, seed: int) -> None:
    text = json.dumps({"list": [value, {"k": [value, "x" * 500]}, 1, 2], "end": "y" * 300}, indent=indent)
    found = table([Message("m1", "user", (Text(text),))], bare)
    chosen = np.zeros(len(found.kind), bool)
    chosen[random.Random(seed).sample(range(len(chosen)), 1 + seed % len(chosen))] = True
    [cut] = Writing(found).write(chosen, np.array([0]))
    json.loads(cut)


@pytest.mark.parametrize(
    "seed",
    sampled(
        ["[", "{", "[\n", '{"a":', "[1,\n\n", "```\n[\n", "(\n", '"""\n', "x\n y\n", '[{"a": "b"}]\n', "| a |\n"],
        every=3,
    ),
)
def test_hostile_text_is_tiled(seed: str) -> None:
    body = seed * (50_000 // len(seed))
    for text in (body, "```\n" + body):
        assert "".join(text[u.start : u.end] for u in units(text)) == text
