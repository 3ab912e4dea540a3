"""Subscribers and subscriptions in the database.

Read `rows` and `lookup`, then what can be done to them (`changes`, `signups`, `requested_mail`, `lifting`,
`suppressions`, `erasure`, `retention`: most of them methods of `store`), `outbox` (what is mailed to one reader alone),
`csv_file` with `csv_text` (encodings and separators) and `other_lists` (those of other systems), and
`suppression_file`; `movements` counts who came and left.
"""
