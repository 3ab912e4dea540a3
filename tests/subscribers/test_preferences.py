from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.editions.model import EVERY, Interests
from subscribers.model import Frequency, Subscription, SubscriptionState
from subscribers.preferences import (
    MAX_AUTHORS,
    MAX_KEYWORDS,
    MAX_LEFT_OUT,
    MAX_SIZE,
    MAX_WORD,
    Preferences,
    Unusable,
    describe,
    follow,
    leave_out,
    mute,
    preferences_of,
    read_authors,
    read_form,
    read_keywords,
    read_pause,
    unmute,
    wanted_topics,
    written,
)
from tests import factories

TOPICS = ("agents", "code", "video")
ALL = Preferences()
PICKED = Preferences(interests=Interests(topics=frozenset({"agents", "code"})))
ONLY_FOLLOWED = Preferences(interests=Interests(muted=frozenset({EVERY}), keywords=("tensor",)))

some_topics = st.frozensets(st.sampled_from(TOPICS))
anybody = st.sampled_from([ALL, PICKED, ONLY_FOLLOWED, Preferences(interests=Interests(muted=frozenset({"video"})))])
forms = st.dictionaries(
    st.sampled_from(["topics", "keywords", "authors", "leave_out", "size", "frequency", "hour", "zone", "__proto__"]),
    st.lists(st.text(max_size=60) | st.sampled_from([*TOPICS, "weekly", "7", "Europe/Berlin", ""]), max_size=4),
)


def read(form: Mapping[str, Sequence[str]], before: Preferences | None = ALL) -> Preferences:
    found = read_form(form, TOPICS, before)
    assert isinstance(found, Preferences), found
    return found


def wrong(form: Mapping[str, Sequence[str]], before: Preferences | None = ALL) -> dict[str, str]:
    """The phrases of what is wrong, by field."""
    found = read_form({"topics": TOPICS, **form}, TOPICS, before)
    assert not isinstance(found, Preferences)
    return {name: key for name, (key, _) in found.items()}


# --- topics


@pytest.mark.parametrize(
    ("before", "ticked", "expected"),
    [
        (ALL, TOPICS, Interests()),
        (ALL, ("agents",), Interests(muted=frozenset({"code", "video"}))),
        (PICKED, ("agents",), Interests(topics=frozenset({"agents"}))),
        (PICKED, TOPICS, Interests()),
        (ONLY_FOLLOWED, (), ONLY_FOLLOWED.interests),
        (ONLY_FOLLOWED, ("video",), Interests(topics=frozenset({"video"}), keywords=("tensor",))),
        (None, (), Interests()),
        (None, TOPICS, Interests()),
        (None, ("video",), Interests(topics=frozenset({"video"}))),
    ],
)
def test_who_takes_all_gets_later_topics_too_and_who_picked_some_does_not(
    before: Preferences | None, ticked: Sequence[str], expected: Interests
) -> None:
    assert read({"topics": ticked}, before).interests == expected


def test_with_no_topic_there_must_be_something_to_follow() -> None:
    assert wrong({"topics": ()}) == {"topics": "errors.nothing_left"}
    assert read({"topics": (), "authors": ["Ada Brook"]}).interests.muted == {EVERY}


def test_a_mute_of_a_topic_that_is_not_shown_stays() -> None:
    before = Preferences(interests=Interests(muted=frozenset({"knitting"})))
    assert read({"topics": TOPICS}, before) == before


@given(anybody, some_topics)
def test_what_is_ticked_is_what_is_wanted(before: Preferences, ticked: frozenset[str]) -> None:
    found = read_form({"topics": sorted(ticked)}, TOPICS, before)
    if isinstance(found, Preferences):
        assert wanted_topics(found.interests, TOPICS) == ticked
        assert read({"topics": sorted(ticked)}, found) == found
        assert not (found.interests.topics and found.interests.muted)
    else:
        assert not ticked


