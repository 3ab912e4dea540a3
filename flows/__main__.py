"""`python -m flows` is the command `paperround`."""

from flows.cli import main

main()
