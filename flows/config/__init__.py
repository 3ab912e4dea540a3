"""What an operator sets: `settings` (the environment) with `url_signs` and `from_prefect`, `installation` (its keys are
those of its database), `own_files` (nobody else's), `text_files` (whatever an editor saves), `catalogue` (topics and
newsletters as TOML), `cron` (when a newsletter goes out), `from_address` (of whom mail is), `logs`, `phrases` (the
words of pages and letters)."""
