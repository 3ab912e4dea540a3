"""What comes back by mail: `mailbox` (IMAP, maildir), `unsubscribe_mail` (what a message asks for), `handle` (done, and
marked in the mailbox)."""
