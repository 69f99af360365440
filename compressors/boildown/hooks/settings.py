"""Putting hooks into a client's settings and taking them out again, as text: what is not ours keeps every byte."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from boildown.errors import InputError
from boildown.formats.source import Json, Member, members

_BLANK = re.compile(r"[ \t\r\n]*")
_MARK = "\ufeff"


def commands(data: bytes | None, mark: str, where: str) -> list[str]:
    """The commands in the settings `data` that have `mark` in them. Raises InputError for what are no settings."""
    hooks = _parsed(_text(data), where).get("hooks", {})
    return [hook["command"] for _, _, hook in _marked(hooks, mark)]


def added(data: bytes | None, entries: Mapping[str, Json], where: str) -> bytes:
    """The settings `data` with a further entry for each event; None is a file that is not there."""
    text = _text(data)
    for event, entry in entries.items():
        value = _parsed(text, where)
        if "hooks" not in value:
            text = _appended(text, (), "hooks", {event: [entry]})
        elif event not in value["hooks"]:
            text = _appended(text, ("hooks",), event, [entry])
        else:
            text = _appended(text, ("hooks", event), "", entry)
    return _bytes(text, data)


def removed(data: bytes, mark: str, where: str) -> bytes:
    """The settings `data` without the hooks whose command has `mark` in it, nor what would then hold nothing."""
    text = _text(data)
    while found := next(_marked((hooks := _parsed(text, where).get("hooks", {})), mark), None):
        event, group, hook = found
        text = _cut(text, event, hooks[event].index(group), group["hooks"].index(hook))
    return _bytes(text, data)


def origin(data: bytes, entries: Mapping[str, Json], candidates: Sequence[bytes | None], where: str) -> int | None:
    """Which of `candidates` the settings were before `entries` were put in, if nothing else was changed since."""
    for n, candidate in enumerate(candidates):
        with suppress(InputError):
            if added(candidate, entries, where) == data:
                return n
    return None


def _text(data: bytes | None) -> str:
    try:
        text = (data or b"").decode("utf-8").removeprefix(_MARK)
    except UnicodeDecodeError:
        raise InputError("the settings are no UTF-8 text. Mend them first; nothing was written.") from None
    return text if text.strip() else "{}\n"


def _bytes(text: str, like: bytes | None) -> bytes:
    return ((_MARK if (like or b"").startswith(_MARK.encode()) else "") + text).encode()


def _parsed(text: str, where: str) -> dict[str, Json]:
    """The settings, whose hooks are of the form that is documented."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: not valid JSON: {error}. Mend it there; nothing was written.") from None
    hooks = value.get("hooks", {}) if isinstance(value, dict) else None
    if not isinstance(hooks, dict) or not all(isinstance(groups, list) for groups in hooks.values()):
        raise InputError(
            f'{where}: these are no settings with hooks: {{"hooks": {{"EVENT": [...]}}}} is expected. '
            "Mend the file; nothing was written."
        )
    return value if isinstance(value, dict) else {}


def _marked(hooks: Mapping[str, Json], mark: str) -> Iterator[tuple[str, Json, Json]]:
    """Event, entry and hook of each command that has `mark` in it."""
    for event, groups in hooks.items():
        for group in groups:
            held = group.get("hooks") if isinstance(group, dict) else None
            for hook in held if isinstance(held, list) else []:
                command = hook.get("command") if isinstance(hook, dict) else None
                if isinstance(command, str) and mark in command:
                    yield event, group, hook


@dataclass(frozen=True, slots=True)
class _Container:
    """An object or array in a text: from its bracket at `start` to behind the closing one at `end`."""

    text: str
    start: int
    end: int
    items: tuple[Member, ...]

    def starts(self) -> list[int]:
        """Where each item begins, its key included."""
        ends = [self.start, *(item.end for item in self.items[:-1])]
        return [_skip(self.text, self.text.index(",", end) + 1 if n else end + 1) for n, end in enumerate(ends)]

    @property
    def lead(self) -> str:
        """The blanks behind the opening bracket."""
        return self.text[self.start + 1 : _skip(self.text, self.start + 1)]


def _skip(text: str, place: int) -> int:
    match = _BLANK.match(text, place)
    return match.end() if match else place


def _container(text: str, path: tuple[str | int, ...]) -> _Container:
    """What is at `path`: keys and indexes from the root on. Of a key that is there twice, the last one counts."""
    start = _skip(text, 0)
    for step in path:
        items = list(members(text, start))
        start = items[step].start if isinstance(step, int) else [m for m in items if m.key == step][-1].start
    found = tuple(members(text, start))
    end = _skip(text, found[-1].end if found else start + 1) + 1
    return _Container(text, start, end, found)


def _appended(text: str, path: tuple[str | int, ...], key: str, value: Json) -> str:
    """`text` with a last item in the container at `path`, in the manner of what is there."""
    held, root = _container(text, path), _container(text, ())
    line = "\r\n" if "\r\n" in text else "\n"
    unit = root.lead.rpartition("\n")[2] if "\n" in root.lead else "  "
    wide = "\n" in held.lead if held.items else "\n" in root.lead or not root.items
    base = re.match(r"[ \t]*", text[text.rfind("\n", 0, held.start) + 1 :])
    outer = base[0] if base else ""
    inner = held.lead.rpartition("\n")[2] if held.items else outer + unit
    shown = json.dumps(value, indent=unit if wide else None, ensure_ascii=False)
    item = (f"{json.dumps(key)}: " if key else "") + shown.replace("\n", line + inner)
    if held.items:
        end = held.items[-1].end
        return text[:end] + "," + (line + inner if wide else " ") + item + text[end:]
    around = (line + inner, line + outer) if wide else ("", "")
    return text[: held.start + 1] + around[0] + item + around[1] + text[held.end - 1 :]


def _cut(text: str, event: str, group: int, hook: int) -> str:
    """`text` without a hook, nor the entry, the event and the `hooks` that would then hold none."""
    whole: tuple[str | int, ...] = ("hooks", event, group, "hooks", hook)
    for length in (5, 3, 2, 1):
        *above, last = whole[:length]
        held = _container(text, tuple(above))
        if len(held.items) > 1:
            place = last if isinstance(last, int) else max(i for i, m in enumerate(held.items) if m.key == last)
            return _without(held, place)
    return text[: held.start + 1] + text[held.end - 1 :]


def _without(held: _Container, place: int) -> str:
    """The text without one of several items of a container."""
    if place:
        return held.text[: held.items[place - 1].end] + held.text[held.items[place].end :]
    first, second, *_ = held.starts()
    return held.text[:first] + held.text[second:]
