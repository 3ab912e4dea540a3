"""Where a stranger's redirect may lead: out, into the internet, and to the very address that was looked at.

A name may stand for another address a moment later, by its owner's wish (DNS rebinding). So it is looked up once, and
what the answer held is connected to. Behind a proxy, names are the proxy's to look up: a name that leads inside by what
our own DNS says is refused, and for the rest it decides what it lets be reached.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from urllib.request import getproxies, proxy_bypass

import httpx

_PLACES = 4
"""Addresses of one name that are tried."""
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def is_inside(address: str) -> bool:
    """Whether an address is this machine's, or of a network of one's own; also one of version 6 that stands for one of
    version 4: mapped (RFC 4291), by 6to4 (RFC 3056) or through NAT64 (RFC 6052)."""
    found = ipaddress.ip_address(address)
    if isinstance(found, ipaddress.IPv6Address):
        within = found.ipv4_mapped or found.sixtofour
        if found in _NAT64:
            within = ipaddress.IPv4Address(found.packed[-4:])
        found = within or found
    return not found.is_global


async def addresses_of(host: str) -> Sequence[str]:
    """What this machine's resolver says of a name; nothing where it is not known."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return ()
    return tuple(dict.fromkeys(str(place[0]).partition("%")[0] for *_, place in found))


class Outward:
    """The way of requests that somebody else's answer leads to."""

    def __init__(
        self,
        resolve: Callable[[str], Awaitable[Sequence[str]]] = addresses_of,
        inside: Callable[[str], bool] = is_inside,
        verify: ssl.SSLContext | bool = True,
    ) -> None:
        self._resolve, self._inside, self._verify = resolve, inside, verify
        self._client: httpx.AsyncClient | None = None

    async def __aenter__(self) -> Outward:
        # no connection serves two requests: two names at one address have each a certificate of their own
        alone = httpx.Limits(max_keepalive_connections=0)
        self._client = httpx.AsyncClient(transport=_Pinned(self._checked, verify=self._verify, limits=alone))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._client:
            await self._client.aclose()

    async def leads_inside(self, url: httpx.URL) -> bool:
        """Whether a URL leads to this machine or a network of one's own, by its host or what DNS says of it. A name
        that is not known leads nowhere."""
        return any(self._inside(address) for address in await self._places(url))

    async def send(self, request: httpx.Request, by_name: httpx.AsyncClient) -> httpx.Response:
        """The answer, as a stream. `by_name` is the client that goes through a proxy where there is one. Raises
        httpx.UnsupportedProtocol where the request leads inside, and what else httpx raises."""
        if self._client is None:
            raise RuntimeError("it sends inside `async with` alone")
        if _has_proxy(request.url):
            await self._checked(request)
            return await by_name.send(request, stream=True)
        return await self._client.send(request, stream=True)

    async def _checked(self, request: httpx.Request) -> Sequence[str]:
        places = await self._places(request.url)
        if any(self._inside(address) for address in places):
            raise httpx.UnsupportedProtocol(f"it leads to {request.url.host}, inside of this network", request=request)
        return places[:_PLACES]

    async def _places(self, url: httpx.URL) -> Sequence[str]:
        host = url.raw_host.decode("ascii")
        return (host,) if _is_address(host) else await self._resolve(host)


class _Pinned(httpx.AsyncHTTPTransport):
    """Connects to what `checked` says of a request, and asks there for the host that the request names."""

    def __init__(
        self,
        checked: Callable[[httpx.Request], Awaitable[Sequence[str]]],
        *,
        verify: ssl.SSLContext | bool,
        limits: httpx.Limits,
    ) -> None:
        super().__init__(verify=verify, trust_env=False, limits=limits)
        self._checked = checked

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.raw_host.decode("ascii")
        failed: httpx.TransportError = httpx.ConnectError(f"{host} is not known to DNS", request=request)
        for place in await self._checked(request):
            # the certificate is looked at for the name, and the header Host says it already
            name = {} if _is_address(host) else {"sni_hostname": host}
            pinned = httpx.Request(
                request.method,
                request.url.copy_with(host=place),
                headers=request.headers,
                stream=request.stream,
                extensions={**request.extensions, **name},
            )
            try:
                return await super().handle_async_request(pinned)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                failed = error
        raise failed


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _has_proxy(url: httpx.URL) -> bool:
    """Whether the environment names a proxy for it."""
    proxies = getproxies()
    return bool(proxies.get(url.scheme) or proxies.get("all")) and not proxy_bypass(url.host)
