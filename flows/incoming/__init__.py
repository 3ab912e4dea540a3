"""What comes back. By mail: `mailboxes` (IMAP, maildir) brings messages, `recognise` says what one is (a value of
`model`): an unsubscription (`unsubscribe_mail`), a report that a delivery failed (`failure_reports`,
`other_bounces`), a complaint (`complaints`), a program's answer (`automatic`). `evidence` and `whose` find which
mail it is about, `handle` does what follows, and marks it. By webhook: `webhooks` says what a file in `providers/`
keeps to, `hooks` does what a call tells."""
