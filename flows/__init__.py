"""Paperround brings the day's research papers to people's inboxes.

Data flows one way, and the folders are read in the same order: `papers` (what sources list), `editions` (grouped,
ranked, chosen), `storage` (kept), `mail` (rendered, encoded, joined for a reader), `sending` (to the mail server),
`delivery` (an edition or a letter, to its readers), `incoming` (what comes back). `config` is what an operator sets,
`subscribers` (beside this package) who gets what, and the ledger. The flow files `collect`, `compose`, `deliver`,
`daily` only compose these; `processes` is what `demo` and `up` run, `commands` the command `paperround`.
"""
