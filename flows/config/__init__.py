"""What an operator sets: `settings` (the environment) with `url_signs`, `installation` (its keys are those of its
database), `own_files` (nobody else's), `catalogue` (topics and newsletters from TOML), `cron` (when a newsletter goes
out), `from_address` (of whom mail is), `logs`, `phrases` (the words of pages and letters)."""
