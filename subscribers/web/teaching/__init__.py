"""Papers that a reader likes, by which their settings are taught.

Read `bibliographies` (pure: which papers a text names, with `bibtex_text` for that form), then `upload` (how such a
text comes in) and `teach_page`.
"""
