"""Which papers of an edition are one, and which are on one thing? Pure.

Read `duplicates` (one paper under two ids), then `linkage` (which texts are alike?), `subjects` and `stories` (papers
on one thing, and its name).
"""
