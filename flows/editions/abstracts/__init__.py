"""What an abstract says, sentence by sentence: `sentences`, their `short_forms`, what is `leaning` on another, the
`pieces` that a gist is made of, and what chooses among them, `gist_features` and `gist_model`."""
