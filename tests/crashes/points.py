"""The places in our code where a task may wait: as the source has them, and as a process died at them."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from pathlib import Path
from types import ModuleType

from flows.delivery import batches, extra_processes, messages, run
from flows.sending import connections, sender, smtp_session, waiting_list
from flows.sending.transports import smtp
from subscribers.ledger import create_rows, drivers, group_commit, ledger, one_reader, shared_limits, standing
from tests.crashes.stepping import Where

WALKED: Collection[ModuleType] = (
    *(run, extra_processes, batches, messages, sender, connections, waiting_list, smtp_session, smtp),
    *(ledger, one_reader, standing, group_commit, drivers, create_rows, shared_limits),
)
"""What a delivery is made of."""

Point = tuple[str, int]
"""A module's name, and the line of the await."""


@cache
def _points_of(module: ModuleType) -> Mapping[int, Point]:
    """Its awaits, by each line that they stand on; of one within another the inner one."""
    found: dict[int, Point] = {}
    tree = ast.parse(Path(module.__file__ or "").read_text())
    for node in ast.walk(tree):  # from the outside in
        match node:
            case ast.Await():
                lines = range(node.lineno, (node.end_lineno or node.lineno) + 1)
            case ast.AsyncWith() | ast.AsyncFor():
                lines = range(node.lineno, node.body[0].lineno)
            case _:
                continue
        found |= dict.fromkeys(lines, (module.__name__, node.lineno))
    return found


def met(stack: Iterable[Where]) -> set[Point]:
    """Those of our own among the places where a task waits."""
    modules = {module.__file__: module for module in WALKED}
    points = {(file, line): _points_of(modules[file]).get(line) for file, line in stack if file in modules}
    return {point for point in points.values() if point is not None}


def known() -> set[Point]:
    """All that the source has."""
    return {point for module in WALKED for point in _points_of(module).values()}
