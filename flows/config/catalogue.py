"""Topics and newsletters from their TOML files: ours, and the operator's own folder before ours."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

from flows.config.cron import fault
from flows.config.text_files import text_of
from flows.editions import deadline
from flows.editions.decisions import EditionDecision
from flows.editions.model import OTHER, Newsletter, Topic
from flows.outcomes import Problem
from flows.plugins.installed import SOURCES, usable

_HERE = Path(__file__).parent

STRENGTH = {"certain": 9.0, "decisive": 6.0, "strong": 4.0, "weak": 2.0}
"""What a term of a topic file weighs, by the list that it stands in."""

_DEFAULTS: dict[str, Any] = {field.name: field.default for field in fields(Newsletter)}

_FREQUENCIES = ("daily", "weekdays", "weekly")
"""Of readers, as `subscribers.model.Frequency` has them."""
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_CATEGORY = re.compile(r"[a-z]+(-[a-z]+)?(\.[A-Za-z]+(-[A-Za-z]+)?)?")


def topics(folder: Path | None = None) -> tuple[Topic, ...]:
    """Every topic in its order: those of `folder`, and ours where it has no file of the same name.

    Raises Problem with one sentence for the first mistake.
    """
    found = (_topic(path) for path in files("topics", folder))
    return tuple(sorted(found, key=lambda topic: (topic.slug == OTHER, topic.order, topic.slug)))


def newsletters(
    folder: Path | None = None,
    *,
    known_topics: Iterable[Topic] | None = None,
    known_sources: Collection[str] | None = None,
) -> dict[str, Newsletter]:
    """Every newsletter by its slug: those of `folder`, and ours where it has no file of the same name.

    Without `known_topics` and `known_sources` our own are known. Raises Problem with one sentence for the first
    mistake.
    """
    slugs = frozenset(topic.slug for topic in (topics() if known_topics is None else known_topics))
    names = frozenset(sources() if known_sources is None else known_sources)
    found = (_newsletter(path, slugs, names) for path in files("newsletters", folder))
    return {newsletter.slug: newsletter for newsletter in found}


def sources() -> tuple[str, ...]:
    """The names of the sources that there is a file for, and of those that other packages bring."""
    found = (_HERE.parent / "papers" / "sources").glob("*.py")
    ours = {path.stem for path in found if not path.stem.startswith("_")}
    return tuple(sorted(ours | set(usable(SOURCES))))


def files(kind: str, folder: Path | None) -> list[Path]:
    """The files of "topics" or "newsletters" that count: those of `folder`, and ours where it has none of the name."""
    if folder is not None and not folder.is_dir():
        raise Problem(f"The folder {folder} for your own {kind} does not exist: make it, or leave the setting away.")
    folders = [_HERE / kind] if folder is None else [_HERE / kind, folder]
    return sorted({path.name: path for each in folders for path in each.glob("*.toml")}.values(), key=lambda p: p.name)


class _File:
    """The fields of one TOML file. Each is taken once; what is left at the end is a mistake."""

    def __init__(self, path: Path) -> None:
        self.path = path
        if not _SLUG.fullmatch(path.stem):
            self.fail("the file's name", path.stem, "may hold only a-z, 0-9 and single hyphens between them: rename it")
        try:
            self._fields: dict[str, Any] = tomllib.loads(text_of(path))
        except tomllib.TOMLDecodeError as error:
            reason = " ".join(str(error).split())
            raise Problem(f"{path}: this is not valid TOML ({reason}); correct it there.") from error
        self._known: list[str] = []

    def fail(self, field: str, value: object, remedy: str) -> NoReturn:
        shown = repr(value)
        raise Problem(f"{self.path}: {field} {shown if len(shown) <= 60 else shown[:57] + '…'} {remedy}.")

    def _take(self, field: str, default: object) -> Any:
        self._known.append(field)
        if default is None and field not in self._fields:
            raise Problem(f"{self.path}: {field} is missing; add it.")
        return self._fields.pop(field, default)

    def text(self, field: str, default: str | None = None) -> str:
        """A text with its white space folded; one without a default must not be empty."""
        value = self._take(field, default)
        if not isinstance(value, str):
            self.fail(field, value, 'must be a text in quotes: write it as "…"')
        folded = " ".join(value.split())
        if default is None and not folded:
            self.fail(field, value, "must not be empty: fill it in")
        return folded

    def number(self, field: str, default: float | None, low: float, high: float) -> float:
        return self._number(field, self._take(field, default), low, high)

    def _number(self, field: str, value: object, low: float, high: float) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
            self.fail(field, value, f"must be a number from {low:g} to {high:g}: correct it")
        return float(value)

    def hour(self, field: str) -> int | None:
        """An hour of the day; None where there is none."""
        value = self._take(field, "")
        if value == "":
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 23:
            self.fail(field, value, "must be a whole number from 0 to 23, without quotes; leave it away for at once")
        return value

    def flag(self, field: str, default: bool) -> bool:
        value = self._take(field, default)
        if not isinstance(value, bool):
            self.fail(field, value, "must be true or false, without quotes")
        return value

    def texts(self, field: str, default: Collection[str] | None = None) -> tuple[str, ...]:
        return self._texts(field, self._take(field, default))

    def _texts(self, field: str, value: object) -> tuple[str, ...]:
        if not isinstance(value, (list, tuple)) or not all(isinstance(each, str) and each.strip() for each in value):
            self.fail(field, value, 'must be a list of texts: write it as ["…", "…"]')
        return tuple(value)

    def table(self, field: str, read: Callable[[str, object], object]) -> dict[str, Any]:
        """A table whose values `read` has checked, given the name "field.key" and the value."""
        value = self._take(field, {})
        if not isinstance(value, Mapping):
            self.fail(field, value, f"must be a table: write [{field}] and its entries below")
        return {key: read(f"{field}.{key}", each) for key, each in value.items()}

    def weight(self, field: str, value: object) -> float:
        return self._number(field, value, 0, 10)

    def phrases(self, field: str, value: object) -> tuple[str, ...]:
        return self._texts(field, value)

    def end(self) -> None:
        if self._fields:
            self.fail("the field", next(iter(self._fields)), f"is unknown: take it out, or use {_either(self._known)}")


def _topic(path: Path) -> Topic:
    file = _File(path)
    lists = file.table("terms", file.phrases)
    for name in lists:
        if name not in STRENGTH:
            file.fail("the list of terms", name, f"is unknown: use {_either(STRENGTH)}")
    categories = file.table("categories", file.weight)
    for category in categories:
        _check_category(file, category)
    topic = Topic(
        slug=path.stem,
        name=file.text("name"),
        group=file.text("group"),
        description=file.text("description"),
        order=int(file.number("order", None, 0, 9999)),
        text=file.text("text", ""),
        terms={term: STRENGTH[name] for name in reversed(STRENGTH) for term in lists.get(name, ())},
        categories=categories,
        discount=file.number("discount", 1.0, 0.1, 1.0),
    )
    file.end()
    return topic


def _newsletter(path: Path, slugs: Collection[str], names: Collection[str]) -> Newsletter:
    file = _File(path)
    chosen = file.texts("sources")
    if not chosen:
        file.fail("sources", [], f"must name one at least: use {_either(names)}")
    for name in chosen:
        if name not in names:
            file.fail("the source", name, f"is unknown: use {_either(names)}")
    categories = file.texts("categories", ())
    for category in categories:
        _check_category(file, category)
    if "arxiv" in chosen and not categories:
        file.fail("categories", [], 'must name what to follow of arXiv: write, for example, ["cs.CL", "stat.ML"]')
    carried = file.texts("topics", ())
    for slug in carried:
        if slug not in slugs:
            file.fail("the topic", slug, f"is unknown: use {_either(slugs)}")
    newsletter = Newsletter(
        slug=path.stem,
        title=file.text("title"),
        description=file.text("description"),
        sources=chosen,
        categories=categories,
        topics=carried,
        cron=_cron(file, "cron", file.text("cron", _DEFAULTS["cron"])),
        weekly_cron=_weekly_cron(file),
        zone=_zone(file, file.text("zone", _DEFAULTS["zone"])),
        active=file.flag("active", True),
        frequency=file.text("frequency", _DEFAULTS["frequency"]),
        hour=file.hour("hour"),
        look_back=int(file.number("look_back", 3, 0, 30)),
        look=file.text("look", _DEFAULTS["look"]),
        accent=file.text("accent", _DEFAULTS["accent"]),
        thumbnails=file.flag("thumbnails", _DEFAULTS["thumbnails"]),
        deadline=file.text("deadline", _DEFAULTS["deadline"]),
        when_a_source_is_missing=file.text("when_a_source_is_missing", _DEFAULTS["when_a_source_is_missing"]),
        notice=file.text("notice", ""),
        approval=file.text("approval", ""),
        approval_deadline=file.text("approval_deadline", _DEFAULTS["approval_deadline"]),
        approval_otherwise=file.text("approval_otherwise", ""),
        work_pool=file.text("work_pool", ""),
    )
    _check_approval(file, newsletter)
    _check_frequency(file, newsletter)
    if newsletter.deadline != deadline.NONE and not deadline.fits(newsletter.deadline):
        file.fail("deadline", newsletter.deadline, 'must be a time such as "18:00", a span such as "1h", or "0m"')
    if newsletter.when_a_source_is_missing not in ("send", "hold"):
        file.fail("when_a_source_is_missing", newsletter.when_a_source_is_missing, 'must be "send" or "hold"')
    if not _COLOUR.fullmatch(newsletter.accent):
        file.fail("accent", newsletter.accent, 'must be a colour such as "#0b6e5f": a # and six hexadecimal digits')
    if not _SLUG.fullmatch(newsletter.look):
        file.fail("look", newsletter.look, 'must be the name of a folder of e-mail templates, such as "classic"')
    file.end()
    return newsletter


def _check_frequency(file: _File, newsletter: Newsletter) -> None:
    if newsletter.frequency not in _FREQUENCIES:
        file.fail("frequency", newsletter.frequency, f"is unknown: use {_either(_FREQUENCIES)}")
    if newsletter.frequency == "weekly" and not newsletter.weekly_cron:
        file.fail(
            "frequency", "weekly", "needs a weekly edition: give weekly_cron a schedule, or use daily or weekdays"
        )


def _check_approval(file: _File, newsletter: Newsletter) -> None:
    if newsletter.approval not in ("", "wait", "veto"):
        file.fail("approval", newsletter.approval, 'must be "wait" or "veto", or left away')
    if not deadline.fits(newsletter.approval_deadline):
        file.fail(
            "approval_deadline", newsletter.approval_deadline, 'must be a time such as "11:00" or a span such as "2h"'
        )
    allowed = ("", "send") if newsletter.approval == "veto" else ("", *EditionDecision)
    if newsletter.approval_otherwise not in allowed:
        remedy = 'must be "hold", "send" or "skip"'
        if newsletter.approval == "veto":
            remedy = 'must be "send", or left away: with approval = "veto" it goes at the deadline unless it is held'
        file.fail("approval_otherwise", newsletter.approval_otherwise, remedy)


def _check_category(file: _File, category: str) -> None:
    if not _CATEGORY.fullmatch(category):
        file.fail("the category", category, 'is not one of arXiv: write it as "cs.CL" or "quant-ph"')


def _zone(file: _File, name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        file.fail("zone", name, 'is unknown: use a name such as "UTC" or "Europe/Berlin"')
    return name


def _weekly_cron(file: _File) -> str:
    cron = file.text("weekly_cron", _DEFAULTS["weekly_cron"])
    return cron and _cron(file, "weekly_cron", cron)


def _cron(file: _File, field: str, cron: str) -> str:
    if wrong := fault(cron):
        file.fail(field, cron, wrong)
    return cron


def _either(names: Iterable[str]) -> str:
    ordered = sorted(names)
    return " or ".join([", ".join(ordered[:-1]), ordered[-1]] if len(ordered) > 1 else ordered) or "nothing yet"
