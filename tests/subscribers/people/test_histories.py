"""Any sequence of what can happen to a subscription, beside a small model of what may come of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.editions.model import Interests, Kind
from flows.outcomes import Outcome, Stage, Verdict
from flows.storage.database import Database, metadata
from subscribers.ledger.create_rows import readers_of
from subscribers.model import Letter, Subscription, SubscriptionState, Suppressed
from subscribers.people.outbox import Outbox
from subscribers.people.store import Change, Subscribers
from subscribers.policy import decide
from subscribers.preferences import Preferences, follow, leave_out, preferences_of
from subscribers.tables import subscriber, subscription
from tests.subscribers.everyone import DAY, HOUR, NOW, people, wish

SENT = Outcome(Verdict.SENT, Stage.CONTENT, 250)
ADDRESSES = ("ada@example.org", "ben@example.org")
NEVER, WAITS, READS, PAUSED, LEFT = None, "unconfirmed", "confirmed", "paused", "unsubscribed"


@dataclass(frozen=True)
class Settings:
    state: str | None = NEVER
    size: int | None = None
    keywords: tuple[str, ...] = ()
    leave_out: tuple[str, ...] = ()
    until: dt.date | None = None


@dataclass(frozen=True)
class Person:
    """What the model knows of an address on the newsletter."""

    has: Settings = Settings()
    barred: Suppressed | None = None
    has_left: bool = False
    asked_at: dt.datetime | None = None
    had: Settings | None = None
    """What an undo brings back."""
    had_at: dt.datetime | None = None
    when_left: Settings | None = None
    """What a sign-up that is not confirmed leaves behind."""

    @property
    def reads(self) -> bool:
        return self.has.state in (READS, PAUSED)

    @property
    def barred_for_good(self) -> bool:
        return self.barred not in (None, Suppressed.ERASED)


@dataclass
class Step:
    now: dt.datetime
    value: int
    """What the deed varies."""

    @property
    def stale(self) -> bool:
        """Whether an undo comes from a page that shows an older change."""
        return self.value == 3


Model = Callable[[Person, Step], Person]


def changed(person: Person, has: Settings, step: Step) -> Person:
    if has == person.has:
        return person
    return replace(person, has=has, had=person.has, had_at=step.now, has_left=has.state == LEFT)


def sign_up(person: Person, step: Step) -> Person:
    if person.barred_for_good or person.reads:
        return person
    waits = replace(person, has=Settings(WAITS), asked_at=step.now, had=None)
    return replace(waits, when_left=person.has) if person.has.state == LEFT else waits


def confirm(person: Person, step: Step) -> Person:
    if person.barred_for_good or person.has.state != WAITS:
        return person
    return Person(has=replace(person.has, state=READS))


def change(person: Person, step: Step) -> Person:
    has = replace(person.has, size=step.value, keywords=(), leave_out=left_out(step))
    return changed(person, has, step) if person.reads else person


def left_out(step: Step) -> tuple[str, ...]:
    return ("moss", "Ada Brook")[: step.value - 1]


def teach(person: Person, step: Step) -> Person:
    """What papers share is followed, as after more like one of them, and left out no longer."""
    word, was = named(step), person.has
    keywords = was.keywords if word in was.keywords else (*was.keywords, word)
    has = replace(was, keywords=keywords, leave_out=tuple(one for one in was.leave_out if one != word))
    return changed(person, has, step) if person.reads else person


def less(person: Person, step: Step) -> Person:
    """What a paper holds is left out, and followed no longer."""
    word, was = named(step), person.has
    left_out = was.leave_out if word in was.leave_out else (*was.leave_out, word)
    has = replace(was, leave_out=left_out, keywords=tuple(one for one in was.keywords if one != word))
    return changed(person, has, step) if person.reads else person


def named(step: Step) -> str:
    return ("moss", "Ada Brook")[step.value % 2]


def pause(person: Person, step: Step) -> Person:
    return changed(person, replace(person.has, state=PAUSED, until=until(step)), step) if person.reads else person


def until(step: Step) -> dt.date:
    return step.now.date() + dt.timedelta(days=step.value)


def resume(person: Person, step: Step) -> Person:
    return changed(person, replace(person.has, state=READS, until=None), step) if person.reads else person


def undo(person: Person, step: Step) -> Person:
    too_late = person.had_at is None or step.now - person.had_at >= DAY
    if person.had is None or too_late or person.barred or step.stale:
        return person
    return changed(person, person.had, step)


def unsubscribe(person: Person, step: Step) -> Person:
    if person.has.state == WAITS:
        return withdrawn(person)
    return changed(person, replace(person.has, state=LEFT), step) if person.reads else person


def withdrawn(person: Person) -> Person:
    has = replace(person.when_left or person.has, state=LEFT)
    return replace(person, has=has, has_left=True, asked_at=None, had=None, when_left=None)


def suppress(person: Person, step: Step) -> Person:
    return replace(person, barred=list(Suppressed)[step.value % 3])


def lift(person: Person, step: Step) -> Person:
    return replace(person, barred=None)


def erase(person: Person, step: Step) -> Person:
    return person if person.has.state is NEVER else Person(barred=person.barred or Suppressed.ERASED)


def forget(person: Person, step: Step) -> Person:
    if person.asked_at is None or step.now - person.asked_at <= 7 * DAY:
        return person
    return withdrawn(person) if person.has_left else Person(barred=person.barred)


def bring_in(person: Person, step: Step) -> Person:
    """By an operator's list, as confirmed."""
    if person.barred or person.has_left or person.has.state == READS:
        return person
    return replace(person, has=replace(person.has, state=READS), asked_at=None, had=None)