@given(anybody, st.lists(st.tuples(st.booleans(), some_topics), max_size=6))
def test_muting_and_unmuting_does_that_and_never_ends_with_nothing(
    preferences: Preferences, steps: list[tuple[bool, frozenset[str]]]
) -> None:
    for off, slugs in steps:
        had = wanted_topics(preferences.interests, TOPICS)
        if off and had and had <= slugs and not preferences.interests.keywords:
            with pytest.raises(Unusable, match="nothing_left"):
                mute(preferences, slugs, TOPICS)
            continue
        preferences = (mute if off else unmute)(preferences, slugs, TOPICS)
        interests = preferences.interests
        assert wanted_topics(interests, TOPICS) == (had - slugs if off else had | slugs)
        assert wanted_topics(interests, TOPICS) or interests.keywords
        assert not (interests.topics and interests.muted)


# --- keywords and authors


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "tensor, graph network;diffusion\nsparse  attention",
            ("tensor", "graph network", "diffusion", "sparse attention"),
        ),
        ('"chain of thought, revisited" tensor', ("chain of thought, revisited", "tensor")),
        ("“graph network”, „tensor“", ("graph network", "tensor")),
        ("Tensor, tensor, TENSOR", ("Tensor",)),
        ('an "unfinished quote', ("an", "unfinished quote")),
        ('"with; a semicolon"', ("with a semicolon",)),
        ("zero\u200bwidth, \u202eback\x00wards\x07", ("zerowidth", "back wards")),
        (' ,;\n\r\n"" ', ()),
        ("Grüße", ("Grüße",)),
    ],
)
def test_keywords_are_read_as_they_are_typed(text: str, expected: tuple[str, ...]) -> None:
    assert read_keywords(text) == expected


@given(st.text(max_size=300))
def test_any_text_is_keywords_or_refused_and_none_can_do_harm(text: str) -> None:
    try:
        found = read_keywords(text)
    except Unusable:
        return
    assert len(found) <= MAX_KEYWORDS
    assert len({one.casefold() for one in found}) == len(found)
    for one in found:
        assert 0 < len(one) <= MAX_WORD
        assert one == " ".join(one.split())
        assert not set(one) & set(';"')
        assert not any(unicodedata.category(character) in {"Cc", "Cf", "Cs"} for character in one)
    assert read_keywords(written(found)) == found


def test_there_is_an_end_to_what_can_be_followed() -> None:
    assert len(read_keywords(",".join(f"word{n}" for n in range(MAX_KEYWORDS)))) == MAX_KEYWORDS
    assert wrong({"keywords": [",".join(f"word{n}" for n in range(MAX_KEYWORDS + 1))]}) == {
        "keywords": "errors.keywords_many"
    }
    assert wrong({"authors": ["\n".join(f"Ada {n}" for n in range(MAX_AUTHORS + 1))]}) == {
        "authors": "errors.authors_many"
    }
    assert read_authors("x" * MAX_WORD) == ("x" * MAX_WORD,)
    assert wrong({"keywords": ["x" * (MAX_WORD + 1)]}) == {"keywords": "errors.keywords_long"}
    assert wrong({"keywords": ["tensor, !?"]}) == {"keywords": "errors.keywords_empty"}


def test_more_like_this_adds_what_is_not_followed_yet() -> None:
    found = follow(
        ONLY_FOLLOWED, keywords=["Tensor", "graph"], authors=["Ada Brook"], topics=["video"], all_topics=TOPICS
    )
    assert found.interests == Interests(
        topics=frozenset({"video"}), keywords=("tensor", "graph"), authors=("Ada Brook",)
    )
    assert follow(found, keywords=["graph"], authors=["ada brook"], topics=["video"], all_topics=TOPICS) == found


def test_nobody_follows_too_much_by_a_tap() -> None:
    full = Preferences(interests=Interests(keywords=tuple(f"word{n}" for n in range(MAX_KEYWORDS))))
    assert follow(full, keywords=["word3"]) == full
    with pytest.raises(Unusable) as unusable:
        follow(full, keywords=["one more"])
    assert unusable.value.phrase == ("errors.keywords_many", {"most": MAX_KEYWORDS})


