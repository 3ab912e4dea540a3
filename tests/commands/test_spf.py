"""An SPF record is read as receivers read it, with all that it includes; checkdmarc, which reads it too, judges."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress

import dns.resolver
import pytest
from checkdmarc.spf import SPFError, parse_spf_record
from hypothesis import given
from hypothesis import strategies as st

from flows.commands import dns_records
from flows.commands.dns_records import Grade
from flows.commands.spf import Broken, Lookup, Record, check, parse
from tests.names import name_server

DOMAIN = "lab.example.org"
BOUNCES = f"bounces@{DOMAIN}"
RELAY, OTHER = "11.22.33.44", "99.88.77.66"

ZONE = {
    ("relay.example.net", "TXT"): ["v=spf1 ip4:11.22.33.0/24 -all"],
    ("twice.example.net", "TXT"): ["v=spf1 a -all", "v=spf1 mx -all"],
    ("broken.example.net", "TXT"): ["v=spf1 ipv4:1.2.3.4 -all"],
    ("loop.example.net", "TXT"): ["v=spf1 include:loop.example.net -all"],
    ("silent.example.net", "TXT"): ["other"],
    ("mail.example.net", "A"): [RELAY],
    ("mail.example.net", "AAAA"): ["2001:db8::1"],
    (DOMAIN, "MX"): ["10 mail.example.net."],
    (DOMAIN, "A"): ["11.22.33.200"],
    ("44.33.22.11.in-addr.lab.example.org", "A"): ["127.0.0.2"],
    **{(f"one{n}.example.net", "TXT"): [f"v=spf1 ip4:10.0.0.{n} -all"] for n in range(12)},
    **{(f"deep{n}.example.net", "TXT"): [f"v=spf1 include:deep{n + 1}.example.net -all"] for n in range(12)},
}
TWELVE = " ".join(f"include:one{n}.example.net" for n in range(12))


def knowing(zone: Mapping[tuple[str, str], Sequence[str]]) -> Lookup:
    async def lookup(name: str, kind: str) -> Sequence[str]:
        return zone.get((name, kind), [])

    return lookup


async def grade(*records: str, relays: Sequence[str] = (RELAY,)) -> tuple[Grade, str]:
    found = await dns_records.spf(DOMAIN, records, BOUNCES, knowing({**ZONE, (DOMAIN, "TXT"): records}), list(relays))
    assert found.words.isprintable()
    return found.grade, found.words


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (f"v=spf1 {TWELVE} -all", "needs 12 look-ups, and receivers make 10"),
        ("v=spf1 include:deep0.example.net -all", "needs more than the 10 look-ups"),
        ("v=spf1 ip4:999.1.1.1 -all", "has 'ip4:999.1.1.1', which is no network of IPv4"),
        ("v=spf1 ip4:11.22.33.0/33 -all", "has 'ip4:11.22.33.0/33', which is no network of IPv4"),
        ("v=spf1 ip4:2001:db8::/32 -all", "which is no network of IPv4"),
        ("v=spf1 ip6:11.22.33.44 -all", "which is no network of IPv6"),
        ("v=spf1 a/33 -all", "whose length is more than an address has"),
        ("v=spf1 ipv4:11.22.33.44 -all", "has 'ipv4:11.22.33.44', which is no mechanism"),
        ("v=spf1 includ:relay.example.net -all", "has 'includ:relay.example.net', which is no mechanism"),
        ("v=spf1 include relay.example.net -all", "has 'include' without the name of a domain"),
        ("v=spf1 include:relay -all", "has 'include:relay' without the name of a domain"),
        ("v=spf1 mx all:", "has 'all:': all stands alone"),
        ("v=spf1 mx -all:relay.example.net", "all stands alone"),
        ("v=spf1 mx, -all", "has 'mx,', which is no mechanism"),
        ("v=spf1 include:silent.example.net -all", "includes silent.example.net, which publishes no record"),
        ("v=spf1 include:twice.example.net -all", "which publishes more than one record"),
        ("v=spf1 include:broken.example.net -all", "has 'ipv4:1.2.3.4', which is no mechanism"),
        ("v=spf1 include:loop.example.net -all", "loop.example.net includes itself"),
        ("v=spf1 redirect=silent.example.net", "which publishes no record"),
        ("v=spf1 redirect=a.example.net redirect=b.example.net", "has redirect= twice"),
        ("v=spf1 a:no1.example.net a:no2.example.net a:no3.example.net -all", "asks for 3 names that are not there"),
    ],
)
async def test_what_receivers_cannot_use_is_told(record: str, words: str) -> None:
    found, told = await grade(record)
    assert (found, words in told) == (Grade.WRONG, True), told
    assert await judged(record) == "broken"


@pytest.mark.parametrize(
    ("record", "wanted", "words"),
    [
        ("v=spf1 include:relay.example.net ~all", Grade.OK, f"which lets {RELAY} send"),
        ("v=spf1 MX -all", Grade.OK, "send"),
        ("v=spf1 a/24 ?all", Grade.OK, "send"),
        ("v=spf1 mx/16 unknown=modifier exp=why.example.org -all", Grade.OK, "send"),
        ("v=spf1 redirect=relay.example.net", Grade.OK, "send"),
        ("v=spf1 exists:%{ir}.%{v}.%{d} -all", Grade.OK, "send"),
        ("v=spf1 -ip4:11.22.33.44 include:relay.example.net ~all", Grade.LOOK, "does not name 11.22.33.44"),
        ("v=spf1 include:one1.example.net ~all", Grade.LOOK, "add it, unless your relay sends from others"),
        ("v=spf1 ?all", Grade.LOOK, "does not name"),
        ("v=spf1 -all", Grade.WRONG, "lets nobody send"),
        ("v=spf1 -mx exp=why.example.org ~all", Grade.WRONG, "lets nobody send"),
    ],
)
async def test_a_whole_record_is_asked_for_the_relay(record: str, wanted: Grade, words: str) -> None:
    found, told = await grade(record)
    assert (found, words in told) == (wanted, True), told
    assert await judged(record) == "usable"


async def test_everybody_and_nobody_and_two() -> None:
    assert "lets everybody send" in (await grade("v=spf1 mx +all"))[1]
    assert "lets everybody send" in (await grade("v=spf1 all"))[1]
    assert "lets everybody send" in (await grade("v=spf1 ip4:0.0.0.0/0 -all"))[1]
    assert "send." in (await grade("V=SPF1 MX -all"))[1]
    assert "publishes none: add a TXT record" in (await grade("v=spf10 mx"))[1]
    assert "publishes 2 records" in (await grade("v=spf1 mx -all", "v=spf1 a -all"))[1]
    assert (await grade("v=spf1 mx -all", relays=()))[1].endswith("your relay should be in it.")


async def test_addresses_of_both_kinds_are_found() -> None:
    zone = {**ZONE, (DOMAIN, "TXT"): ["v=spf1 a:mail.example.net//32 -all"]}
    assert await check(knowing(zone), DOMAIN, BOUNCES, "2001:db8:ffff::1") == "+"
    assert await check(knowing(zone), DOMAIN, BOUNCES, "2001:db9::1") == "-"
    assert await check(knowing(zone), DOMAIN, BOUNCES, OTHER) == "-"


@given(
    st.lists(
        st.from_regex(r"[+?~-]?(a|mx|include|ip4|ip6|all|exists|x)[:/=]?[a-z0-9.:/%{}]{0,12}", fullmatch=True),
        max_size=5,
    )
)
def test_whatever_is_published_ends_in_a_plain_line(terms: list[str]) -> None:
    record = "v=spf1 " + " ".join(terms)
    found, words = asyncio.run(grade(record))
    assert found in Grade
    assert len(words) < 400


@given(st.text(max_size=60))
def test_a_record_is_read_or_refused(text: str) -> None:
    with suppress(Broken):
        assert isinstance(parse(f"v=spf1 {text}"), Record)


async def judged(record: str) -> str:
    quoted = {key: [f'"{one}"' if key[1] == "TXT" else one for one in found] for key, found in ZONE.items()}
    zone = {**quoted, (DOMAIN, "TXT"): [f'"{record}"']}
    async with name_server(zone) as server:
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port = ["127.0.0.1"], server.port
        try:
            await asyncio.to_thread(parse_spf_record, record, DOMAIN, resolver=resolver)
        except SPFError:
            return "broken"
    return "usable"
