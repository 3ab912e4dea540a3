"""People, their subscriptions, and the ledger of what was mailed to whom.

Read `model`, then `policy`, `tokens`, `preferences`, `addresses`, `zones` and `text`, for what comes back `bounces`
and `return_address` (all pure), and `tables`; then `people` (subscribers and their subscriptions), `ledger`
(who was mailed), and `web` (the pages and what readers press there).
SQL about people and deliveries stands nowhere else.
"""
