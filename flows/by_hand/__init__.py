"""What an operator does about an edition in Prefect's UI, beside running it.

`suspension` is how the run of an edition waits for them without a process; `approve` and `send_test` are flows of
their own.
"""
