"""An operator's look at an edition before its readers: asked for, answered, or over.

Read `to_operator` (the edition, mailed to the operator alone), then `asking` (what they are shown) and `deciding` (what
follows from their word, or from the deadline); `put_right` is about what went wrong all the same. The flows and the
command call the same.
"""
