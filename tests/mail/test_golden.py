"""The mail as it is, kept in files, so that a reviewer sees what a change does to it.

Changed on purpose? `python -m tests.mail.test_golden` writes the files anew: look at their differences before you
commit them.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from flows.editions.choose import choose
from flows.editions.model import Edition, Interests
from flows.mail.assemble import assemble
from tests.factories import TOPICS, edition, eventful, paper, reader
from tests.mail.made import SHIPPED, body, rendered

HERE = Path(__file__).parent / "golden"
LOOKS = sorted(folder.name for folder in (SHIPPED / "email/digest").iterdir())
FORMS = {"html": "html", "txt": "plain"}

_BRIEF = "On eleven invented islands a small model draws its own charts. They are good enough to sail by."
_PAPERS = (
    paper(1, abstract=_BRIEF, upvotes=1240, comments=31),
    paper(2, abstract=_BRIEF, code="https://example.org/swifts", stars=1234, project="https://example.org/birds"),
    paper(3, ai_summary="A map is folded eleven times and stays readable.", upvotes=88),
    paper(4, abstract=_BRIEF, title="تعلم الآلة في الحديقة", authors=("محمد علي",)),
    paper(5, abstract=_BRIEF, title=r"Bridges in $O(n \log n)$ & <Other> \emph{Spans}", organisation=""),
    paper(6, abstract="", authors=tuple(f"Author Number{n}" for n in range(664))),
    paper(7, abstract=_BRIEF, upvotes=None, comments=None),
    paper(
        8,
        abstract=_BRIEF,
        title="A Title of One Hundred and Seventy-Five Characters: " + "So Long a Word, " * 7 + "Here",
    ),
    paper(9, abstract=_BRIEF, code="https://example.org/code"),
    paper(10, abstract=_BRIEF),
)
_READER = Interests(keywords=("microphone",))


def _edition() -> Edition:
    of = eventful(edition(_PAPERS, topics=TOPICS[:3]))
    return replace(of, missing=("Some of arXiv's papers of 8 June could not be had; they follow in the next edition.",))


def _made(look: str) -> dict[str, str]:
    of = _edition()
    message = assemble(rendered(of, look=look), choose(of, _READER), reader())
    return {form: body(message, kind).replace("\r\n", "\n") for form, kind in FORMS.items()}


@pytest.mark.parametrize("look", LOOKS)
def test_a_mail_is_as_it_was(look: str) -> None:
    for form, made in _made(look).items():
        assert made == (HERE / f"{look}.{form}").read_text("utf-8"), "see this file's docstring"


def test_no_file_is_left_over() -> None:
    assert sorted(file.name for file in HERE.iterdir()) == sorted(f"{look}.{form}" for look in LOOKS for form in FORMS)


if __name__ == "__main__":
    HERE.mkdir(exist_ok=True)
    for one in LOOKS:
        for its, shown in _made(one).items():
            (HERE / f"{one}.{its}").write_text(shown, "utf-8")
