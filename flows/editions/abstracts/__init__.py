"""What an abstract says, sentence by sentence: `sentences`, their `short_forms`, what is `leaning` on another, and the
`pieces` that a gist is made of."""
