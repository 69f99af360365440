"""`python -m boildown_cli` is `boildown`."""

from boildown_cli.app import main

main()
