"""The mail that corrects an edition: the corrected one, marked as what it is, or words alone."""

from __future__ import annotations

from markupsafe import Markup

from flows.editions.model import Edition, Kind, Newsletter
from flows.mail import encode, note, offer
from flows.mail.assemble import letter
from flows.mail.language import MailPhrases, short_date
from flows.mail.look import tidy
from flows.mail.model import Cards, Message, Opening, Reader

_PAGE = Markup("""\
<!DOCTYPE html>
<html lang="{}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{}</title>
</head>
<body style="max-width:640px;margin:0 auto;padding:24px;font-family:sans-serif;font-size:16px;line-height:1.5">
<h1 style="font-size:22px">{}</h1>
<p>{}</p>
<p><a href="{}">{}</a></p>
<p><a href="{}">{}</a></p>
</body>
</html>
""")


def marked(say: MailPhrases) -> Opening:
    """Marks the subject of a corrected edition."""
    return Opening(html=b"", text=b"", size=0, mark=encode.words(say.text("mail.correction")))


def words(
    cards: Cards, reader: Reader, edition: Edition, newsletter: Newsletter, public_url: str, say: MailPhrases
) -> Message:
    """An editor's words about an edition that went wrong: the edition's note, and links to it and to unsubscribe."""
    title, day = tidy(newsletter.title), short_date(edition.day, say)
    mark, of_day, unsubscribe = say.text("mail.correction"), say.text("mail.edition_of", day=day), "mail.unsubscribe"
    week = "week/" if edition.kind is Kind.WEEKLY else ""
    archived = f"{public_url}/archive/{edition.newsletter}/{week}{edition.day}"
    leave = f"{public_url}/unsubscribe/{reader.unsubscribe}"
    subject, shown = offer.given(f"{mark} {edition.subject or f'{title}, {day}'}")
    heading = Markup(shown.decode())  # noqa: S704 - `offer` has escaped it
    links = archived, of_day, leave, say(unsubscribe)
    page = _PAGE.format(say("site.lang"), heading, heading, note.html(edition.note), *links)
    head, foot = f"{mark} {title}, {day}", f"{of_day}:\n{archived}\n\n{say.text(unsubscribe)}: {leave}"
    return letter(cards, reader, subject, f"{head}\n\n{note.plain(edition.note)}\n\n{foot}", page)
