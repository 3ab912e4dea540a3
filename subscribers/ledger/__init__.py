"""Who was mailed: read `model`, then `create_rows` and `deliveries` (the ledger) with `one_reader`, `standing` (how an
edition stands), `group_commit` and `drivers`; `rate` (turns that all machines take), `report` and `uncertain` for the
operator."""
