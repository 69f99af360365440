"""JSON values: what an outline with tables says is what the JSON said, and what is left of a long array."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boildown.output import values
from boildown.output.tables import Json, Number

SAID = {
    "blanks and quotes": ('{ "name": "Ada", "age": 36 }', "name: Ada\nage: 36"),
    "numbers as they were written": (
        "[1.0, 1e5, -0.10, 123456789012345678901]",
        "[1.0,1e5,-0.10,123456789012345678901]",
    ),
    "a string that looks like a number": ('{"zip": "01234", "ok": "true"}', 'zip: "01234"\nok: "true"'),
    "like objects": (
        '{"items": [{"id": 1, "name": "a b"}, {"id": 2, "name": "c, d"}]}',
        'items[2]{id,name}:\n 1,a b\n 2,"c, d"',
    ),
    "a column of one value": (
        '[{"id": 1, "unit": "EUR"}, {"id": 2, "unit": "EUR"}, {"id": 3, "unit": "EUR"}]',
        "[3]{id,unit=EUR}:\n 1\n 2\n 3",
    ),
    "objects in like objects": (
        '[{"at": {"x": 1, "y": 2}, "n": null}, {"at": {"x": 3, "y": 4}, "n": "z"}]',
        "[2]{at{x,y},n}:\n 1,2,null\n 3,4,z",
    ),
    "a key that is missing": ('[{"id": 1, "a": 1, "b": 1}, {"id": 2, "a": ""}]', '[2]{id,a,b}:\n 1,1,1\n 2,"",'),
    "unlike items": (
        '{"all": ["one", {"key": "x", "at": "y"}, "b c"]}',
        "all[3]:\n - one\n -\n  key: x\n  at: y\n - b c",
    ),
}


@pytest.mark.parametrize(("text", "expected"), SAID.values(), ids=SAID)
def test_json_is_said_without_what_repeats(text: str, expected: str) -> None:
    assert values.sniff(text)
    assert values.lossless(text) == expected


@pytest.mark.parametrize(
    "text",
    ['{"a": 1, "a": 2}', '{"a": NaN}', "[1, 2", "(1)", "", "3", '"x"', "[" * 9999 + "]" * 9999, "[" * 99 + "]" * 99],
)
def test_what_has_no_other_way_to_be_said_is_left_alone(text: str) -> None:
    assert not values.sniff(text)


def test_a_long_array_keeps_its_ends_its_error_and_its_outliers() -> None:
    rows: list[dict[str, object]] = [{"id": n, "ms": 20 + n % 5, "state": "done", "note": ""} for n in range(100)]
    rows[40] |= {"ms": 90_000}
    rows[60] |= {"state": "failed: no space left"}
    rows[80] |= {"note": "by hand"}
    assert values.lossy(json.dumps(rows, indent=1)).split("\n") == [
        "[100]{id,ms,state,note}:",
        ' 0,20,done,""',
        ' 1,21,done,""',
        ' 2,22,done,""',
        " [... 37 more]",
        ' 40,90000,done,""',
        " [... 19 more]",
        ' 60,20,failed: no space left,""',
        " [... 19 more]",
        " 80,20,done,by hand",
        " [... 17 more]",
        ' 98,23,done,""',
        ' 99,24,done,""',
    ]


def test_null_fields_go_with_a_note_of_how_many() -> None:
    assert values.lossy('{"a": null, "b": {"c": null, "d": "kept here"}}') == "[... 2 null]\nb:\n d: kept here"


# What the outline says, read back


def decoded(text: str) -> Json:
    try:
        return values.parse(text)
    except ValueError:
        lines = text.split("\n")
        return _array(lines, 0, 0, lines[0])[0] if text.startswith("[") else _fields(lines, 0, 0)[0]


def _fields(lines: list[str], at: int, depth: int) -> tuple[dict[str, Json], int]:
    found: dict[str, Json] = {}
    while at < len(lines) and re.match(rf" {{{depth}}}\S", lines[at]):
        key, rest = _key(lines[at][depth:])
        found[key], at = _value(lines, at, depth, rest.removeprefix(":"))
    return found, at


def _key(text: str) -> tuple[str, str]:
    if text.startswith('"'):
        key, end = json.JSONDecoder().raw_decode(text)
        return key, text[end:]
    name = re.match(r"[\w.$@/-]+", text)
    assert name, text
    return name[0], text[name.end() :]


def _value(lines: list[str], at: int, depth: int, rest: str) -> tuple[Json, int]:
    if rest.startswith("["):
        return _array(lines, at, depth, rest)
    if not rest:
        return _fields(lines, at + 1, depth + 1)
    return _scalar(rest.removeprefix(" ")), at + 1


def _array(lines: list[str], at: int, depth: int, rest: str) -> tuple[Json, int]:
    count, _, rest = rest[1:].partition("]")
    end, at = at + 1 + int(count), at + 1
    if rest.startswith("{"):
        columns, _ = _columns(rest)
        return [_row(columns, _cells(line[depth + 1 :])) for line in lines[at:end]], end
    if rest != ":":
        return list(map(_scalar, _cells(rest.removeprefix(": ")))), at
    items: list[Json] = []
    while len(items) < int(count):
        item, at = _value(lines, at, depth + 1, lines[at][depth + 2 :])
        items.append(item)
    return items, at


Columns = list[tuple[str, "Columns", str | None]]


def _columns(text: str) -> tuple[Columns, str]:
    found: Columns = []
    text = text[1:]
    while True:
        key, text = _key(text)
        inner, same = [], None
        if text.startswith("{"):
            inner, text = _columns(text)
        elif text.startswith("="):
            same = next(_cells(text[1:], "}"))
            text = text[1 + len(same) :]
        found.append((key, inner, same))
        sign, text = text[0], text[1:]
        if sign == "}":
            return found, text


def _cells(text: str, stop: str = "") -> Iterator[str]:
    at = 0
    while True:
        if text[at : at + 1] in tuple('"[{'):
            end = json.JSONDecoder().raw_decode(text, at)[1]
        else:
            end = next((n for n in range(at, len(text)) if text[n] == "," or text[n] in stop), len(text))
        yield text[at:end]
        if end >= len(text):
            return
        at = end + 1


def _row(columns: Columns, cells: Iterator[str]) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for key, inner, same in columns:
        if inner:
            found[key] = _row(inner, cells)
        elif said := (same if same is not None else next(cells)):
            found[key] = _scalar(said)
    return found


def _scalar(text: str) -> Json:
    if (
        text[:1] in tuple('"[{')
        or text in ("true", "false", "null")
        or re.fullmatch(r"-?\d[\d.]*(?:[eE][+-]?\d+)?", text)
    ):
        return values.parse(text)
    return text


words = st.sampled_from(
    ["", "a", "x y", "a, b", "k: v", "ends:", "- b", "[c]", "{d}", "e=f", "1.0", "-2", "null", '"q"', "\n", "é", "'"]
)
scalars = st.none() | st.booleans() | st.integers() | st.sampled_from([1.5, -0.25, 1e30]) | words | st.text(max_size=6)
keys = st.sampled_from(["id", "a b", "x.y", "-", "-z", "", "ключ", "é{", '"'])
like = st.lists(st.fixed_dictionaries({"id": scalars, "a,b": scalars}, optional={"c": scalars}), min_size=1, max_size=5)
nested = st.recursive(
    scalars | like, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4), max_leaves=12
)
wrapped = st.dictionaries(keys, nested, min_size=1, max_size=4) | like | st.lists(nested, min_size=1, max_size=4)


@given(value=wrapped)
def test_what_is_said_without_loss_reads_back_equal(value: object) -> None:
    text = json.dumps(value, indent=2)
    parsed = values.parse(text)
    assert typed(decoded(values.shortest(parsed, sampled=False))) == typed(parsed)
    assert typed(decoded("\n".join(values.outline(parsed)))) == typed(parsed)


def typed(value: Json) -> object:
    """`value` with its numbers told from its strings, for a Number is a string to `==`."""
    if isinstance(value, dict):
        return {key: typed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [typed(item) for item in value]
    return ("number", str(value)) if isinstance(value, Number) else value
