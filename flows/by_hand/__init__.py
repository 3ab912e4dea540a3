"""What an operator does about an edition in Prefect's UI, beside running it.

`pause_all` is a Variable that stops every delivery, `suspension` how the run of an edition waits for them without a
process; `approve`, `send_test`, `resend` and `correct` are flows of their own.
"""
