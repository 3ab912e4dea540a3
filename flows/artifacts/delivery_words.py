"""A delivery in words, for its operator: how it stands while it goes on, and how it ended. No reader is named, and no
domain that few of them share."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flows.artifacts.markdown import cell
from flows.delivery.run import Delivered
from subscribers.ledger.report import STATES, DomainStates, Summary
from subscribers.model import DeliveryState

FINAL = (DeliveryState.SENT, DeliveryState.REJECTED, DeliveryState.SKIPPED)
LATELY = 60.0
"""Seconds that a rate is taken over."""
UNREACHED = (DeliveryState.DEFERRED, DeliveryState.UNCERTAIN, DeliveryState.REJECTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How a delivery stood at one moment."""

    seconds: float
    """Since the first look."""
    counts: Mapping[DeliveryState, int]
    due: int = 0
    """How many could leave now and have not."""

    @property
    def sent(self) -> int:
        return self.counts.get(DeliveryState.SENT, 0)

    @property
    def done(self) -> float:
        """The part of all readers for whom nothing more happens, from 0 to 100; 100 where there is nobody."""
        whole = sum(self.counts.values())
        return 100 * sum(self.counts.get(state, 0) for state in FINAL) / whole if whole else 100.0


def rate(looks: Sequence[Look]) -> float:
    """Mails a second, of the last minute; 0 where that is not known yet."""
    if not looks:
        return 0.0
    last = looks[-1]
    first = next(look for look in looks if look.seconds >= last.seconds - LATELY)
    passed = last.seconds - first.seconds
    return max(0.0, (last.sent - first.sent) / passed) if passed else 0.0


def sentence(looks: Sequence[Look]) -> str:
    """How a delivery stands, in one line: `842 of 3,000 sent, 105 a second, about 20 seconds left`."""
    look, now = looks[-1], rate(looks)
    said = [f"{look.sent:,} of {sum(look.counts.values()):,} sent"]
    if now:
        said.append(f"{now:,.1f} a second" if now < 10 else f"{now:,.0f} a second")
        if look.due:
            said.append(f"about {_span(look.due / now)} left")
    return ", ".join(said)


def _span(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes < 2:
        return f"{max(1, round(seconds)):,} seconds"
    return f"{minutes} minutes" if minutes < 120 else f"{minutes / 60:.0f} hours"


def going_on(looks: Sequence[Look], says: str, at: dt.datetime) -> str:
    """Markdown for a delivery that goes on, as it stood `at` that time; `says` is the last that it said."""
    look = looks[-1]
    later = sum(look.counts.get(one, 0) for one in (DeliveryState.PENDING, DeliveryState.DEFERRED)) - look.due
    lines = [f"**It goes on:** {sentence(looks)}. As of {at:%H:%M:%S} UTC.", "", *_states(look.counts)]
    if later > 0:
        lines += ["", f"{later:,} of them later: their hour has not come, or a mail server put them off."]
    if says:
        lines += ["", f"It said last: {cell(says)}"]
    return "\n".join(lines)


def report(
    delivered: Delivered,
    summary: Summary,
    domains: Sequence[DomainStates],
    picture: str,
    who_got_it: str,
    *,
    stopped: bool = False,
) -> str:
    """Markdown for a delivery that has ended: by state and domain, the most frequent answers, who was not reached and
    the remedy. `stopped`: by its operator, or with the installation."""
    lines = [f"**Stopped:** {cell(delivered.halted)}", ""] if delivered.halted else []
    if stopped and not delivered.halted:
        lines = [
            "**Stopped** between two messages, by its operator or with the installation. What *Cancel* or *Suspend* "
            "stopped is held until *Retry*, *Resume* or `deliver`; anything else goes on by itself.",
            "",
        ]
    lines += _states(delivered.counts) if delivered.counts else ["Nobody is subscribed."]
    for words in filter(None, (delivered.limited, delivered.remedy)):
        lines += ["", words]
    lines += _answers(summary)
    if domains:
        shown = [state for state in STATES if any(one.counts.get(state) for one in domains)]
        lines += ["", "**By domain**", "", f"| domain | {' | '.join(shown)} |", f"|---|{'---:|' * len(shown)}"]
        for one in domains:
            lines.append(f"| {cell(one.name)} | {' | '.join(f'{one.counts.get(state, 0):,}' for state in shown)} |")
    if picture:
        lines += ["", "**Mails a second**", "", picture]
    return "\n".join([*lines, "", f"[Who got it]({who_got_it})"])


def _states(counts: Mapping[DeliveryState, int]) -> list[str]:
    rows = [f"| {state} | {counts[state]:,} |" for state in STATES if counts.get(state)]
    return ["| state | readers |", "|---|---:|", *rows]


def _answers(summary: Summary) -> list[str]:
    """The ten answers that were given most often, of those who did not get it."""
    said = [
        (number, state, answer)
        for state, answers in summary.answers.items()
        for answer, number in answers.frequent
        if answer
    ]
    if not said:
        return []
    said.sort(key=lambda one: (-one[0], one[1], one[2]))
    lines = ["", "**Who did not get it, and why**", "", "| readers | state | words |", "|---:|---|---|"]
    lines += [f"| {number:,} | {state} | {cell(answer)} |" for number, state, answer in said[:10]]
    if rest := sum(number for number, _, _ in said[10:]) + sum(one.others for one in summary.answers.values()):
        lines.append(f"| {rest:,} | | other words |")
    return lines
