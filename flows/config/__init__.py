"""What an operator sets: `settings` (the environment), `installation` (its keys are those of its database), `catalogue`
(topics and newsletters from TOML), `phrases` (the words of pages and letters)."""
