"""From services to papers.

Read `model`, then `sources` (pure: what to ask, how to read it), and what they read with: `fields` (single values),
`bodies` (JSON and XML), `arxiv_xml` and `announcements` (arXiv's forms and calendar). `gather` follows a source's
requests through `fetch`, the only HTTP client of the sources, which takes `bounded` bodies, is led `outward` alone,
keeps to `request_interval`, remembers `answers` and words its `failures`. `merge` unites what several sources or
several readings gave. `by_number` asks arXiv for single papers that somebody waits for, `summary_service`
a model for sentences.
"""
