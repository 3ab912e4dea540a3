"""The sender with a real mail server, and a batch that is kept in memory."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import pytest

from flows.mail.model import Message
from flows.outcomes import Outcome, Stage, Verdict
from flows.sending.brakes import IN_A_DOMAIN
from flows.sending.limits import Limit
from flows.sending.sender import Sender
from flows.sending.transports import CantConnect, Connection, transport
from flows.sending.waiting_list import AT_LEAST
from tests.conftest import free_port
from tests.sending.smtp import MailServer, mail_server


@dataclass(frozen=True, slots=True)
class To:
    """A delivery: whom it is for."""

    address: str
    attempts: int = 0


class Batch:
    """Recipients, and what became of them."""

    def __init__(self, *items: str, sender: str = "bounces@example.org") -> None:
        self.items = items
        self.sender = sender
        self.marked: Counter[str] = Counter()
        self.outcomes: dict[str, Outcome] = {}
        self.proven: set[str] = set()
        self.waits: dict[str, float] = {}
        """What was put off, and for how many seconds."""
        self.given_back: list[str] = []
        self._waiting = items

    async def fetch(self, over: asyncio.Event) -> Sequence[To]:
        fetched, self._waiting = self._waiting, ()
        return [To(one) for one in fetched]

    async def write(self, delivery: To) -> Message | None:
        item = delivery.address
        content = f"Message-ID: <{item}>\r\n\r\n" + "Some line of a message.\r\n" * 500
        return (
            None if item.startswith("skip-") else Message(sender=self.sender, recipient=item, content=content.encode())
        )

    def mark(self, delivery: To) -> asyncio.Future[bool]:
        self.marked[delivery.address] += 1
        marked: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        marked.set_result(not delivery.address.startswith("gone-"))
        return marked

    async def record(
        self, delivery: To, outcome: Outcome, *, marked: bool, proven: bool = True, not_before: float = 0
    ) -> None:
        assert delivery.address not in self.outcomes
        self.outcomes[delivery.address] = outcome
        if proven:
            self.proven.add(delivery.address)
        if not_before:
            self.waits[delivery.address] = not_before

    def put_off(self, delivery: To, seconds: float) -> asyncio.Future[None]:
        self.waits[delivery.address] = seconds
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done

    async def was_well(self, domain: str = "") -> bool:
        return False

    async def nothing_but(self, number: int) -> bool:
        return True

    def give_back(self, delivery: To) -> None:
        self.given_back.append(delivery.address)

    def rest(self, seconds: float) -> None:
        self.rested = seconds

    def verdicts(self) -> dict[str, Verdict]:
        return {item: outcome.verdict for item, outcome in self.outcomes.items()}


class Broken(Batch):
    """Its ledger fails at one delivery."""

    async def record(
        self, delivery: To, outcome: Outcome, *, marked: bool, proven: bool = True, not_before: float = 0
    ) -> None:
        if delivery.address.startswith("fails-"):
            raise OSError("no ledger")
        await super().record(delivery, outcome, marked=marked)


class Resumed(Batch):
    """A part of it was delivered before the run."""

    async def was_well(self, domain: str = "") -> bool:
        return True


class Late(Batch):
    """The others become due while the first one's outcome is being written, which takes its ledger a while."""

    def __init__(self, first: str, *others: str) -> None:
        super().__init__(first, *others)
        self._lots: list[Sequence[str]] = [others, (first,)]
        self._writing, self._settled = asyncio.Event(), asyncio.Event()

    async def fetch(self, over: asyncio.Event) -> Sequence[To]:
        match len(self._lots):
            case 1:
                await self._writing.wait()
            case 0:
                await self._settled.wait()
        return [To(one) for one in self._lots.pop()] if self._lots else ()

    async def record(
        self, delivery: To, outcome: Outcome, *, marked: bool, proven: bool = True, not_before: float = 0
    ) -> None:
        self._writing.set()
        await asyncio.sleep(0.1)
        await super().record(delivery, outcome, marked=marked)
        if len(self.outcomes) == len(self.items):
            self._settled.set()


def readers(number: int, kind: str = "reader") -> tuple[str, ...]:
    return tuple(f"{kind}-{n}@example.org" for n in range(number))


@pytest.fixture
async def server() -> AsyncIterator[MailServer]:
    async with mail_server() as running:
        yield running


async def deliver(
    batch: Batch,
    url: str,
    *,
    connections: int = 4,
    rate: float = 0,
    stop: asyncio.Event | None = None,
    patience: float = 0,
) -> Sender[To]:
    sender: Sender[To] = Sender(transport(url), connections=connections, rate=rate, patience=patience)
    await sender.deliver(batch, stop or asyncio.Event())
    await sender.close()
    return sender


