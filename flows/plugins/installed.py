"""What other packages add, found by their entry points. One that is broken is told, and stops no other.

https://packaging.python.org/en/latest/specifications/entry-points/
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType

SOURCES, TRANSPORTS, LOOKS = "paperround.sources", "paperround.transports", "paperround.looks"
KINDS = {SOURCES: "source", TRANSPORTS: "transport", LOOKS: "look"}
_NAMES = {
    SOURCES: ("NAME", "TITLE", "WANTS_DETAILS", "requests", "parse", "silence"),
    TRANSPORTS: ("SCHEMES", "opener"),
    LOOKS: (),
}
"""What the module of each kind must have."""


@dataclass(frozen=True, slots=True)
class Plugin:
    """One entry point: its name, the package that brings it, and the module it names, or what is wrong with it."""

    group: str
    name: str
    package: str
    module: ModuleType | None = None
    problem: str = ""

    @property
    def templates(self) -> Path:
        """The folder `templates` beside the module of a look, laid out as ours is."""
        return Path(getattr(self.module, "__file__", None) or "").parent / "templates"


@cache
def plugins(group: str) -> tuple[Plugin, ...]:
    """Every one of a kind, by name."""
    return tuple(_load(one) for one in sorted(entry_points(group=group), key=lambda one: (one.name, one.value)))


def usable(group: str, taken: Collection[str] = ()) -> dict[str, ModuleType]:
    """The modules of a kind that can be used, by the names of their entry points; never one whose name is `taken`."""
    return {one.name: one.module for one in plugins(group) if one.module and one.name not in taken}


def looks() -> tuple[Path, ...]:
    """The templates' folders of looks, which come behind the operator's own and before ours."""
    return tuple(one.templates for one in plugins(LOOKS) if one.module)


def _load(entry: EntryPoint) -> Plugin:
    package = f"{entry.dist.name} {entry.dist.version}" if entry.dist else "an unknown package"
    kind = KINDS[entry.group]
    try:
        module = entry.load()
    except Exception as error:  # a stranger's module may fail in any way
        return Plugin(entry.group, entry.name, package, problem=f"can't be loaded ({type(error).__name__}: {error})")
    if not isinstance(module, ModuleType):
        return Plugin(entry.group, entry.name, package, problem=f"{entry.value} is no module: leave out the colon")
    if missing := [name for name in _NAMES[entry.group] if not hasattr(module, name)]:
        return Plugin(entry.group, entry.name, package, problem=f"has no {', '.join(missing)}, which a {kind} needs")
    found = Plugin(entry.group, entry.name, package, module)
    if entry.group == SOURCES and entry.name != module.NAME:
        return Plugin(entry.group, entry.name, package, problem=f"calls itself {module.NAME!r}: give both one name")
    if entry.group == LOOKS and not (found.templates / "email/digest" / entry.name).is_dir():
        where = f"templates/email/digest/{entry.name}"
        return Plugin(entry.group, entry.name, package, problem=f"has no folder {where} beside its module")
    return found
