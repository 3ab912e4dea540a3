"""From papers to an edition, and from an edition to a reader's digest: pure.

Read `model`, then `words`, `linear` and `topics` (which topic?), `forecast` and `rank` (in which order?), `alike` and
`rising` (what is one, what belongs together, what comes again), `arrange` and `week` (the edition), `decisions`,
`deadline` and `concerns` (what its operator makes of it, until when, and should know), `matching` and `choose` (this
reader's part of it), `maths`, `tex`, `excerpt`, `summary` and `paper_name` (what a mail shows of a text), `abstracts`
and `gist` (what a paper did), `judging` (how good all that is); `same` makes an edition a key of caches.
"""
