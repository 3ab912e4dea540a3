"""What an operator may set in Prefect's UI instead of the environment: `kinds` are the Blocks, `taken_over` brings
them, and the Variable of the rate, to this machine's processes."""
