"""What an operator sets: `settings` (the environment), `catalogue` (topics and newsletters from TOML), `phrases` (the
words of pages and letters)."""
