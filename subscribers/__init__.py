"""People, their subscriptions, and the ledger of what was mailed to whom.

Read `model`, then `policy`, `tokens` and `preferences` (pure), `tables` and `rows`, `people` and what can be done to
them (`changes`, `signups`, `letters`, `erasure`: all of them methods of `store`), `outbox` (what is mailed to one
reader alone), `limits`, `deliveries`, `opening`, `entries` and `ledger` (who was mailed), `report` and `held` (who got
what, for the operator), `roster` (CSV), and `pages` and `web`. SQL about people and deliveries stands nowhere else.
"""
