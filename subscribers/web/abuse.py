"""Who may ask for mail, and how often: what holds back abuse of the forms that anybody can send."""

from __future__ import annotations

import datetime as dt
import ipaddress
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request

from subscribers.web.services import services

HOUR = dt.timedelta(hours=1)

OF_A_NETWORK = 10
"""Mails that one network may ask for within an hour: a household or a seminar, no script."""
IN_ALL = 2_000
"""Mails that all visitors together may ask for within an hour."""
TO_AN_ADDRESS = 1
"""Mails of one kind within an hour that a form which anybody can send brings to one address."""
PENDING = 100_000
"""Sign-ups that may wait for their confirmation."""


def network(request: Request) -> str:
    """The network that a visitor comes from.

    The server has put the visitor's address in the place of a proxy's that the operator trusts.
    """
    return network_of(request.client.host if request.client else "")


def network_of(host: str) -> str:
    """The network of an address: an IPv4 address itself, the first half of an IPv6 one."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is None:
            return str(ipaddress.ip_network((address, 64), strict=False))
        address = address.ipv4_mapped
    return str(address)


async def admit(request: Request) -> None:
    """Counts a visitor's wish for a mail; one too many is answered with a page that says when to come back."""
    s = services(request)
    now = s.now()
    for what, who, limit in (("network", network(request), OF_A_NETWORK), ("all", "", IN_ALL)):
        if not await s.limits.allow(what, who, limit, HOUR, now):
            raise HTTPException(
                HTTPStatus.TOO_MANY_REQUESTS,
                s.phrases.text(f"limits.{what}"),
                {"Retry-After": str(int(HOUR.total_seconds()))},
            )


async def may_write_to(request: Request, kind: str, address: str) -> bool:
    """Counts a mail to an address that a form names. The visitor is not told: who knows whom is nobody's affair."""
    s = services(request)
    return await s.limits.allow(kind, address.lower(), TO_AN_ADDRESS, HOUR, s.now())
