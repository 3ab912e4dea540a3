"""The TeX of titles and abstracts, read into a small tree.

Read `tree` (what there is), `reader` (characters: dollars, braces, scripts), `commands` (what each command does),
`mending` and `guesses` (what a source
lost of its TeX, or leaves open), `symbols` (tables). `flows.editions.maths` prints the tree.
"""
