"""What an operator sets: `settings` (the environment), `installation` (its keys are those of its database), `catalogue`
(topics and newsletters from TOML), `cron` (when a newsletter goes out), `from_address` (whom mail is from), `phrases`
(the words of pages and letters)."""