# --- the rest of the form


def test_less_like_this_leaves_out_and_follows_no_longer() -> None:
    before = follow(ALL, keywords=["tensor", "graph"], authors=["Ada Brook"])
    less = leave_out(before, ["Tensor", "ada brook"], topics=["video"], all_topics=TOPICS)
    assert less.interests == Interests(
        muted=frozenset({"video"}), keywords=("graph",), leave_out=("Tensor", "ada brook")
    )
    again = follow(less, keywords=["tensor"])
    assert (again.interests.keywords, again.interests.leave_out) == (("graph", "tensor"), ("ada brook",))


def test_less_like_this_never_ends_with_nothing_or_too_much() -> None:
    with pytest.raises(Unusable) as unusable:
        leave_out(ONLY_FOLLOWED, ["tensor"])
    assert unusable.value.phrase[0] == "errors.nothing_left"
    full = Preferences(interests=Interests(leave_out=tuple(f"word{n}" for n in range(MAX_LEFT_OUT))))
    with pytest.raises(Unusable) as unusable:
        leave_out(full, ["another"])
    assert unusable.value.phrase[0] == "errors.leave_out_many"


def test_nobody_follows_what_they_leave_out() -> None:
    assert wrong({"keywords": ["fern, moss"], "leave_out": ["Moss"]}) == {"leave_out": "errors.leave_out_followed"}
    assert wrong({"authors": ["Ada Brook"], "leave_out": ["ada brook"]}) == {"leave_out": "errors.leave_out_followed"}


def test_a_form_says_everything() -> None:
    form = {
        "topics": ["agents", "code"], "keywords": ["tensor"], "authors": ["Ada Brook"], "size": ["12"],
        "leave_out": ['fern, "Dunmore, Cleo"'], "frequency": ["weekly"], "weekday": ["5"], "hour": ["7"],
        "zone": ["Europe/Berlin"],
    }  # fmt: skip
    found = read(form)
    assert found == Preferences(
        interests=Interests(
            muted=frozenset({"video"}),
            keywords=("tensor",),
            authors=("Ada Brook",),
            leave_out=("fern", "Dunmore, Cleo"),
            size=12,
        ),
        frequency=Frequency.WEEKLY,
        weekday=5,
        hour=7,
        zone="Europe/Berlin",
    )
    assert read({"topics": ["agents", "code"]}, found) == found
    emptied = read({"topics": TOPICS, "size": [""], "hour": [" "], "frequency": ["daily"]}, found)
    assert (emptied.interests.size, emptied.hour, emptied.weekday) == (None, None, None)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("size", text) for text in ("0", str(MAX_SIZE + 1), "-1", "1.5", "²", "٣", "9" * 99, "x", "1\x00")),
        *(("hour", text) for text in ("24", "-1", "seven", "07:00")),
        *(("weekday", text) for text in ("7", "mon", "-1")),
        *(("frequency", text) for text in ("", "hourly", "DAILY", "__proto__")),
        *(
            ("zone", text)
            for text in ("", "Mars/Base", "../../etc/passwd", "/etc/passwd", "UTC\x00", "Europe", "x" * 999)
        ),
    ],
)
def test_what_can_not_be_is_named_by_its_field(field: str, value: str) -> None:
    assert wrong({field: [value]}) == {field: f"errors.{field}"}


def test_an_unknown_topic_is_named() -> None:
    found = read_form({"topics": ["agents", "knitting" * 20]}, TOPICS, ALL)
    assert isinstance(found, dict)
    key, values = found["topics"]
    assert key == "errors.topic"
    assert len(values["value"]) <= 40


def test_all_that_is_wrong_is_said_at_once() -> None:
    assert set(wrong({"topics": ["x"], "size": ["x"], "hour": ["x"], "zone": ["x"]})) == {
        "topics",
        "size",
        "hour",
        "zone",
    }


