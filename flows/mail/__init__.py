"""From an edition to messages on the wire.

Read `model`, then `cards` (an edition's fragments, rendered and encoded once: `look`, `document`, `encode`, `packed`),
`assemble` (fragments to one reader's message), `courier` (messages to outcomes), `transports/` (the ways out).
"""
