"""One file a source, each pure: `NAME`, `TITLE`, `requests(window, addresses)`, `parse(body, request, window, addresses)`.

`requests` names the first addresses to fetch; `parse` reads one body into an `Answer`, which may name more.
`parse` raises `Unreadable` for a body that deserves another attempt, and never anything else.
"""