@given(forms, anybody | st.none())
def test_any_form_is_read_or_refused_in_phrases_that_exist(
    form: dict[str, list[str]], before: Preferences | None
) -> None:
    found = read_form(form, TOPICS, before)
    if isinstance(found, Preferences):
        assert found.hour is None or 0 <= found.hour <= 23
        assert found.weekday is None or found.frequency is Frequency.WEEKLY
        return
    phrases = factories.phrases()
    for key, values in found.values():
        assert phrases(key, **values)


TODAY = dt.date(2026, 6, 9)


@pytest.mark.parametrize(("text", "day"), [("2026-06-10", (2026, 6, 10)), (" 2027-06-09\n", (2027, 6, 9))])
def test_a_pause_ends_between_tomorrow_and_a_year(text: str, day: tuple[int, int, int]) -> None:
    assert read_pause(text, TODAY) == dt.date(*day)


@pytest.mark.parametrize("text", ["", "2026-06-09", "2027-06-10", "2026-02-30", "tomorrow", "9999-12-31", "0001-01-01"])
def test_any_other_day_is_refused_with_those_that_can_be(text: str) -> None:
    with pytest.raises(Unusable) as unusable:
        read_pause(text, TODAY)
    key, values = unusable.value.phrase
    assert key == "errors.pause"
    assert (values["first"], values["last"]) == (dt.date(2026, 6, 10), dt.date(2027, 6, 9))


# --- what a change means


def subscription(
    preferences: Preferences = ALL, state: SubscriptionState = SubscriptionState.CONFIRMED
) -> Subscription:
    return Subscription(
        email="a@example.org",
        newsletter="daily",
        state=state,
        interests=preferences.interests,
        frequency=preferences.frequency,
        weekday=preferences.weekday,
        hour=preferences.hour,
        zone=preferences.zone,
    )


def test_a_change_is_told_part_by_part() -> None:
    before = subscription(replace(PICKED, interests=replace(PICKED.interests, keywords=("tensor",), size=5)))
    after = subscription(
        Preferences(
            interests=Interests(
                topics=frozenset({"agents", "video"}), keywords=("graph",), authors=("Ada Brook",), leave_out=("fern",)
            ),
            frequency=Frequency.WEEKLY,
            weekday=4,
            hour=7,
            zone="Europe/Berlin",
        )
    )
    assert describe(before, after, TOPICS) == [
        ("changes.topic_off", {"topic": "code"}),
        ("changes.topic_on", {"topic": "video"}),
        ("changes.keyword_on", {"keyword": "graph"}),
        ("changes.keyword_off", {"keyword": "tensor"}),
        ("changes.author_on", {"author": "Ada Brook"}),
        ("changes.leave_out_on", {"leave_out": "fern"}),
        ("changes.size_any", {}),
        ("changes.weekly_on", {"weekday": 4}),
        ("changes.hour", {"hour": 7, "zone": "Europe/Berlin"}),
    ]
    assert preferences_of(after).weekday == 4


states = st.sampled_from(
    [SubscriptionState.CONFIRMED, SubscriptionState.PAUSED, SubscriptionState.UNSUBSCRIBED],
)


@given(anybody, anybody, states, states, st.sampled_from(list(Frequency)), st.sampled_from([None, 7]))
def test_every_change_is_told_in_phrases_that_exist_and_no_change_in_none(
    one: Preferences,
    other: Preferences,
    state: SubscriptionState,
    new: SubscriptionState,
    frequency: Frequency,
    hour: int | None,
) -> None:
    before, after = subscription(one, state), subscription(replace(other, frequency=frequency, hour=hour), new)
    said = describe(before, after, TOPICS)
    # picking two of three topics and muting the third look alike until there is a fourth
    alike = [
        replace(
            each, interests=replace(each.interests, topics=wanted_topics(each.interests, TOPICS), muted=frozenset())
        )
        for each in (before, after)
    ]
    assert bool(said) is (alike[0] != alike[1])
    phrases = factories.phrases()
    for key, values in said:
        assert phrases(key, **values)
    assert describe(after, after, TOPICS) == []
