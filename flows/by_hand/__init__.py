"""What an operator does about an edition in Prefect's UI, beside running it.

`stopping` is what Cancel and Suspend do to a delivery, `pause_all` a Variable that stops every one, `suspension` how
the run of an edition waits for its operator without a process; `approve`, `send_test`, `resend` and `correct` are flows
of their own.
"""