async def test_each_message_is_marked_sent_and_recorded_once(server: MailServer) -> None:
    batch = Batch(*readers(40))
    sender = await deliver(batch, server.url)
    assert server.readers == batch.marked == Counter(batch.items)
    assert set(batch.verdicts().values()) == {Verdict.SENT}
    assert sender.report.verdicts == {Verdict.SENT: 40}
    assert 1 <= server.connections <= 4


async def test_connections_serve_one_batch_after_another(server: MailServer) -> None:
    sender: Sender[To] = Sender(transport(server.url), connections=1)
    for n in range(5):
        await sender.deliver(Batch(f"{n}@example.org", f"{n}{n}@example.org"), asyncio.Event())
    await sender.close()
    assert server.connections == server.commands["QUIT"] == 1
    assert len(server.taken) == 10


async def test_what_becomes_due_when_a_worker_is_about_to_go_is_brought(server: MailServer) -> None:
    """It found nothing left, and waits only for its last outcome to be written."""
    batch = Late(*readers(9))
    await asyncio.wait_for(deliver(batch, server.url, connections=1), 5)
    assert server.readers == Counter(batch.items)


async def test_who_gets_no_mail_is_passed_over(server: MailServer) -> None:
    batch = Batch("skip-1@example.org", "gone-1@example.org", "good@example.org")
    await deliver(batch, server.url, connections=1)
    assert server.readers == {"good@example.org": 1}
    assert set(batch.outcomes) == {"good@example.org"}


async def test_a_limit_of_messages_a_connection_costs_nothing(server: MailServer) -> None:
    """421 to MAIL after some messages (RFC 5321 section 3.8): each message goes by the next connection at once."""
    server.per_connection = 3
    batch = Batch(*readers(30))
    sender = await deliver(batch, server.url, connections=3)
    assert sender.report.verdicts == {Verdict.SENT: 30}
    assert server.readers == batch.marked == Counter(batch.items)


async def test_a_connection_that_was_closed_while_it_was_idle_costs_nothing(server: MailServer) -> None:
    sender: Sender[To] = Sender(transport(server.url), connections=1)
    await sender.deliver(Batch("first@example.org"), asyncio.Event())
    await server.stop()
    await server.start()
    batch = Batch("second@example.org")
    await sender.deliver(batch, asyncio.Event())
    await sender.close()
    assert batch.verdicts() == {"second@example.org": Verdict.SENT}


async def test_a_server_that_wants_fewer_connections_gets_fewer(server: MailServer) -> None:
    server.at_a_time = 1
    batch = Batch(*readers(40))
    sender = await deliver(batch, server.url, connections=4)
    assert not sender.report.halted
    assert server.readers == Counter(batch.items)


async def test_the_good_are_served_among_the_bad(server: MailServer) -> None:
    kinds = {
        "reject": Verdict.REJECTED,
        "grey": Verdict.DEFERRED,
        "full": Verdict.DEFERRED,
        "shut": Verdict.DEFERRED,
        "foreign": Verdict.REJECTED,
        "nodata": Verdict.REJECTED,
        "spam": Verdict.REJECTED,
        "later": Verdict.DEFERRED,
        "drop": Verdict.UNCERTAIN,
        "lost": Verdict.UNCERTAIN,
        "good": Verdict.SENT,
    }
    batch = Batch(*(f"{kind}-{n}@example.org" for n in range(6) for kind in kinds))
    sender = await deliver(batch, server.url)
    assert batch.verdicts() == {item: kinds[item.split("-")[0]] for item in batch.items}
    assert not sender.report.halted
    assert not server.breaches


async def test_a_slow_reply_holds_up_at_most_the_one_whose_envelope_left_with_it(server: MailServer) -> None:
    server.slowness = 0.5
    batch = Batch("slow-1@example.org", *readers(20))
    began = asyncio.get_running_loop().time()
    await deliver(batch, server.url, connections=2)
    assert set(batch.verdicts().values()) == {Verdict.SENT}
    assert sum(taken.at - began >= 0.45 for taken in server.taken) <= 1


async def test_a_refused_sender_stops_everything_at_the_first_message(server: MailServer) -> None:
    server.refuses_sender = "bounces@example.org"
    batch = Batch(*readers(50))
    sender = await deliver(batch, server.url, connections=2)
    assert sender.report.halted == (
        "The mail server refuses the sender bounces@example.org (553: 5.7.1 you are not who you say): "
        "check PAPERROUND_SENDER and PAPERROUND_RETURN_PATH."
    )
    assert set(batch.verdicts().values()) == {Verdict.UNSENT}
    assert len(batch.outcomes) <= 2


