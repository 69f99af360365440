"""Write man/boildown.1 from the commands' own help: python scripts/man_page.py [FILE]"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from boildown_cli.app import app
from boildown_cli.lazy import load

PAGE = Path(__file__).parent.parent / "man" / "boildown.1"
EXITS = {
    "0": "Done.",
    "1": "Not met: a check failed, a budget cannot be reached, a model does not answer.",
    "2": "Wrong usage, or input that cannot be read.",
    "3": "A bug in boildown; the message says what to report.",
    "130, 143": "Interrupted, terminated.",
}
ENVIRONMENT = {
    "ANTHROPIC_API_KEY, ANTHROPIC_BASE_URL": "The endpoint of stages and commands that ask a model, and its key.",
    "CLAUDE_CONFIG_DIR": "Where Claude Code has its settings, for \\fBboildown hook\\fR.",
    "XDG_CACHE_HOME": "Where models' answers are kept; \\fI~/.cache\\fR otherwise.",
    "XDG_DATA_HOME": "Where \\fBboildown hook\\fR archives sessions; \\fI~/.local/share\\fR otherwise.",
    "NO_COLOR, TERM=dumb": "If set, no escape sequence is written.",
    "COLUMNS": "How wide tables are on a terminal.",
}
FILES = {
    "boildown.toml, pyproject.toml": "Defaults and presets; the nearest one is read, from the working directory upward."
}


def page() -> str:
    """The page, in the macros of man(7)."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield ".\\\" Made by scripts/man_page.py from the commands' help. Do not edit."
    yield ".TH BOILDOWN 1"
    yield ".SH NAME"
    yield f"boildown \\- {_text(str(app.info.help).rstrip('.'))}"
    yield ".SH SYNOPSIS"
    yield ".B boildown"
    yield "\\fICOMMAND\\fR [\\fIOPTIONS\\fR] [\\fIARGUMENTS\\fR]"
    yield ".SH COMMANDS"
    for info in app.registered_commands:
        yield from _command(str(info.name))
    for head, table in (("EXIT STATUS", EXITS), ("ENVIRONMENT", ENVIRONMENT), ("FILES", FILES)):
        yield f".SH {head}"
        for name, what in table.items():
            yield from (".TP", f".B {name}", what)


def _command(name: str) -> Iterator[str]:
    command = load(name)
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    usage = " ".join(f"\\fI{_text(_metavar(p))}\\fR" for p in arguments)
    yield f".SS boildown {name} {usage}".rstrip()
    help, _, examples = inspect.cleandoc(command.help or "").partition("\b\n")
    for n, paragraph in enumerate(re.split(r"\n\s*\n", help.strip())):
        yield from ([".PP"] if n else [])
        yield _text(" ".join(paragraph.split()))
    for option in command.params:
        yield from _option(option) if option.param_type_name == "option" else _argument(option)
    if examples:
        yield from (".PP", ".nf", ".RS", *map(_text, examples.strip().splitlines()), ".RE", ".fi")


def _metavar(param: Any) -> str:
    return f"{param.metavar or param.name.upper()}{'...' if param.nargs == -1 else ''}"


def _argument(param: Any) -> Iterator[str]:
    yield from (".TP", f"\\fI{_text(_metavar(param))}\\fR", _text(param.help or ""))


def _option(param: Any) -> Iterator[str]:
    names = [*param.opts, *param.secondary_opts]
    value = "" if param.is_flag else f" \\fI{_text(param.metavar or 'N')}\\fR"
    shown = param.default if param.show_default and not param.is_flag and param.default not in (None, "", []) else None
    default = f" The default is {shown}." if isinstance(shown, str | int | float) else ""
    yield from (
        ".TP",
        ", ".join(f"\\fB{_text(name)}\\fR" for name in names) + value,
        _text((param.help or "") + default),
    )


def _text(text: str) -> str:
    """`text` with nothing in it that troff would obey."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^([.'])", r"\\&\1", text)


if __name__ == "__main__":
    Path(sys.argv[1] if len(sys.argv) > 1 else PAGE).write_text(page(), encoding="utf-8")
