"""What a report repeats of our mail is found wherever it stands, and its own Message-ID is nobody's evidence."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from flows.incoming.evidence import MOST, evidence_of
from flows.incoming.model import Evidence

TOKEN, LINK = "ab2" * 13 + "a", "A-_b" * 8


def test_a_return_address_counts_anywhere_and_however_it_is_written() -> None:
    for written in (f"To: bounces+{TOKEN.upper()}@example.org\n\nx", f"To: x\n\nprvs=bounces+{TOKEN}=40example.org"):
        assert evidence_of(written.encode()).tokens == (TOKEN,)
    assert evidence_of(f"To: bounces+{TOKEN}a@example.org\n\n".encode()) == Evidence()


def test_only_what_is_returned_shows_which_mail_it_is() -> None:
    head = f"Message-ID: <its.own@mx.example>\nList-Unsubscribe: <https://x.example/unsubscribe/{LINK}>"
    body = f"message-id: <daily.7@x.example>\nList-Unsubscribe: <mailto:u@x.example?subject=unsubscribe%20{LINK}>\n"
    found = evidence_of(f"{head}\n\n{body}{body}".encode())
    assert (found.message_ids, found.unsubscribes) == (("daily.7@x.example",), (LINK,))
    assert evidence_of(head.encode()) == Evidence()
    assert evidence_of(f"{head}\r\n\r\n{body}".encode()) == found
    assert evidence_of(f"x\n\nunsubscribe/{LINK}c".encode()) == Evidence()


def test_who_sends_more_is_read_to_a_limit() -> None:
    many = "".join(f"Message-ID: <{n}@x.example>\n" for n in range(10 * MOST))
    assert len(evidence_of(b"x\n\n" + many.encode()).message_ids) == MOST


@given(st.binary())
def test_any_bytes_are_read(content: bytes) -> None:
    assert all(one.isascii() for one in evidence_of(content).tokens)
