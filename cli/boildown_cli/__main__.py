"""The console script: `boildown`, and `python -m boildown_cli`."""

from __future__ import annotations

import signal
import sys
from typing import Any, NoReturn

from boildown_cli.exits import status, terminate


def main() -> NoReturn:
    signal.signal(signal.SIGTERM, terminate)
    sys.exit(status(_command, sys.argv[1:]))


def _command() -> Any:
    """The Typer app. Importing it is most of what a start takes, and may be interrupted as well."""
    from typer.main import get_command

    from boildown_cli.app import app

    return get_command(app)


if __name__ == "__main__":
    main()
