"""What the doctor says of return addresses, and of providers that report."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.commands.dns_records import Grade
from flows.commands.doctor import examine
from tests.commands.test_doctor import DOMAIN, PUBLISHED, by_thing, found, settings
from tests.names import name_server
from tests.sending.smtp import mail_server


@pytest.mark.parametrize(
    ("local", "verp", "expected"),
    [
        ("bounces", True, [(Grade.OK, "takes bounces+TOKEN@lab.example.org.")]),
        ("bounces", False, [(Grade.OK, "Set PAPERROUND_VERP=true")]),
        ("reject-bounces", True, [(Grade.WRONG, "or unset PAPERROUND_VERP.")]),
        ("reject-bounces", False, []),
        ("grey-bounces", True, [(Grade.LOOK, "451")]),
    ],
)
async def test_return_addresses_with_tokens_are_tried_at_the_mail_server_and_nothing_is_sent(
    tmp_path: Path, local: str, verp: bool, expected: list[tuple[Grade, str]]
) -> None:
    records = {**PUBLISHED, (DOMAIN, "MX"): ["20 elsewhere.example.org.", "10 localhost."]}
    given = settings(tmp_path, return_path=f"{local}@{DOMAIN}", verp=verp, returns_url="maildir:///nowhere")
    async with mail_server() as server, name_server(records, "") as resolver:
        things = by_thing([finding async for finding in examine(given, resolver, server.port)])
        assert server.taken == []
    told = things.get("Return addresses", [])
    assert [grade for grade, _ in told] == [grade for grade, _ in expected]
    assert all(wanted in words for (_, words), (_, wanted) in zip(told, expected, strict=True))


async def test_what_a_known_relay_needs_is_told(tmp_path: Path) -> None:
    relay = "smtp+starttls://user:hidden@email-smtp.eu-west-1.amazonaws.com:587"
    ((grade, words),) = (await found(settings(tmp_path, mail_url=relay)))["Providers"]
    assert (grade, "Amazon SES" in words, "ARN" in words, "hidden" in words) == (Grade.LOOK, True, True, False)
    things = await found(settings(tmp_path, mail_url=relay, hooks="ses = arn:aws:sns:x; pigeon = secret"))
    assert sorted(grade for grade, _ in things["Providers"]) == [Grade.OK, Grade.WRONG]
    assert any("/hooks/ses" in words for _, words in things["Providers"])
    assert not any("secret" in words or "arn:aws" in words for _, words in things["Providers"])
