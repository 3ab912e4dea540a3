"""The command `paperround`.

`cli` is where it begins; `service_calls`, `edition_calls`, `bounce_calls`, `upkeep_calls`, `subscriber_calls` and
`topic_calls` say which calls there are and what each can be given, with `terminal` for what they share. The other files
do them: `without_prefect` (preview, deliver, returns, upkeep), `approving` (approve, send-test, correct), `preview` and
`preview_server` (as it is edited), `deliveries`, `subscribers`, `explain_topics`, `doctor` with `dns_records` and
`spf`, `dkim_new` and `keys`, and `returned` for bounces and suppressions. `learning` has what makes the models and
judges them, mostly commands of their own, for developers.
"""
