"""What a domain publishes about its mail is judged as receivers do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.commands import dns_records
from flows.commands.dns_records import Grade, dmarc_places
from flows.sending.dkim import Key, new_key, read_key

KEY = read_key(new_key("ed25519"), "june", "lab.example.org")
PUBLISHED = KEY.record[1]
DOMAIN = "lab.example.org"


@pytest.mark.parametrize(
    ("records", "grade", "words"),
    [
        (["v=DMARC1; p=none; rua=mailto:dmarc@lab.example.org"], Grade.OK, "_dmarc.example.org says p=none"),
        (["v = DMARC1;p = Reject"], Grade.OK, "says p=reject"),
        (["v=DMARC1; p=none; sp=reject"], Grade.OK, "_dmarc.example.org says sp=reject"),
        ([], Grade.WRONG, 'add the TXT record _dmarc.lab.example.org "v=DMARC1; p=none"'),
        (["v=DMARC10; p=none"], Grade.WRONG, "publishes no policy"),
        (["v=DMARC1; p=none", "v=DMARC1; p=reject"], Grade.WRONG, "2 policies, which receivers take for none"),
        (["v=DMARC1; rua=mailto:a@example.org"], Grade.WRONG, "names no policy"),
        (["v=DMARC1; p=maybe"], Grade.WRONG, "write p=none, p=quarantine or p=reject"),
    ],
)
def test_dmarc(records: list[str], grade: Grade, words: str) -> None:
    found = dns_records.dmarc(DOMAIN, "_dmarc.example.org", records)
    assert (found.grade, words in found.words) == (grade, True)


def test_a_policy_may_stand_with_a_domain_above() -> None:
    assert dmarc_places(DOMAIN) == ["_dmarc.lab.example.org", "_dmarc.example.org"]
    assert dmarc_places("localhost") == ["_dmarc.localhost"]


@pytest.mark.parametrize(
    ("records", "grade", "words"),
    [
        ([PUBLISHED], Grade.OK, "june._domainkey.lab.example.org verifies what this key signs (ed25519)"),
        (["spaces and others", PUBLISHED.replace("p=", "p= ").replace(";", " ; ")], Grade.OK, ""),
        ([], Grade.WRONG, f'is not published: add it as TXT record with "{PUBLISHED}"'),
        ([PUBLISHED, PUBLISHED], Grade.WRONG, "has 2 keys"),
        (["v=DKIM1; k=ed25519; p="], Grade.WRONG, "revokes the key"),
        ([read_key(new_key("ed25519"), "june", DOMAIN).record[1]], Grade.WRONG, "another key than the one that signs"),
        ([PUBLISHED.replace("k=ed25519; ", "")], Grade.WRONG, "another key"),
        ([PUBLISHED.replace("DKIM1", "DKIM2")], Grade.WRONG, 'says v="DKIM2", and so verifies no mail'),
        ([PUBLISHED + "; h=sha1"], Grade.WRONG, 'says h="sha1"'),
        ([PUBLISHED + "; h=sha1:sha256; s=email"], Grade.OK, ""),
        ([PUBLISHED + "; s=other"], Grade.WRONG, 'says s="other"'),
    ],
)
def test_dkim(records: list[str], grade: Grade, words: str) -> None:
    found = dns_records.dkim(KEY, records)
    assert (found.grade, words in found.words) == (grade, True)


@pytest.mark.parametrize("algorithm", ["rsa", "ed25519"])
def test_what_a_key_tells_to_publish_verifies_it(algorithm: str) -> None:
    key: Key = read_key(new_key(algorithm), "june", DOMAIN)
    assert dns_records.dkim(key, [key.record[1]]).grade is Grade.OK


@given(st.lists(st.text(max_size=300) | st.sampled_from(["v=spf1 \x1b[2J", "v=DMARC1; p=\n", "v=DKIM1; p=\x07"])))
def test_whatever_is_published_is_told_in_a_plain_line(records: list[str]) -> None:
    place = "_dmarc.example.org"
    for found in (dns_records.dmarc(DOMAIN, place, records), dns_records.dkim(KEY, records)):
        assert found.words.isprintable()
        assert len(found.words) < 400
