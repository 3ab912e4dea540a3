"""What an operator does about an edition in Prefect's UI, beside running it.

`suspension` is how a run of `daily` or `weekly` waits for them without a process; `approve` and `send_test` are flows
of their own.
"""
