"""To the mail server: read `sender`, then `waiting_list` (what it brings, and what waits), `brakes` (whose refusal it
is), `connections` with `slots` (which this machine shares), `pace` and `limits`, `smtp_session` (our side of the
conversation), `sign` with `sign_pool` and `dkim`, and `transports/`, one file for each way out."""
