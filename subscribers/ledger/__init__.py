"""Who was mailed: read `model`, then `create_rows` and `ledger` with `one_reader`, `standing` (how an edition stands),
`group_commit` and `drivers`; `shared_limits` (turns that all machines take), `report` and `uncertain` for the
operator; `clocks` that were wrong, and `forgetting` names when their time is over. What came back of it:
`whose_delivery` finds it, `came_back` writes it down and does what follows; `masses` (held for the operator),
`bounce_rates` and their `pause_bounds`, and `pauses`. `restored` is a ledger from a backup. `figures` are for whoever
watches over it all."""
