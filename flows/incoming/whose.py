"""Which delivery a report is about, as far as keys can say; the ledger looks up the rest. Pure."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence

from flows.incoming.model import Event, Evidence, Report
from subscribers.bounces import ReportedMail
from subscribers.return_address import delivery_of
from subscribers.tokens import PREVIEW_READER, Purpose, verify

# what `reader_of` and the letters write
_OF_EDITION = re.compile(r"([\w-]{1,40})\.((?:daily|weekly)(?:-fix)?)\.(\d{4}-\d\d-\d\d)\.(\d{1,12})@")
_OF_LETTER = re.compile(r"[a-z]{1,12}\.\d{1,12}\.(\d{1,12})@")

Edition = tuple[str, str, dt.date]


def said(report: Report, keys: Sequence[bytes], source: str = "mail") -> ReportedMail | None:
    """What a report says, of which mail: by the token of a return address, or the reader's own link in the mail that is
    returned, or our Message-ID, or the address. None: it names none of these."""
    reader, edition_id, edition, sealed = _pointed(report.evidence, keys)
    if reader is None and not report.address:
        return None
    return ReportedMail(
        complaint=report.event is Event.COMPLAINED,
        cause=report.cause,
        code=report.code,
        status=report.status,
        words=report.words,
        source=source,
        subscription_id=reader,
        edition_id=edition_id,
        edition=edition,
        address=report.address,
        sealed=sealed or report.signed,
    )


def _pointed(evidence: Evidence, keys: Sequence[bytes]) -> tuple[int | None, int | None, Edition | None, bool]:
    """The subscription, the edition's number or its name, and whether a key of ours shows it."""
    for token in evidence.tokens:
        if named := delivery_of(token, keys):
            return named[1], named[0], None, True
    read = [found for one in evidence.message_ids if (found := _message_id(one))]
    for token in evidence.unsubscribes:
        reader = verify(Purpose.UNSUBSCRIBE, token, keys)
        if reader is not None and reader != PREVIEW_READER:
            edition_id, edition = next(((number, name) for who, number, name in read if who == reader), (None, None))
            return reader, edition_id, edition, True
    for reader, edition_id, edition in read:
        return reader, edition_id, edition, False
    return None, None, None, False


def _message_id(text: str) -> tuple[int, int | None, Edition | None] | None:
    if found := _OF_EDITION.match(text):
        try:
            day = dt.date.fromisoformat(found[3])
        except ValueError:
            return None
        return int(found[4]), None, (found[1], found[2], day)
    if found := _OF_LETTER.match(text):
        return int(found[1]), 0, None
    return None
