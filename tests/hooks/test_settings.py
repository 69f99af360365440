"""Hooks go into settings and out of them; what is not ours keeps every byte."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boildown.errors import InputError
from boildown.hooks.claude_code import RUN, entries
from boildown.hooks.settings import added, commands, origin, removed

COMMAND = f"boildown {RUN}"
WIDE = b"""{
  "hooks": {
    "E": [
      {
        "hooks": [
          {
            "command": "%s"
          }
        ]
      }
    ]
  }
}
"""
OURS = {"E": {"hooks": [{"command": RUN}]}}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"{}\n", WIDE),
        (b'{"a": 1}', b'{"a": 1, "hooks": {"E": [{"hooks": [{"command": "%s"}]}]}}'),
        (b'{"a":1,"hooks":{}}', b'{"a":1,"hooks":{"E": [{"hooks": [{"command": "%s"}]}]}}'),
        (b'{"hooks": {"E": []}, "b": 2}', b'{"hooks": {"E": [{"hooks": [{"command": "%s"}]}]}, "b": 2}'),
        (b'{"hooks": {"E": [{"x": 1}]}}', b'{"hooks": {"E": [{"x": 1}, {"hooks": [{"command": "%s"}]}]}}'),
        (b'{"hooks": {"F": []}}', b'{"hooks": {"F": [], "E": [{"hooks": [{"command": "%s"}]}]}}'),
        (b'{\r\n\t"hooks": {\r\n\t}\r\n}\r\n', WIDE.replace(b"  ", b"\t").replace(b"\n", b"\r\n")),
    ],
    ids=["empty", "one line", "empty hooks", "empty event", "an entry", "another event", "tabs and CR"],
)  # fmt: skip
def test_an_entry_is_put_in_the_manner_of_the_file(before, after):
    assert added(before, OURS, "s.json") == after.replace(b"%s", RUN.encode())


@pytest.mark.parametrize("before", [None, b"", b" \n"])
def test_no_file_and_an_empty_one_become_settings(before):
    assert json.loads(added(before, entries(COMMAND), "s.json")) == {
        "hooks": {event: [entry] for event, entry in entries(COMMAND).items()}
    }


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f'{{"hooks": {{"E": [{{"hooks": [{{"command": "x"}}, {{"command": "{RUN}"}}]}}]}}}}',
         '{"hooks": {"E": [{"hooks": [{"command": "x"}]}]}}'),
        (f'{{"hooks": {{"E": [{{"hooks": [{{"command": "{RUN}"}}]}}, {{"x": 1}}]}}, "z": 0}}',
         '{"hooks": {"E": [{"x": 1}]}, "z": 0}'),
        (f'{{"a": 1, "hooks": {{"E": [{{"matcher": "", "hooks": [{{"command": "{RUN} 2>&1"}}]}}]}}}}', '{"a": 1}'),
        (f'{{"hooks": {{"E": [{{"hooks": [{{"command": "{RUN}"}}]}}], "F": []}}}}', '{"hooks": {"F": []}}'),
        (f'{{"hooks": {{"E": [{{"hooks": [{{"command": "{RUN}"}}]}}]}}}}', "{}"),
        (f'{{"hooks": 1, "hooks": {{"E": [{{"hooks": [{{"command": "{RUN}"}}]}}], "F": []}}}}',
         '{"hooks": 1, "hooks": {"F": []}}'),
        ('{"hooks": {"E": [{"hooks": [{"command": "x"}]}]}}', '{"hooks": {"E": [{"hooks": [{"command": "x"}]}]}}'),
    ],
    ids=["beside another", "before another", "the only one", "before an event", "alone", "keys twice", "none"],
)  # fmt: skip
def test_only_hooks_of_ours_are_taken_out(before, after):
    assert removed(before.encode(), RUN, "s.json").decode() == after


@pytest.mark.parametrize(
    "data", [b"{", b"[]", b"null", b'{"hooks": []}', b'{"hooks": {"E": {}}}', b"// x\n{}", b"\xff{}", b"[" * 10_000]
)
def test_what_are_no_settings_is_refused(data):
    with pytest.raises(InputError):
        added(data, entries(COMMAND), "s.json")
    with pytest.raises(InputError):
        removed(data, RUN, "s.json")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=4),
    lambda some: st.lists(some, max_size=2) | st.dictionaries(st.text(max_size=3), some, max_size=2),
    max_leaves=4,
)
HOOKS = st.dictionaries(st.sampled_from(["PreCompact", "SessionStart", "Stop"]), st.lists(VALUES, max_size=2))
SETTINGS = st.builds(
    lambda other, hooks, first: {**({"hooks": hooks} if first else {}), **other, **({"hooks": hooks} if hooks else {})},
    st.dictionaries(st.text(max_size=3), VALUES, max_size=3),
    HOOKS,
    st.booleans(),
)
LAYOUTS = st.fixed_dictionaries({"indent": st.sampled_from([None, 0, 2, 4, "\t"]), "ensure_ascii": st.booleans()})


@given(SETTINGS, LAYOUTS, st.sampled_from(["\n", "\r\n"]), st.sampled_from(["", "\ufeff"]))
def test_what_was_put_in_is_taken_out_again(settings: Any, layout: Any, line: str, mark: str) -> None:
    text = mark + json.dumps(settings, **layout).replace("\n", line) + line
    before = text.encode("utf-8", "replace")
    after = added(before, entries(COMMAND), "s.json")
    assert commands(after, RUN, "s.json") == [e["hooks"][0]["command"] for e in entries(COMMAND).values()]
    assert after.decode().startswith(mark)
    assert origin(after, entries(COMMAND), [before, None], "s.json") == 0
    wanted = {k: v for k, v in settings.items() if k != "hooks"}
    if kept := {event: held for event, held in settings.get("hooks", {}).items() if held or event not in entries("")}:
        wanted["hooks"] = kept
    bare = removed(after, RUN, "s.json")
    assert json.loads(bare.decode().removeprefix("\ufeff")) == wanted
    if settings and wanted == settings:
        assert bare == before
