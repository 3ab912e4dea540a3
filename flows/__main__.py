"""`python -m flows` is the command `paperround`."""

from flows.commands.cli import main

main()
