"""What is kept of papers and editions; no SQL about them stands anywhere else.

Read `database`, then `editions` (papers and editions), `archive` (editions as the web sees them), `query` (what a
visitor searches for) and `search`.
"""
