from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from flows.config.settings import Settings
from tests.running_processes import web_process


def asked(site: str, number: int, forwarded: str) -> httpx.Response:
    return httpx.post(
        f"{site}/subscribe",
        data={"address": f"reader{number}@example.org", "newsletter": "daily"},
        headers={"X-Forwarded-For": forwarded, "X-Forwarded-Proto": "https"},
        trust_env=False,
    )


@pytest.mark.parametrize(
    ("trusted", "believed"), [("127.0.0.0/8", True), ("127.0.0.1,::1", True), ("10.0.0.0/8", False), ("none", False)]
)
def test_a_visitor_is_known_by_what_a_trusted_proxy_says_alone(tmp_path: Path, trusted: str, believed: bool) -> None:
    with web_process(tmp_path, trusted_proxies=trusted) as site:
        answers = [asked(site, number, f"198.51.100.{number}") for number in range(11)]
        assert {answer.status_code for answer in answers[:10]} == {303}
        assert answers[10].status_code == (303 if believed else 429)
        assert ("Strict-Transport-Security" in answers[0].headers) == believed


def test_nobody_is_trusted_where_the_setting_is_none_or_empty() -> None:
    for given in ("", "none", " None "):
        assert Settings(_env_file=None, trusted_proxies=given).proxies == []
    assert Settings(_env_file=None, trusted_proxies="10.0.0.0/8, ::1").proxies == ["10.0.0.0/8", "::1"]
