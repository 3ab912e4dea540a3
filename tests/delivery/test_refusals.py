"""Mail servers that say no, whosever fault it is: what becomes of the readers, on SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from flows.delivery.run import Delivered, deliver, deliver_due, open_rows, work
from flows.sending.brakes import IN_A_DOMAIN, IN_A_ROW
from flows.storage.database import Database
from subscribers.model import DeliveryState, Suppressed
from subscribers.tables import batch, bounce, subscriber
from tests import factories
from tests.delivery.test_run import LATER, Scene, about_the_mail_server_alone, cards
from tests.sending.smtp import mail_server

SENT, PENDING, DEFERRED = DeliveryState.SENT, DeliveryState.PENDING, DeliveryState.DEFERRED
REJECTED, UNCERTAIN = DeliveryState.REJECTED, DeliveryState.UNCERTAIN


@pytest.fixture
async def scene(database: Database, tmp_path: Path) -> AsyncIterator[Scene]:
    async with mail_server() as server:
        yield Scene(database, tmp_path, server)


def over_domains(number: int, domains: int = 10) -> list[str]:
    return [f"reader-{n}@d{n % domains}.example" for n in range(number)]


async def suppressed(scene: Scene) -> dict[str, str]:
    query = sa.select(subscriber.c.email, subscriber.c.suppressed).where(subscriber.c.suppressed.is_not(None))
    async with scene.database.read() as connection:
        return {row.email: row.suppressed for row in await connection.execute(query)}


@pytest.mark.parametrize(
    ("at", "answer"),
    [
        ("RCPT", "550 relay not permitted"),
        ("RCPT", "550 5.1.1 no such user"),
        ("content", "554 Message rejected: Email address is not verified"),
        ("content", "554 5.7.1 not wanted"),
    ],
)
async def test_a_server_that_refuses_everybody_stops_the_run_and_costs_nobody_anything(
    scene: Scene, at: str, answer: str
) -> None:
    """Once it is mended the same command reaches everybody."""
    addresses = over_domains(200)
    if at == "RCPT":
        scene.server.refuses = lambda _: answer
    else:
        scene.server.refuses_content = lambda _: answer
    await scene.begin(*addresses)
    delivered = await scene.deliver(**LATER)
    assert "check whether it may send for PAPERROUND_SENDER" in delivered.halted
    assert delivered.counts == {PENDING: 200}
    assert scene.server.tries.total() <= IN_A_ROW + 2 * scene.context.settings.mail_connections
    assert await suppressed(scene) == {}
    first = set(scene.server.tries)

    await scene.deliver(**LATER)  # what stopped one run does not stand first in the next
    assert not first & (set(scene.server.tries) - first)
    assert len(set(scene.server.tries)) > len(first)

    scene.server.refuses = scene.server.refuses_content = lambda _: ""
    assert (await scene.deliver(**LATER)).counts == {SENT: 200}
    assert scene.server.readers == Counter(addresses)


async def test_a_company_that_refuses_all_its_readers_keeps_nobody_else_from_theirs(scene: Scene) -> None:
    company = [f"reader-{n}@company.example" for n in range(30)]
    others = [f"other-{n}@example.org" for n in range(20)]
    scene.server.refuses = lambda address: "550 5.7.1 blocked" if address.endswith("@company.example") else ""
    await scene.begin(*company, *others)
    delivered = await scene.deliver(**LATER)
    assert not delivered.halted
    states = await scene.states()
    assert {states[one] for one in others} == {SENT}
    assert {states[one] for one in company} <= {DEFERRED, PENDING}
    assert scene.server.tries.total() < 20 + 20
    assert delivered.next_due is not None
    assert await suppressed(scene) == {}

    scene.server.refuses = lambda _: ""
    scene.clock.forward(minutes=16)
    assert (await scene.deliver(**LATER)).counts == {SENT: 50}


async def test_who_is_refused_alone_in_a_later_run_is_judged_by_what_their_domain_took_before(scene: Scene) -> None:
    answer = "451 4.3.0 not now"
    scene.server.refuses = lambda address: answer if address.startswith("odd") else ""
    await scene.begin("odd@d1.example", "odd@other.example", *over_domains(20))
    assert (await scene.deliver(**LATER)).counts == {SENT: 20, DEFERRED: 2}
    answer = "550 5.7.1 not you"
    scene.clock.forward(hours=1)
    await deliver_due(scene.context, "daily", lambda _: None)
    states = await scene.states()
    assert (states["odd@d1.example"], states["odd@other.example"]) == (REJECTED, DEFERRED)
    assert await suppressed(scene) == {}


@about_the_mail_server_alone
@pytest.mark.parametrize("answer", ["530 5.7.0 log in", "535 5.7.8 no", "550 5.1.7 bad", "550 5.1.8 no such domain"])
async def test_one_reader_at_whom_our_sender_is_refused_is_put_off(scene: Scene, answer: str) -> None:
    scene.server.refuses = lambda address: answer if address.startswith("odd") else ""
    addresses = ["odd@odd.example", *over_domains(40)]
    await scene.begin(*addresses)
    for _ in range(2):
        delivered = await scene.deliver(**LATER)
        assert not delivered.halted
        assert delivered.counts == {SENT: 40, DEFERRED: 1}

    scene.server.refuses = lambda address: answer
    await scene.subscribe(*(f"new-{n}@new{n}.example" for n in range(10)))
    delivered = await scene.deliver(**LATER)
    assert "check PAPERROUND_SENDER" in delivered.halted or "user and password" in delivered.halted
    assert delivered.counts == {SENT: 40, DEFERRED: 1, PENDING: 10}


@about_the_mail_server_alone
async def test_who_is_refused_again_and_again_ends_no_later_run(scene: Scene) -> None:
    """Several at whom our sender is refused, a company that refuses all of its own, and many domains that block us:
    they alone are left by then."""
    odd = [f"odd@odd{n}.example" for n in range(5)]
    company = [f"reader-{n}@company.example" for n in range(25)]
    blocks = [f"reader@blocks{n}.example" for n in range(40)]

    def refuses(address: str) -> str:
        if address in odd:
            return "550 5.1.8 no such domain"
        return "550 5.7.1 blocked" if address in company or address in blocks else ""

    scene.server.refuses = refuses
    good = over_domains(225)
    among = [one for n, bad in enumerate([*odd, *blocks]) for one in (*good[5 * n : 5 * n + 5], bad)]
    await scene.begin(*among, *company)
    assert not (await scene.deliver(**LATER)).halted
    for _ in range(30):
        scene.clock.forward(hours=2, minutes=1)
        for delivered in await deliver_due(scene.context, "daily", lambda _: None):
            assert isinstance(delivered, Delivered)
            assert not delivered.halted, delivered
        if set((await scene.states()).values()) == {SENT, REJECTED}:
            break
    counts = Counter((await scene.states()).values())
    assert counts == {SENT: 225, REJECTED: 70}
    assert await suppressed(scene) == {}


@about_the_mail_server_alone
@pytest.mark.parametrize(
    ("at", "answer"),
    [
        ("MAIL", "421 4.7.0 enough for one connection"),
        ("MAIL", "451 4.3.0 later"),
        ("RCPT", "452 4.5.3 too many recipients"),
        ("RCPT", "452 4.3.0 later"),
        ("DATA", "451 4.3.0 later"),
    ],
)
async def test_a_limit_of_a_session_is_learnt_however_it_is_said(scene: Scene, at: str, answer: str) -> None:
    scene.server.per_connection, scene.server.spent = 5, (at, answer)
    scene.with_settings(mail_connections=2)
    await scene.begin(*over_domains(100))
    delivered = await scene.deliver(**LATER)
    assert not delivered.halted
    # before it is learnt a plain 4xx may be about a reader: a few are put off
    assert delivered.counts[SENT] >= 92
    assert set(delivered.counts) <= {SENT, DEFERRED}
    scene.clock.forward(minutes=2)
    assert (await scene.deliver(**LATER)).counts == {SENT: 100}
    assert scene.server.connections <= 2 * (100 // 5)
    assert scene.server.readers == Counter(over_domains(100))


@about_the_mail_server_alone
@pytest.mark.parametrize(
    "answer",
    [
        "550 No such user here",
        "550 Unrouteable address",
        "550 sorry, no mailbox (#5.1.1)",
        "554 5.4.1 Access denied",
        "554 delivery error: dd This user doesn't have an account here",
        "550 5.2.1 disabled",
    ],
)
async def test_a_reader_who_is_unknown_in_words_alone_is_not_asked_for_again(scene: Scene, answer: str) -> None:
    scene.server.refuses = lambda address: answer if address.startswith("gone") else ""
    await scene.begin("gone@gone.example", *over_domains(20))
    assert (await scene.deliver(**LATER)).counts == {SENT: 20, REJECTED: 1}
    assert await suppressed(scene) == {"gone@gone.example": Suppressed.HARD_BOUNCE}


async def test_a_reader_who_is_refused_in_five_editions_in_a_row_is_not_asked_for_again(scene: Scene) -> None:
    scene.server.refuses = lambda address: "550 no" if address.startswith("never") else ""
    addresses = ["never@odd.example", *over_domains(8)]
    await scene.subscribe(*addresses)
    for day in range(5):
        assert await suppressed(scene) == {}
        edition = factories.edition(day=factories.DAY + dt.timedelta(days=day))
        frozen = await scene.context.store.freeze(edition, cards(), scene.clock())
        await deliver(scene.context, frozen, lambda _: None, wait=dt.timedelta(0))
        scene.clock.forward(days=1)
    assert await suppressed(scene) == {"never@odd.example": Suppressed.REFUSED}


@about_the_mail_server_alone
async def test_a_throttle_without_its_code_slows_down(scene: Scene) -> None:
    """It was 300 in 0.3 seconds."""
    scene.server.refuses_content = lambda _: "454 Throttling failure: Maximum sending rate exceeded"
    await scene.begin(*over_domains(300, 3))
    delivered = await scene.deliver(**LATER)
    assert not delivered.halted
    assert scene.server.tries.total() < 120
    assert set(delivered.counts) == {DEFERRED, PENDING}


@about_the_mail_server_alone
async def test_a_server_that_is_away_for_a_while_is_waited_for_and_that_is_said(scene: Scene) -> None:
    scene.with_settings(mail_wait=30)
    await scene.begin(*over_domains(60))
    said: list[str] = []
    working = asyncio.create_task(deliver(scene.context, await scene.frozen(), said.append, wait=dt.timedelta(0)))
    await scene.server.has_taken(20)
    await scene.server.stop()
    await asyncio.sleep(4)
    await scene.server.start()
    delivered = await asyncio.wait_for(working, 40)
    assert not delivered.halted
    assert delivered.counts[SENT] >= 60 - 2 * 4
    assert any("It is waited for, up to 30 seconds" in sentence for sentence in said)
    assert "The mail server is there again." in said


@about_the_mail_server_alone
async def test_a_slow_domain_goes_back_to_the_ledger_and_nobody_behind_it_waits(scene: Scene) -> None:
    slow = [f"{n}@slow.example" for n in range(1200)]
    others = [f"{n}@fast.example" for n in range(50)]
    scene.server.keeps_content = False
    scene.with_settings(mail_limits="slow.example = 50/s")
    await scene.begin(*slow, *others)
    began = asyncio.get_running_loop().time()
    working = asyncio.create_task(scene.deliver())
    while sum(one.recipient.endswith("@fast.example") for one in scene.server.taken) < 50:
        await asyncio.sleep(0.05)
        assert not working.done()
    # the rate alone would let those before them leave in 24 seconds
    assert scene.server.taken[-1].at - began < 8
    assert (await asyncio.wait_for(working, 60)).counts == {SENT: 1250}
    assert set(scene.server.readers.values()) == {1}


@about_the_mail_server_alone
async def test_a_stop_waits_for_no_hung_envelope(scene: Scene) -> None:
    await scene.begin(*(f"hang-{n}@example.org" for n in range(8)))
    stop = asyncio.Event()
    working = asyncio.create_task(scene.deliver(stop=stop))
    await scene.server.has_tried(4)
    stop.set()
    delivered = await asyncio.wait_for(working, 5)
    assert delivered.counts == {PENDING: 8}


@about_the_mail_server_alone
async def test_a_stop_waits_for_what_is_marked_beside_hung_envelopes(scene: Scene) -> None:
    scene.server.slowness = 3.5
    await scene.begin("slow-1@example.org", *(f"hang-{n}@example.org" for n in range(8)))
    stop = asyncio.Event()
    working = asyncio.create_task(scene.deliver(stop=stop))
    await scene.server.has_taken(1)
    await scene.server.has_tried(3)
    stop.set()
    delivered = await asyncio.wait_for(working, 5)
    assert delivered.counts == {SENT: 1, PENDING: 8}


@about_the_mail_server_alone
async def test_deliveries_of_one_machine_share_its_connections(scene: Scene) -> None:
    scene.with_settings(size=20, mail_connections=4)
    scene.server.slowness = 0.05
    await scene.begin(*(f"slow-{n}@example.org" for n in range(120)))
    most = 0

    async def watch() -> None:
        nonlocal most
        while True:
            most = max(most, len(scene.server._open))
            await asyncio.sleep(0.005)

    watching = asyncio.create_task(watch())
    done = await asyncio.gather(*(scene.deliver() for _ in range(4)))
    watching.cancel()
    assert most <= 4
    assert done[0].counts == {SENT: 120}
    assert scene.server.readers == Counter(f"slow-{n}@example.org" for n in range(120))


@about_the_mail_server_alone
async def test_a_limit_of_a_domains_connections_is_that_of_all_processes_together(scene: Scene) -> None:
    """Two that share a delivery have half of it each, and what counts are the messages under way."""
    scene.with_settings(size=5, mail_limits="few.example = 2 connections", mail_connections=8)
    scene.server.slowness = 0.3
    await scene.begin(*(f"slow-{n}@few.example" for n in range(10)), *over_domains(20))
    frozen = await scene.frozen()
    await open_rows(scene.context, frozen, lambda _: None)

    async def share() -> None:
        await work(scene.context, frozen, scene.clock(), asyncio.Event(), lambda _: None, share=2)

    await asyncio.gather(share(), share())
    times = sorted(taken.at for taken in scene.server.taken if taken.recipient.endswith("@few.example"))
    assert len(times) >= 4
    assert all(later - first > 0.25 for first, later in zip(times, times[2:], strict=False))


@about_the_mail_server_alone
@pytest.mark.parametrize(
    ("kind", "state"),
    [("void", REJECTED), ("chatty", DEFERRED), ("early", SENT), ("babble", DEFERRED)],
)
async def test_a_server_that_breaks_the_protocol_harms_one_reader_alone(
    scene: Scene, kind: str, state: DeliveryState
) -> None:
    await scene.begin(f"{kind}-1@example.org", *over_domains(30))
    delivered = await scene.deliver(**LATER)
    assert not delivered.halted
    assert not scene.server.breaches
    states = await scene.states()
    assert states[f"{kind}-1@example.org"] is state
    assert delivered.counts[SENT] == 30 + (state is SENT)
    assert set(scene.server.readers.values()) == {1}


# --- very many at once


async def held_states(scene: Scene) -> Counter[str]:
    async with scene.database.read() as connection:
        return Counter(await connection.scalars(sa.select(bounce.c.state)))


async def test_a_domain_that_knows_half_of_its_readers_no_more_has_them_held_for_the_operator(scene: Scene) -> None:
    """Between others that it takes, so that no run of refusals closes it."""
    there = [f"there-{n}@half.example" for n in range(14)]
    lost = [f"lost-{n}@half.example" for n in range(14)]
    mixed_up = [one for pair in zip(there, lost, strict=True) for one in pair]
    scene.server.refuses = lambda address: "550 5.1.1 no such user" if address.startswith("lost") else ""
    await scene.begin(*mixed_up, "lost-1@other.example", *over_domains(20))
    said: list[str] = []
    delivered = await deliver(scene.context, await scene.frozen(), said.append, wait=dt.timedelta(0))
    assert delivered.counts == {SENT: 34, REJECTED: 15}
    assert await suppressed(scene) == {"lost-1@other.example": Suppressed.HARD_BOUNCE}
    assert await held_states(scene) == {"held": 14, "suppressed": 1}
    assert sum("held for you" in sentence for sentence in said) == 1
    assert "14 readers are held for you" in delivered.sentence
    (waiting,) = await scene.context.held_bounces.waiting()
    assert (waiting.domain, waiting.readers) == ("half.example", 14)
    # they are no bounces of what was sent
    rates = await scene.context.rates.of_edition((await scene.frozen()).id, scene.clock())
    assert (rates.sent, rates.rejected, rates.hard) == (34, 15, 0)

    # the next edition goes to them, and when the server is well again they have it
    scene.clock.forward(hours=1)
    scene.server.refuses = lambda _: ""
    assert await scene.context.held_bounces.decide(scene.clock(), suppress=False) == 14
    edition = factories.edition(day=factories.DAY + dt.timedelta(days=1))
    frozen = await scene.context.store.freeze(edition, cards(), scene.clock())
    assert (await deliver(scene.context, frozen, said.append, wait=LATER["wait"])).counts == {SENT: 48}


async def test_what_a_tenth_of_all_readers_are_refused_as_in_a_day_is_held(scene: Scene) -> None:
    addresses = [f"{'lost' if n % 4 == 1 else 'reader'}-{n}@d{n % 97}.example" for n in range(480)]
    scene.server.refuses = lambda address: "550 No such user here" if address.startswith("lost") else ""
    scene.server.keeps_content = False
    await scene.begin(*addresses)
    delivered = await scene.deliver(**LATER)
    assert delivered.counts == {SENT: 360, REJECTED: 120}
    assert await suppressed(scene) == {}
    assert await held_states(scene) == {"held": 120}
    assert await scene.context.held_bounces.decide(scene.clock(), suppress=True) == 120
    assert len(await suppressed(scene)) == 120


@about_the_mail_server_alone
async def test_very_many_who_are_refused_in_five_editions_in_a_row_are_held_too(scene: Scene) -> None:
    """Without being said to be dead. Those who were suppressed before it was seen how many they are come back."""
    never = [f"never-{n}@odd.example" for n in range(12)]
    there = [f"there-{n}@odd.example" for n in range(12)]
    scene.server.refuses = lambda address: "550 no" if address.startswith("never") else ""
    await scene.subscribe(*(one for pair in zip(there, never, strict=True) for one in pair), *over_domains(8))
    for day in range(5):
        assert await held_states(scene) == {}
        edition = factories.edition(day=factories.DAY + dt.timedelta(days=day))
        frozen = await scene.context.store.freeze(edition, cards(), scene.clock())
        await deliver(scene.context, frozen, lambda _: None, wait=dt.timedelta(0))
        scene.clock.forward(days=1)
    assert await suppressed(scene) == {}
    assert await held_states(scene) == {"held": 12}


async def test_who_was_freed_and_is_refused_again_is_suppressed_again(scene: Scene) -> None:
    scene.server.refuses = lambda address: "550 5.1.1 no such user" if address.startswith("gone") else ""
    await scene.begin("gone@gone.example", *over_domains(20))
    await scene.deliver(**LATER)
    scene.clock.forward(hours=1)
    assert await scene.context.subscribers.lift("gone@gone.example", scene.clock())
    assert await suppressed(scene) == {}
    frozen = await scene.frozen()
    assert await scene.context.held.resend(frozen.id, scene.clock(), rejected=True) == 1
    await scene.subscribe("new@d1.example")
    await scene.deliver(**LATER)
    assert await suppressed(scene) == {"gone@gone.example": Suppressed.HARD_BOUNCE}


ROWS = {
    "550 5.1.1 no such user": REJECTED,
    "550 No such user here": REJECTED,
    "550 5.7.1 not you": {REJECTED, DEFERRED},
    "452 4.2.2 mailbox full": DEFERRED,
    "535 5.7.8 no": DEFERRED,
    "550 no": REJECTED,
}
DOMAINS = {
    "company.example": "550 5.7.1 blocked",
    "table.example": "550 5.1.1 no such user",
    "throttle.example": "454 Throttling failure: Maximum sending rate exceeded",
}
"""Those that answer everybody alike: at RCPT, the last one to the content."""


def mixed(number: int) -> dict[str, int | None]:
    """Readers over 36 domains that are well, one in twenty of them with an answer of their own, three that refuse
    everybody and a slow one; each with the place of their answer in ROWS."""
    found: dict[str, int | None] = {}
    closed = dict(zip((3, 13, 23, 33), (*DOMAINS, "slow.example"), strict=True))
    for n in range(number):
        if domain := closed.get(n % 40):
            found[f"reader-{n}@{domain}"] = None
        else:
            bad = n % 21 == 7
            found[f"{'bad' if bad else 'reader'}-{n}@d{n % 40}.example"] = n % 6 if bad else None
    return found


async def test_a_mixed_list_of_5000_over_40_domains_ends_as_each_row_says(scene: Scene) -> None:
    """Some readers have an answer of their own; a company refuses everybody, another one has lost its table of users, a
    third one throttles; one is slow; a session is limited; the server is away for four seconds in the middle."""
    answers, everybody, server = list(ROWS), mixed(5000), scene.server

    def refuses(address: str) -> str:
        domain = address.partition("@")[2]
        if domain == "throttle.example":
            return ""
        place = everybody[address]
        return DOMAINS.get(domain, "") if place is None else answers[place]

    server.refuses, server.keeps_content = refuses, False
    throttled = DOMAINS["throttle.example"]
    server.refuses_content = lambda address: throttled if address.endswith("@throttle.example") else ""
    server.per_connection, server.spent = 50, ("RCPT", "452 4.5.3 too many")
    scene.with_settings(mail_wait=30, mail_limits="slow.example = 50/s")
    await scene.begin(*everybody)
    working = asyncio.create_task(scene.deliver(**LATER))
    await server.has_taken(2000)
    await server.stop()
    await asyncio.sleep(4)
    await server.start()
    delivered = await working
    assert not delivered.halted
    states = await scene.states()
    cut, early = 0, set[str]()
    for address, place in everybody.items():
        domain = address.partition("@")[2]
        if place is not None:
            wanted = ROWS[answers[place]]
            right = states[address] in (wanted if isinstance(wanted, set) else {wanted})
        elif domain in DOMAINS:
            right = states[address] in (DEFERRED, PENDING)
            if domain == "table.example" and states[address] is REJECTED:  # before it was closed
                early.add(address)
                right = True
        else:
            right = states[address] is SENT or (domain == "slow.example" and states[address] is PENDING)
        if not right:
            assert states[address] in (DEFERRED, UNCERTAIN, PENDING), (address, states[address])
            cut += 1  # it was under way when the server went
    assert cut <= 2 * scene.context.settings.mail_connections
    dead = {one for one, place in everybody.items() if place in (0, 1) and states[one] is REJECTED}
    assert await suppressed(scene) == dict.fromkeys(dead | early, Suppressed.HARD_BOUNCE)
    assert len(early) < IN_A_DOMAIN
    for domain in DOMAINS:
        assert sum(tries for one, tries in server.tries.items() if one.endswith(f"@{domain}")) < 60
    assert set(server.readers.values()) == {1}
    assert await looked_after(scene) == 0

    # once all is mended the same command reaches whoever is left
    server.refuses = server.refuses_content = lambda _: ""
    scene.with_settings()
    scene.clock.forward(minutes=30)
    assert set((await scene.deliver(**LATER)).counts) == {SENT, REJECTED}
    assert set(await scene.states()) == set(everybody)
    twice = {one for one, number in server.readers.items() if number > 1}
    assert len(twice) <= scene.context.settings.mail_connections
    assert {states[one] for one in twice} <= {UNCERTAIN}


async def looked_after(scene: Scene) -> int:
    """How many open rows nobody will look at."""
    query = sa.text(
        "SELECT count(*) FROM delivery d WHERE d.state NOT IN ('sent', 'rejected', 'skipped') AND NOT EXISTS ("
        "SELECT 1 FROM batch b WHERE b.edition_id = d.edition_id AND d.subscription_id BETWEEN b.lo AND b.hi "
        "AND b.next_at IS NOT NULL)"
    )
    async with scene.database.read() as connection:
        assert await connection.scalar(sa.select(sa.func.count()).select_from(batch))
        return await connection.scalar(query) or 0
