"""From an edition to messages, ready for the wire.

Read `model`, then `cards` (an edition's fragments, rendered and encoded once: `look`, `document`, `colour`, `encode`,
`packed`), `assemble` (fragments to one reader's message, with the `reasons` why a paper is theirs), and `letters`
(mails to one reader alone).
"""
