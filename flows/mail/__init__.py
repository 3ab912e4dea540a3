"""From an edition to messages, ready for the wire.

Read `model`, then `cards` (an edition's fragments, rendered and encoded once: `look`, `language`, `document`, `colour`,
`encode`, `packed`, an editor's `note`, and `earlier`, which reads what versions before packed), `assemble` (fragments
to one reader's message, in the `arrangement` of their papers, with the `reasons` why a paper is theirs and what the
mail `offer`s), `correction` (of an edition that went wrong) and `letters` (mails to one reader alone).
"""
