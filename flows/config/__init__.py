"""What an operator sets: `settings` (the environment), `installation` (its keys are those of its database), `catalogue`
(topics and newsletters from TOML), `from_address` (whom mail is from), `phrases` (the words of pages and letters)."""
