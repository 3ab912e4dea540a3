"""Who was mailed: read `model`, then `create_rows` and `ledger` with `group_commit` and `drivers`; `rate` (turns that
all machines take), `report` and `uncertain` for the operator."""
