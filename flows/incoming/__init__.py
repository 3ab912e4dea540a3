"""What comes back by mail: `mailboxes` (IMAP, maildir), `unsubscribe_mail` (what a message asks for), `handle`
(done, and marked in the mailbox)."""
