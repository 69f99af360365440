"""The one place where a failure becomes a message and an exit code.

0 done; 1 the demand is not met; 2 wrong usage or unreadable input; 3 our bug; 130 interrupted; 143 terminated.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from boildown_cli.terminal import say, silence

BUG, INTERRUPTED, TERMINATED = 3, 130, 143


def status(load: Callable[[], Any], args: list[str]) -> int:
    """Run the command that `load` gives with `args`, tell on stderr what went wrong, and return the exit code."""
    try:
        return _invoke(load(), args)
    except KeyboardInterrupt as stop:
        say(str(stop) or "interrupted; nothing was written")
        return INTERRUPTED
    except BrokenPipeError:
        silence(sys.stdout)
        return 0
    except MemoryError:
        say("Error: out of memory; nothing was written. Split the file, or run where there is more memory.")
        return 2
    except BaseException as error:  # tiktoken's panics are no Exception
        return _failed(error)


def _invoke(command: Any, args: list[str]) -> int:
    import typer

    # Not `command.main`: it takes a broken pipe and Ctrl-C for errors of its own.
    if "_BOILDOWN_COMPLETE" in os.environ:
        command.main(args, "boildown")
    try:
        with command.make_context("boildown", args) as context:
            command.invoke(context)
    except typer.Exit as leave:
        return leave.exit_code
    return 0


def _failed(error: BaseException) -> int:
    from boildown.errors import BoildownError

    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else 1
    if isinstance(error, BoildownError):
        say(f"Error: {error}")
        return error.exit_code
    if hasattr(error, "show") and hasattr(error, "exit_code"):  # Typer's and Click's, whose class moves about
        error.show()
        return int(error.exit_code)
    say(f"Error: {_bug(error)}")
    return BUG


def _bug(error: BaseException) -> str:
    """What to report of a failure that nobody foresaw. The traceback may quote a conversation: it goes to a file."""
    import platform
    import tempfile
    import traceback

    from boildown.report import tool_version

    with tempfile.NamedTemporaryFile(
        "w", prefix="boildown-", suffix=".txt", delete=False, encoding="utf-8", errors="backslashreplace"
    ) as file:
        file.writelines(traceback.format_exception(error))
    frames = traceback.extract_tb(error.__traceback__)
    last = next((f for f in reversed(frames) if "boildown" in f.filename), frames[-1])
    return (
        "this is a bug in boildown, not a mistake of yours. Please report these lines:\n"
        f"  boildown {tool_version()}, Python {platform.python_version()}, {platform.system()}\n"
        f"  {type(error).__name__} at {last.filename}, line {last.lineno}, in {last.name}\n"
        f"The traceback is in {file.name}; it may quote your conversation, so look through it before you share it."
    )


def terminate(number: int, frame: object) -> NoReturn:
    """Leave by way of an exception, so that no temporary file stays behind."""
    sys.exit(TERMINATED)
