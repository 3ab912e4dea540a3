"""Paperround brings the day's research papers to people's inboxes.

Data flows one way, and the packages are read in the same order: `papers` (what sources list), `editions` (grouped,
ranked, chosen), `store` (kept), `mail` (rendered and sent), `subscribers` (who gets what; the ledger), and the flow
files `collect`, `compose`, `deliver`, `daily`, which only compose these. `cli` is the command and wires it all.
"""