async def test_a_sender_that_is_not_ascii_stops_everything_too(server: MailServer) -> None:
    sender = await deliver(Batch(*readers(50), sender="bücher@example.org"), server.url)
    assert "check PAPERROUND_SENDER" in sender.report.halted
    assert not server.taken


async def test_a_server_that_wants_a_login_stops_everything(server: MailServer) -> None:
    server.login = ("me", "secret")
    sender = await deliver(Batch(*readers(50)), server.url)
    assert "to work without a login (530" in sender.report.halted
    assert "the user and password in PAPERROUND_MAIL_URL" in sender.report.halted


async def test_a_refused_login_is_tried_once_by_all_connections_together(server: MailServer) -> None:
    """Every further try could lock the account."""
    server.login = ("me", "secret")
    batch = Batch(*readers(50))
    sender = await deliver(batch, server.url.replace("//", "//me:wrong@"))
    assert "refused the login" in sender.report.halted
    assert server.connections == 1
    assert not batch.marked


async def test_a_dead_server_stops_everything_before_anything_is_marked() -> None:
    batch = Batch(*readers(50))
    sender = await deliver(batch, f"smtp://127.0.0.1:{free_port()}")
    assert "can't be used" in sender.report.halted
    assert "PAPERROUND_MAIL_URL" in sender.report.halted
    assert not batch.marked


async def test_a_server_that_takes_nothing_stops_everything() -> None:
    """A connection that dies at every message, as with a broken middlebox: no reply is nobody's refusal."""

    class Dying:
        usable = False

        async def offer(self, message: Message) -> Outcome | None:
            return None

        async def bring(self, message: Message, following: Message | None = None) -> Outcome:
            return Outcome(Verdict.UNCERTAIN, Stage.CONTENT, text="connection lost")

        async def send(self, message: Message) -> Outcome:
            return await self.bring(message)

        def abandon(self) -> None: ...

        async def close(self) -> None: ...

    async def connect() -> Connection:
        return Dying()

    batch = Batch(*readers(50))
    sender: Sender[To] = Sender(connect, connections=1)
    await sender.deliver(batch, asyncio.Event())
    assert "takes no message any more (no reply: connection lost)" in sender.report.halted
    assert len(batch.outcomes) == 3


async def test_a_server_that_comes_back_is_waited_for(server: MailServer) -> None:
    tries = 0
    reach = transport(server.url)

    async def connect() -> Connection:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise CantConnect("not yet")
        return await reach()

    batch = Batch(*readers(3))
    sender: Sender[To] = Sender(connect, connections=1, patience=5)
    await sender.deliver(batch, asyncio.Event())
    await sender.close()
    assert sender.report.verdicts == {Verdict.SENT: 3}


async def test_the_rate_is_kept_over_all_connections(server: MailServer) -> None:
    await deliver(Batch(*readers(21)), server.url, rate=40)
    times = [taken.at for taken in server.taken]
    assert 20 / 40 - 0.05 <= times[-1] - times[0] <= 20 / 40 + 0.5
    assert max(sum(t <= other < t + 0.25 for other in times) for t in times) <= 13


async def test_those_who_get_no_mail_take_no_turn(server: MailServer) -> None:
    began = asyncio.get_running_loop().time()
    await deliver(Batch(*readers(50, "skip"), "good@example.org"), server.url, rate=2)
    assert asyncio.get_running_loop().time() - began < 1


@pytest.mark.parametrize("how", ["stopped", "cancelled"])
async def test_an_end_comes_between_two_messages(server: MailServer, how: str) -> None:
    """What was under way is brought to its end and recorded, also when the task is cancelled."""
    server.slowness = 0.3
    batch, stop = Batch(*readers(100, "slow")), asyncio.Event()
    working = asyncio.create_task(deliver(batch, server.url, stop=stop))
    await server.has_taken(4)
    if how == "stopped":
        stop.set()
        await working
    else:
        working.cancel()
        with pytest.raises(asyncio.CancelledError):
            await working
    assert len(server.taken) < 10
    assert set(batch.outcomes) == set(batch.marked) == set(server.readers)
    assert set(batch.verdicts().values()) == {Verdict.SENT}


@pytest.mark.parametrize("what", ["a turn", "a connection"])
async def test_an_end_is_not_kept_waiting(server: MailServer, what: str) -> None:
    async def never() -> Connection:
        await asyncio.sleep(60)
        raise AssertionError

    connect = never if what == "a connection" else transport(server.url)
    sender: Sender[To] = Sender(connect, rate=0.01)
    stop = asyncio.Event()
    working = asyncio.create_task(sender.deliver(Batch(*readers(100)), stop))
    await asyncio.sleep(0.1)
    stop.set()
    await asyncio.wait_for(working, 1)
    await sender.close()


