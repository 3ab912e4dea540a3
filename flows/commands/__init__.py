"""The command `paperround`: `cli` names the calls, the other files do them, a file for each group."""
