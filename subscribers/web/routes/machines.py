"""What search engines ask a site for."""

from __future__ import annotations

from typing import Any

from lxml import etree
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from subscribers.web.page_meta import path_of
from subscribers.web.pages import public
from subscribers.web.services import services

DAY = 86_400
HOUR = 3600
PRIVATE = ("unsubscribe", "manage", "act", "confirm", "private", "preview", "report", "login", "logout", "metrics")
"""What readers' and operators' links begin with."""
_NAMESPACES: Any = {None: "http://www.sitemaps.org/schemas/sitemap/0.9"}  # the stubs know no default namespace
_LIMIT = 50_000
"""https://www.sitemaps.org/protocol.html"""


async def robots(request: Request) -> Response:
    """RFC 9309."""
    lines = ["User-agent: *", *(f"Disallow: /{path}" for path in PRIVATE), ""]
    lines.append(f"Sitemap: {services(request).public_url}/sitemap.xml")
    return public(request, PlainTextResponse("\n".join(lines) + "\n"), DAY)


async def sitemap(request: Request) -> Response:
    s = services(request)
    root = etree.Element("urlset", None, _NAMESPACES)
    pages = [("/", None), ("/archive", None), ("/search", None)]
    issues = [issue for issue in await s.archive.every(_LIMIT - len(pages)) if issue.newsletter in s.newsletters]
    for path, changed in [*pages, *((path_of(one.newsletter, one.kind, one.day), one.at) for one in issues)]:
        entry = etree.SubElement(root, "url")
        etree.SubElement(entry, "loc").text = s.public_url + path
        if changed:
            etree.SubElement(entry, "lastmod").text = f"{changed:%Y-%m-%d}"
    content = etree.tostring(root, xml_declaration=True, encoding="utf-8")
    return public(request, Response(content, media_type="application/xml"), HOUR)


ROUTES = (Route("/robots.txt", robots), Route("/sitemap.xml", sitemap))
