"""What all calls of the command share: options, and how it speaks to whoever sits before it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.markup import escape

from flows.editions.model import Kind
from flows.outcomes import Problem

T = TypeVar("T")

console = Console(stderr=True, highlight=False)

Newsletter = Annotated[str, typer.Option("--newsletter", "-n", help="The newsletter's short name")]
Weekly = Annotated[bool, typer.Option("--weekly", help="The best of the week that ends with the date instead")]
DATE = "today, yesterday, or a date such as 2026-06-09"


def run(work: Coroutine[Any, Any, T]) -> T:
    """What the work returns, in an event loop of its own."""
    return asyncio.run(work)


def kind_of(weekly: bool) -> Kind:
    return Kind.WEEKLY if weekly else Kind.DAILY


def into(update: Callable[[str], None]) -> Callable[[str], None]:
    """Shows the last sentence beside the spinner; on anything but a terminal every one on a line of its own."""

    def say(sentence: str) -> None:
        if console.is_terminal:
            update(escape(sentence))
        else:
            tell(sentence)

    return say


def tell(sentence: str) -> None:
    """On standard error, a line however long, nothing in it taken for markup."""
    console.print(sentence, markup=False, soft_wrap=True)


def agreed(question: str) -> bool:
    """Whether the person at the terminal says yes; where nobody can be asked, the question is a Problem."""
    if not sys.stdin.isatty():
        raise Problem("Nothing was done: say --yes where nobody can be asked.")
    return typer.confirm(question, err=True)
