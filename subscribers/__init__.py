"""People, their subscriptions, and the ledger of what was mailed to whom.

Read `model`, then `policy` and `tokens` (pure), `store` and `ledger` (the only SQL about people and deliveries), `web`.
"""
