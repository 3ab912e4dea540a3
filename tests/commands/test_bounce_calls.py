"""The command's calls about what came back."""

from __future__ import annotations

import pytest

from tests.commands.calls import Run


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (("suppressions", "block", "not_a_domain"), "'not_a_domain' is no domain: write it as example.org"),
        (("suppressions", "lift", "--reason", "erased"), "can't be lifted: use hard-bounce"),
        (("bounces", "rates", "-n", "nothing"), "There is no newsletter 'nothing'"),
        (("subscribers", "suppress", "a@b.example", "--reason", "blocked"), "There is no reason 'blocked'"),
    ],
)
def test_a_mistake_is_told_in_one_sentence(run: Run, call: tuple[str, ...], words: str) -> None:
    ended = run(*call)
    assert ended.status == 2
    assert words in ended.err
