"""An edition, or a letter, to its readers; the README beside this tells a message's way, hop by hop.

Read `run`, then `batches` (claimed from the ledger, marked, recorded), `refused` (addresses that are dead),
`messages` (what one reader gets, written ahead) and `already_received`, `extra_processes` for a large list,
`clock_jumps` that are told; `send_letters` and `write_letter` do the same for the outbox.
"""
