"""What keeps slow and many clients from stopping the web app: deadlines for what a client sends and takes, a bound on
the connections of one network, and one on all together.

Where there is no room, whoever has kept us waiting longest makes it: a client that sends its request at once is served
however many others dawdle. The outbox shares the process and its files, and never wants for one.
"""

from __future__ import annotations

import asyncio
import ipaddress
import math
import resource
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from subscribers.web.abuse import network_of

HEAD = 10.0
"""Seconds for the head of a request, from the connection or the answer before it."""
BODY = 20.0
"""Seconds for a form."""
ANSWER = 120.0
"""Seconds for making an answer and for the client's taking it."""
RESERVED = 320
"""Files that are not for connections: the database's, the mail server's, logs, templates, what arrives at a time."""
AT_MOST = 2_000
OF_A_NETWORK = 64
"""Connections of one network: a browser keeps six, a proxy that the operator trusts is not counted."""
LEAST_OF_A_NETWORK = 16
"""The same of each of many processes at least: chance decides which of them a connection comes to."""
LINGER = 1.0
"""Seconds for which a server that ends hears what is on its way on the connections that it has."""
BACKLOG = 48
"""Connections that may wait to be accepted: so many can come at a time, for a few turns of the event loop, before the
first of them is counted."""


def room() -> int:
    """How many connections this process has files for."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return AT_MOST
    return max(16, min(AT_MOST, files - RESERVED))


@dataclass
class Crowd:
    """The open connections of a server, in the order in which they began to keep it waiting."""

    trusted: Sequence[str] = ()
    """Addresses and networks of proxies, which speak for many."""
    in_all: int = field(default_factory=room)
    of_a_network: int = OF_A_NETWORK
    head: float = HEAD
    body: float = BODY
    answer: float = ANSWER
    linger: float = LINGER
    processes: int = 1
    """So many share the port: each lets in its part of a network's connections."""

    def __post_init__(self) -> None:
        self._networks: dict[str, dict[Guarded, None]] = {}
        self._waiting: dict[Guarded, None] = {}
        self._proxies = [ipaddress.ip_network(one) for one in self.trusted]
        self._open = 0
        self._of_a_network = max(LEAST_OF_A_NETWORK, math.ceil(self.of_a_network / self.processes))
        self.ending = False
        """The server takes no connections any more: each of those that there are answers once and is closed."""

    def connection(self, **given: Any) -> Guarded:
        """A connection of this crowd, as uvicorn asks for one."""
        made = Guarded(**given)
        made.crowd = self
        return made

    def enter(self, one: Guarded, host: str) -> bool:
        """Lets a connection in, where need be for one that dawdles; False: everybody is being served."""
        one.network = "" if self._is_proxy(host) else network_of(host)
        theirs = self._networks.get(one.network, {})
        if one.network and len(theirs) >= self._of_a_network and not self._make_room(theirs):
            return False
        if self._open >= self.in_all and not self._make_room(self._waiting):
            return False
        self._networks.setdefault(one.network, {})[one] = None
        self._open += 1
        return True

    def leave(self, one: Guarded) -> None:
        self._waiting.pop(one, None)
        theirs = self._networks.get(one.network, {})
        if theirs.pop(one, 0) is None:
            self._open -= 1
        if not theirs:
            self._networks.pop(one.network, None)

    def waits(self, one: Guarded, *, for_client: bool) -> None:
        """Tells whose turn it is: the client's, or ours."""
        self._waiting.pop(one, None)
        if for_client:
            self._waiting[one] = None

    def _make_room(self, among: dict[Guarded, None]) -> bool:
        oldest = next((one for one in among if one in self._waiting), None)
        if oldest is None:
            return False
        self.leave(oldest)
        oldest.end()
        return True

    def _is_proxy(self, host: str) -> bool:
        try:
            address = ipaddress.ip_address(host.partition("%")[0])
        except ValueError:
            return False
        return any(address in one for one in self._proxies)


class Guarded(H11Protocol):
    """A connection with a deadline for each thing that the client has to do."""

    crowd: Crowd
    network = ""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._refused = False
        self._at = ""
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        peer = transport.get_extra_info("peername")
        if not self.crowd.enter(self, str(peer[0]) if peer else ""):
            self._refused = True
            transport.abort()
            return
        super().connection_made(transport)
        self._look()

    def data_received(self, data: bytes) -> None:
        if not self._refused:
            super().data_received(data)
            self._answer_last()
            self._look()

    def shutdown(self) -> None:
        """Asks the connection to end. What is under way is answered, and so is a request that comes soon, whose
        client did not know; either answer says that it is the last."""
        self.crowd.ending = True
        self._answer_last()
        if self.cycle is None or self.cycle.response_complete:
            self.loop.call_later(self.crowd.linger, self._close_idle)
        else:
            super().shutdown()

    def _close_idle(self) -> None:
        if self.transport.is_closing():
            return
        super().shutdown()

    def _answer_last(self) -> None:
        """Has the answer that is to come say `Connection: close`, where the server ends."""
        if self.crowd.ending and self.cycle is not None and not self.cycle.response_started:
            self.cycle.scope["headers"] = [*self.cycle.scope["headers"], (b"connection", b"close")]

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._at = ""  # also where the next request has come already: its time begins now
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        self.crowd.leave(self)
        if not self._refused:
            super().connection_lost(exc)

    def end(self) -> None:
        """Ends the connection at once, whatever is still to be written."""
        self._disarm()
        self.transport.abort()

    def _look(self) -> None:
        """Gives whatever is under way its time, once."""
        if self.transport.is_closing() or self._untaken():
            at, seconds = "taking", self.crowd.answer
        elif self.conn.their_state is h11.IDLE:
            at, seconds = "head", self.crowd.head
        elif self.conn.their_state is h11.SEND_BODY:
            at, seconds = "body", self.crowd.body
        else:
            at, seconds = "answer", self.crowd.answer
        if at == self._at:
            return
        self._at = at
        self._disarm()
        self._deadline = self.loop.call_later(seconds, self.end)
        self.crowd.waits(self, for_client=at != "answer")

    def _untaken(self) -> bool:
        """Whether the client has not taken yet what was answered."""
        return self.conn.their_state is h11.IDLE and self.transport.get_write_buffer_size() > 0

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
