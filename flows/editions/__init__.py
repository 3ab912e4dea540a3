"""From papers to an edition, and from an edition to a reader's digest: pure.

Read `model`, then `words`, `linear` and `topics` (which topic?), `forecast` and `rank` (in which order?), `alike` and
`rising` (what is one, what belongs together, what comes again), `arrange` and `week` (the edition), `matching` and
`choose` (this reader's part of it), `maths`, `tex`, `excerpt` and `summary` (what a mail shows of a text), `evaluate`
and `forecast_report` (how good topics and forecasts are); `same` makes an edition a key of caches.
"""
