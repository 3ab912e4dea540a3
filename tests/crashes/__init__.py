"""Deliveries that die, and what they leave behind. All of it runs as a program, `python -m tests.crashes`; a sample of
it among the tests.

Read `scene` (what is delivered) and `audit` (what is promised) first; then `chosen` (a process dies before a step that
is chosen, on a loop from `stepping`), `kills` (processes are killed at random moments), `pairs` (one of two dies) and
`power` (the power fails, on a `disk` that is rebuilt from a `trace`). `victims` has what runs in the dying processes.
"""
