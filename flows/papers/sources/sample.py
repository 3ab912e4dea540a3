"""The bundled sample: invented papers for where no service can be reached, the same on any day but for their ids.

Its file is a list of objects whose keys are fields of `Paper`. It could have had the shape of Hugging Face's API, but
then a test of the sample would be one of that reading again, and the file could not name categories.
"""

from __future__ import annotations

from flows.papers import bodies, fields
from flows.papers.merge import divide
from flows.papers.model import Addresses, Answer, Paper, PaperId, Request, Skipped, Window, paper_id

NAME = "sample"
TITLE = "Sample"
WANTS_DETAILS = False
"""Its papers come with categories, and arXiv does not know them."""


def requests(window: Window, addresses: Addresses) -> tuple[Request, ...]:
    """The file that is shipped with the package."""
    return (Request(url="package:sample.json", kind="sample", format="json", service="package"),)


def parse(body: bytes, request: Request, window: Window, addresses: Addresses) -> Answer:
    """Its papers, as if they were listed on the day that is asked for."""
    entries = enumerate(bodies.json_list(body), start=1)
    papers, skipped = divide(_read(entry, position, window) for position, entry in entries)
    return Answer(papers=papers, skipped=skipped, silence="" if papers else silence(window))


def silence(window: Window) -> str:
    """Why there is nothing, which a whole installation never says."""
    return "the bundled sample holds no papers"


def _read(entry: object, position: int, window: Window) -> Paper | Skipped:
    title = fields.text(fields.at(entry, "title"))
    try:
        identifier = _of_day(paper_id(fields.text(fields.at(entry, "id"))), window)
    except ValueError as error:
        return Skipped(entry=title[:60] or f"entry {position}", reason=str(error))
    if not title:
        return Skipped(entry=identifier, reason="it has no title")
    return Paper(
        id=identifier,
        title=title,
        day=window.day,
        sources=(NAME,),
        abstract=fields.text(fields.at(entry, "abstract")),
        authors=fields.texts(fields.at(entry, "authors")),
        published=fields.date(fields.at(entry, "published")),
        categories=fields.texts(fields.at(entry, "categories")),
        upvotes=fields.count(fields.at(entry, "upvotes")),
        comments=fields.count(fields.at(entry, "comments")),
        submitter=fields.text(fields.at(entry, "submitter")),
        keywords=fields.texts(fields.at(entry, "keywords")),
        ai_summary=fields.text(fields.at(entry, "ai_summary")),
        organisation=fields.text(fields.at(entry, "organisation")),
        code=fields.link(fields.at(entry, "code")),
        stars=fields.count(fields.at(entry, "stars")),
        project=fields.link(fields.at(entry, "project")),
        note=fields.text(fields.at(entry, "note")),
    )


def _of_day(identifier: PaperId, window: Window) -> PaperId:
    """The same paper with an id of the day's own: an edition shows no paper that an earlier one has shown.

    Month 00 is none of arXiv's, so that no id is a real paper's; they repeat after eleven years.
    """
    number = int(identifier[-2:])
    return PaperId(f"0000.{window.day.toordinal() % 4000 * 25 + number % 25:05d}")
