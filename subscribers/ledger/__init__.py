"""Who was mailed: read `model`, then `create_rows` and `claims` (the ledger) with `one_reader`, `standing` (how an
edition stands), `group_commit` and `drivers`; `rate` (turns that all machines take), `report` and `uncertain` for the
operator; `clocks` that were wrong, and `forgetting` names when their time is over."""
