"""One file a source, each pure, with six names; no source knows another.

`NAME` is what newsletters call it, `TITLE` what people do. `WANTS_DETAILS`: what it knows of a paper that arXiv has is
little, so that arXiv is asked about its papers too. `requests(window, addresses)` names the first addresses to
fetch, and `parse(body, request, window, addresses)` reads one body into an `Answer`, which may name more; it raises
`Unreadable` for a body that deserves another attempt, and never anything else. `silence(window)` says why a day
holds nothing where no answer said so.
"""
