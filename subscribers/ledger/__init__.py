"""Who was mailed: read `model`, then `create_rows` and `ledger` with `group_commit` and `drivers`; `rate` (turns that
all machines take), `report` and `uncertain` for the operator. What came back of it: `whose_delivery` finds it,
`came_back` writes it down and does what follows; `masses` (held for the operator), `rates`, and `pauses`."""
