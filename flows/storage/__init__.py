"""What is kept: read `database`, then `editions` (papers and editions), `archive` (editions as the web sees them) and
`search`. The only SQL about papers and editions stands here."""
