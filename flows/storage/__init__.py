"""What is kept of papers and editions; no SQL about them stands anywhere else.

Read `database`, then `editions` (papers and editions), `approvals` (what operators decide of them), `archive` (editions
as the web sees them), `query` (what a visitor searches for), `search`, and `vocabulary` with `near_misses` (what a
misspelt word means). `away` waits for a database that is away, `private_files` keeps files for their owner alone.
"""
