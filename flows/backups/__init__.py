"""An installation in one file: `contents` is the database's part of it, out and in; `backup` has the file, with the
keys, and what of a ledger that was brought back can't be believed."""
