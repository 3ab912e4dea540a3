"""People, their subscriptions, and the ledger of what was mailed to whom.

Read `model`, then `policy` and `tokens` (pure), `store` (people), `deliveries`, `opening`, `entries` and `ledger` (who
was mailed), `roster` (CSV), and `pages` and `web`. SQL about people and deliveries stands nowhere else.
"""
