"""To the mail server: read `sender`, then `waiting_list` (what it brings, and its queue), `pace` and `limits`,
`smtp_session` (our side of the conversation), `sign` with `sign_pool` and `dkim`, and `transports/`, one file for each
way out."""
