"""What the command does about mail that came back: `bounce_report`, `suppression_lists`, and what the doctor says of
it, `doctor_returns`."""
