"""Strings of JSON are edited where they stand, and JSON stays JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boildown.secrets.literals import edited

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=12,
)


def hide(text: str, name: str) -> str:
    return text.replace("secret", '"\\\n*') if name != "plain" else text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{"a": 1.0e5, "b":"a secret"}', r'{"a": 1.0e5, "b":"a \"\\\n*"}'),
        ('{"plain": "a secret", "other": "a secret"}', r'{"plain": "a secret", "other": "a \"\\\n*"}'),
        ('["the secret", ["the secret"]]', r'["the \"\\\n*", ["the \"\\\n*"]]'),
        (r'{"a": "{\"b\": \"secret\"}"}', r'{"a": "{\"b\": \"\"\\\n*\"}"}'),
        (r'{"a": "caf\u00e9 secret"}', r'{"a": "caf\u00e9 \"\\\n*"}'),
        ('{"a": "café secret"}', r'{"a": "café \"\\\n*"}'),
        ('{"a": "cut secret', '{"a": "cut secret'),
        ("[1, 2, null]", "[1, 2, null]"),
    ],
)
def test_a_string_changes_and_all_around_it_stays(before: str, after: str) -> None:
    assert edited(before, hide) == after


@given(values, st.booleans(), st.sampled_from([None, 1]))
def test_every_string_is_edited_at_any_depth(value: object, ascii_only: bool, indent: int | None) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    again = json.loads(edited(text, lambda t, _: f"{t}!" if len(t) >= 6 else t))
    assert json.dumps(again) == json.dumps(bang(value))
    assert edited(text, lambda t, _: t) == text


def bang(value: object) -> object:
    if isinstance(value, dict):
        return {bang(k): bang(v) for k, v in value.items()}
    if isinstance(value, list):
        return [bang(v) for v in value]
    return f"{value}!" if isinstance(value, str) and len(value) >= 6 else value