_MODELS: tuple[Model, ...] = (sign_up, confirm, change, teach, less, pause, resume, undo)
_MODELS += (unsubscribe, suppress, lift, erase, forget, bring_in)
MODELS = {model.__name__: model for model in _MODELS}


class World:
    """The store, and the numbers under which its readers' links know them."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.store: Subscribers = people(database)
        self.numbers = dict.fromkeys(ADDRESSES, 999)

    async def find(self, email: str) -> Subscription | None:
        found = await self.store.by_address(email, "daily")
        if found is not None:
            self.numbers[email] = found.id
        return found

    def deed(self, name: str, email: str, step: Step, revision: int) -> Callable[[], Awaitable[Any]]:
        """What does it; a link that somebody kept may be for a number that is erased."""
        store, number = self.store, self.numbers[email]
        listed = Change(email=email, newsletter="daily", columns={"state": SubscriptionState.CONFIRMED})
        preferences = Preferences(interests=Interests(size=step.value, leave_out=left_out(step)))
        deeds: dict[str, Callable[[], Awaitable[Any]]] = {
            "sign_up": lambda: store.sign_up(wish(email), step.now),
            "confirm": lambda: store.confirm(number, step.now),
            "change": lambda: store.change(number, preferences, step.now),
            "teach": lambda: self._wish(number, step, lambda has: follow(has, keywords=[named(step)])),
            "less": lambda: self._wish(number, step, lambda has: leave_out(has, [named(step)])),
            "pause": lambda: store.pause(number, until(step), step.now),
            "resume": lambda: store.resume(number, step.now),
            "undo": lambda: store.undo(number, revision - step.stale, step.now),
            "unsubscribe": lambda: store.unsubscribe(number, step.now),
            "suppress": lambda: store.suppress(email, list(Suppressed)[step.value % 3], step.now),
            "lift": lambda: store.lift(email, step.now),
            "erase": lambda: store.erase(number, step.now),
            "forget": lambda: store.forget_unconfirmed(step.now),
            "bring_in": lambda: store.keep([listed], step.now),
        }
        return deeds[name]

    async def _wish(self, number: int, step: Step, wanted: Callable[[Preferences], Preferences]) -> Subscription | None:
        """By a page that offers something beside what its reader has."""
        found = await self.store.get(number)
        return await self.store.change(number, wanted(preferences_of(found)), step.now) if found else None

    async def check(self, email: str, person: Person, now: dt.datetime) -> None:
        """That what is kept is what the model says, and nobody gets an edition who should not."""
        found = await self.find(email)
        if found is None:
            assert person.has.state is NEVER
        else:
            likes = found.interests
            has = Settings(found.state, likes.size, likes.keywords, likes.leave_out, found.paused_until)
            assert (has, found.suppressed, found.left_at is not None) == (person.has, person.barred, person.has_left)
        today = now.date()
        over = person.has.until is not None and person.has.until <= today
        gets = person.barred is None and (person.has.state == READS or (person.has.state == PAUSED and over))
        query = sa.select(subscription.c.id).join(subscriber).where(subscriber.c.email == email)
        async with self.database.read() as connection:
            read = (await connection.scalars(query.where(*readers_of("daily", Kind.DAILY, today)))).all()
        assert bool(read) is gets
        assert (found is not None and decide(found, today) == "") is gets

    async def post(self, persons: dict[str, Person], now: dt.datetime) -> None:
        """Sends what is due: no letter to whoever should have none."""
        box = Outbox(self.database)
        while (item := await box.claim(now)) is not None:
            person = persons[item.to]
            assert person.barred is None or (person.barred is Suppressed.ERASED and item.kind is Letter.CONFIRM)
            assert {Letter.CONFIRM: person.has.state == WAITS, Letter.WELCOME: person.has.state == READS}.get(
                item.kind, person.reads
            )
            assert await box.record(item, SENT, now)


deeds = st.tuples(
    st.sampled_from([*MODELS, "sign_up", "confirm", "teach", "less", "undo", "unsubscribe", "wait", "post"]),
    st.sampled_from([ADDRESSES[0], *ADDRESSES]),
    st.integers(1, 3),
    st.sampled_from([1, 12, 30, 8 * 24]),
)

beginnings: st.SearchStrategy[list[tuple[str, str, int, int]]] = st.sampled_from(
    [
        [],
        [("sign_up", ADDRESSES[0], 1, 0), ("confirm", ADDRESSES[0], 1, 0)],
        [("sign_up", ADDRESSES[0], 1, 0), ("confirm", ADDRESSES[0], 1, 0), ("teach", ADDRESSES[0], 1, 0)],
    ]
)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(beginning=beginnings, more=st.lists(deeds, min_size=12, max_size=30))
async def test_no_history_ends_in_a_state_that_the_model_does_not_know(
    database: Database, beginning: list[tuple[str, str, int, int]], more: list[tuple[str, str, int, int]]
) -> None:
    """Each deed is done twice, as by somebody who presses a button twice: the second time changes nothing."""
    async with database.write() as connection:
        for table in reversed(metadata.sorted_tables):
            await connection.execute(sa.delete(table))
    world, now = World(database), NOW
    persons = dict.fromkeys(ADDRESSES, Person())
    for name, email, value, hours in beginning + more:
        if name == "wait":
            now += hours * HOUR
        elif name == "post":
            await world.post(persons, now)
        else:
            step = Step(now, value)
            found = await world.find(email)
            revision = found.revision if found else 1
            everybody = ADDRESSES if name == "forget" else (email,)
            persons |= {one: MODELS[name](persons[one], step) for one in everybody}
            for _ in range(2):
                answer = await world.deed(name, email, step, revision)()
                assert name != "sign_up" or answer is None
                for one in ADDRESSES:
                    await world.check(one, persons[one], now)
    assert await world.store.pending() == sum(person.has.state == WAITS for person in persons.values())
