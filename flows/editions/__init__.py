"""From papers to an edition, and from an edition to a reader's digest: pure.

Read `model`, then `words`, `linear` and `topics` (which topic?), `rank` (in which order?), `duplicates`, `rising`,
`linkage` and `stories` (what is one, what comes again, what belongs together), `compose` and `week` (the edition),
`choose` (this reader's part of it), `maths`, `tex/`, `excerpt` and `summary` (what a mail shows of a text), `evaluate`.
"""
