"""Who may ask for mail, and how often: what holds back abuse of the forms that anybody can send.

Whoever asks is counted by their network and by those around it, since whoever has one IPv6 address has millions of
them. Who goes on asking waits longer and longer. Where more is asked for in all than we send, mails wait in turn.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import ipaddress
import math
from collections.abc import Sequence
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request

from subscribers.addresses import inbox
from subscribers.web.request_limits import Count
from subscribers.web.services import services

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)

OF_A_NETWORK = ((10, HOUR), (20, 6 * HOUR), (30, DAY))
"""Mails that one network may ask for within these times: a household or a seminar, no script."""
AROUND = {4: {32: 1, 24: 4}, 6: {64: 1, 56: 2, 48: 4}}
"""By the version of IP: the networks that an address counts for, by the bits of their prefix, and how many times as
much one of them may ask for. A /64 is the smallest that anybody is given, a /48 what a company gets."""
IN_ALL = 2_000
"""Mails of one form that leave within an hour; what is asked for beyond waits for a later hour."""
TURNS = 24
"""Hours that a mail waits at most."""
TO_AN_ADDRESS = 1
"""Mails of one kind within an hour that a form which anybody can send brings to one address."""
TO_AN_INBOX = ((3, HOUR), (6, DAY))
"""The same for all addresses that may be one inbox."""
PENDING = 100_000
"""Sign-ups that may wait for their confirmation."""
UNHURRIED = 0.2
"""Seconds that an answer about an address takes, whatever is known of it."""


def network(request: Request) -> str:
    """The network that a visitor comes from.

    The server has put the visitor's address in the place of a proxy's that the operator trusts.
    """
    return network_of(_host(request))


def network_of(host: str) -> str:
    """The smallest network of an address: an IPv4 address itself, the first half of an IPv6 one."""
    return next(iter(networks_of(host)))


def networks_of(host: str) -> dict[str, int]:
    """The networks that an address counts for, the smallest first, and how many times as much each may ask for."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return {host: 1}
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    around = AROUND[address.version]
    found = {str(ipaddress.ip_network((address, bits), strict=False)): times for bits, times in around.items()}
    return {name.removesuffix("/32") if address.version == 4 else name: times for name, times in found.items()}


def _host(request: Request) -> str:
    return request.client.host if request.client else ""


async def admit(request: Request, form: str) -> None:
    """Counts a visitor's wish for a mail by this form; one too many is answered with a page that says when to come
    back, and when that is told to a program."""
    counts = [
        Count(f"{form} from", name, limit * times, per)
        for name, times in networks_of(_host(request)).items()
        for limit, per in OF_A_NETWORK
    ]
    full = await services(request).limits.count(counts, services(request).now())
    if full is not None:
        raise _later(request, "limits.network", full)


async def turn(request: Request, form: str, turns: int = TURNS) -> dt.datetime:
    """When a mail that this form asks for leaves: now, or in a later hour where more are asked for than we send. With
    none left it is answered with a page that says so."""
    s = services(request)
    now = s.now()
    for later in range(turns):
        at = now + later * HOUR
        if await s.limits.count([Count(f"{form} in all", "", IN_ALL, HOUR)], at) is None:
            return at
    raise full(request)


def full(request: Request) -> HTTPException:
    """The page that says that too many ask for mail."""
    return _later(request, "limits.all", services(request).now() + HOUR)


async def may_write_to(request: Request, kind: str, address: str) -> bool:
    """Counts a mail to an address that a form names, and to the inbox that it may be a name of. The visitor is not
    told: who knows whom is nobody's affair."""
    s = services(request)
    counts: Sequence[Count] = (
        Count(kind, address.lower(), TO_AN_ADDRESS, HOUR),
        *(Count(f"{kind} inbox", inbox(address), limit, per) for limit, per in TO_AN_INBOX),
    )
    return await s.limits.count(counts, s.now()) is None


async def unhurried(begun: float) -> None:
    """Waits until as much time has gone since `begun`, by the event loop's clock, as an answer about an address takes:
    how long it was worked on tells nobody who is subscribed."""
    await asyncio.sleep(begun + UNHURRIED - asyncio.get_running_loop().time())


def _later(request: Request, words: str, until: dt.datetime) -> HTTPException:
    s = services(request)
    wait = max(1, math.ceil((until - s.now()).total_seconds()))
    return HTTPException(
        HTTPStatus.TOO_MANY_REQUESTS,
        s.phrases.text(words, count=math.ceil(wait / HOUR.total_seconds())),
        {"Retry-After": str(wait)},
    )
