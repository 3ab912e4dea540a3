"""From services to papers. Read `model`, then `sources` (pure: what to ask, how to read it), then what they read with:
`fields` (single values), `bodies` (JSON and XML), `feeds` and `announcements` (arXiv's forms and calendar).
`gather` follows a source's requests through `fetch`, the only HTTP client, which keeps to `pace`, remembers `answers`
and words its `failures`. `merge` unites what several sources or several readings gave.
"""
