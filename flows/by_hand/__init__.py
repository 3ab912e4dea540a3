"""What an operator does about an edition in Prefect's UI, beside running it.

`suspension` is how the run of an edition waits for them without a process; `approve`, `send_test` and
`correct` are flows of their own.
"""
