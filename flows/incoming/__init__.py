"""What comes back by mail. `mailbox` (IMAP, maildir) brings messages, `read` says what one is: an unsubscription
(`unsubscribe_mail`), a report that a delivery failed (`delivery_reports`, `other_bounces`), a complaint (`complaints`),
a program's answer (`automatic`). `evidence` finds which mail it is about, `handle` does what follows and marks it."""
