"""From papers to an edition, and from an edition to a reader's digest: pure.

Read `model`, then `words`, `linear` and `topics` (which topic?), `rank` (in which order?), `compose` (the edition),
`choose` (this reader's part of it), `maths`, `tex/` and `excerpt` (what a mail shows of a text), `evaluate`.
"""