async def test_a_batch_does_not_wait_for_a_connection_that_it_needs_no_more(server: MailServer) -> None:
    reach, first = transport(server.url), True

    async def connect() -> Connection:
        nonlocal first
        if not first:
            await asyncio.sleep(60)
        first = False
        return await reach()

    batch = Batch(*readers(10))
    sender: Sender[To] = Sender(connect, connections=3)
    await asyncio.wait_for(sender.deliver(batch, asyncio.Event()), 5)
    await sender.close()
    assert server.readers == Counter(batch.items)


async def test_a_ledger_that_fails_lets_the_other_messages_come_to_their_end(server: MailServer) -> None:
    server.slowness = 0.3
    batch = Broken("slow-1@example.org", "slow-2@example.org", "fails-1@example.org", *readers(200))
    with pytest.raises(OSError, match="no ledger"):
        await deliver(batch, server.url, connections=3)
    # one whose record failed, and at most the next of that connection, whose content had not left
    left = set(batch.marked) - set(batch.outcomes)
    assert "fails-1@example.org" in left
    assert len(left) <= 2
    assert len(server.taken) < 200


async def test_an_envelope_that_was_announced_is_not_brought_after_a_stop(server: MailServer) -> None:
    """Its DATA may have been taken already: were the connection not given up, what comes next would be its content."""
    server.slowness = 0.3
    batch, stop = Batch(*readers(10, "slow")), asyncio.Event()
    sender: Sender[To] = Sender(transport(server.url), connections=1)
    working = asyncio.create_task(sender.deliver(batch, stop))
    await server.has_taken(1)
    await server.has_tried(1)
    stop.set()
    await working
    await server.has_open(0)
    await sender.deliver(Batch("other@example.org"), asyncio.Event())
    await sender.close()
    assert not server.breaches
    assert set(server.readers) == set(batch.outcomes) | {"other@example.org"}
    assert set(batch.given_back) == set(batch.items) - set(batch.outcomes)


async def test_a_server_that_refuses_the_sender_and_takes_the_rest_brings_nobody_an_empty_message(
    server: MailServer,
) -> None:
    server.refuses_mail = "550 5.7.1 not you"
    sender = await deliver(Batch(*readers(5)), server.url, connections=1)
    assert "refuses the sender" in sender.report.halted
    assert not server.taken
    assert not server.breaches


async def test_what_waits_for_a_slow_domain_is_kept_in_a_bounded_list(server: MailServer) -> None:
    batch = Batch(*(f"{n}@slow.example" for n in range(500)), *readers(20))
    sender: Sender[To] = Sender(transport(server.url), limits={"slow.example": Limit(rate=2)})
    stop = asyncio.Event()
    working = asyncio.create_task(sender.deliver(batch, stop))
    await server.has_taken(20)
    stop.set()
    await working
    await sender.close()
    assert len(batch.waits) >= 500 - AT_LEAST - 20
    # each is due when there is room for it, in lots of some seconds
    assert sorted(batch.waits.values()) == list(batch.waits.values())
    assert max(batch.waits.values()) > (500 - AT_LEAST) / 2 / 2
    assert set(batch.waits).isdisjoint(batch.outcomes)


@pytest.mark.parametrize("kind", [Batch, Resumed])
async def test_those_refused_before_do_not_make_a_good_domain_wait_when_a_run_begins_with_them(
    server: MailServer, kind: type[Batch]
) -> None:
    batch = kind(*readers(IN_A_DOMAIN + 2, "reject"), *readers(3))
    await deliver(batch, server.url, connections=1)
    good = set(readers(3))
    if kind is Resumed:
        assert {one for one in good if batch.verdicts().get(one) is Verdict.SENT} == good
    else:  # a domain of which nobody was served: it refuses all
        assert good <= set(batch.waits)


async def test_a_limit_of_connections_counts_messages_under_way_and_not_the_envelopes_beside_them(
    server: MailServer,
) -> None:
    server.slowness = 0.2
    addresses = [f"slow-{n}@few.example" for n in range(12)]
    sender: Sender[To] = Sender(transport(server.url), connections=4, limits={"few.example": Limit(connections=2)})
    began = asyncio.get_running_loop().time()
    await sender.deliver(Batch(*addresses), asyncio.Event())
    await sender.close()
    assert server.readers == Counter(addresses)
    # two at a time
    assert 6 * 0.2 <= asyncio.get_running_loop().time() - began < 10 * 0.2
    times = sorted(taken.at for taken in server.taken)
    assert all(later - first > 0.15 for first, later in zip(times, times[2:], strict=False))
