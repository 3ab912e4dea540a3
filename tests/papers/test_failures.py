"""What went wrong with a request is one sentence: who, what, how often, where, and what to do."""

from __future__ import annotations

import httpx
import pytest

from flows.papers.failures import Failure, of_error, of_status, sentence, shown
from flows.papers.model import Unreadable
from tests.papers.shapes import asking

URL = "https://user:secret@hub.example/list"


@pytest.mark.parametrize(
    ("status", "passing", "remedy"),
    [
        (503, True, "try again later"),
        (429, True, "try again later"),
        (408, True, "try again later"),
        (304, True, "try again later"),
        (403, False, "it refuses this machine"),
        (451, False, "it refuses this machine"),
        (404, False, "check the date and its address"),
    ],
)
def test_only_what_may_pass_is_tried_again(status: int, passing: bool, remedy: str) -> None:
    found = of_status(httpx.Response(status, headers={"Retry-After": "7"}), b"")
    assert (found.what, found.passing) == (f"answered {status}", passing)
    assert remedy in found.remedy
    assert found.after == ("7" if status in (503, 429, 408) else "")


def test_what_the_service_says_of_its_error_is_repeated() -> None:
    answer = httpx.Response(400)
    assert of_status(answer, b'{"error": "no such\\nday"}').what == "answered 400 (no such day)"
    assert of_status(answer, b"<feed><summary type='t'>bad id</summary></feed>").what == "answered 400 (bad id)"
    assert of_status(answer, b"<p>sorry").what == "answered 400"


@pytest.mark.parametrize(
    ("error", "what", "passing"),
    [
        (Unreadable("an HTML page instead of JSON"), "sent an HTML page instead of JSON", True),
        (httpx.UnsupportedProtocol("ftp"), "has no usable address (ftp)", False),
        (httpx.ConnectError("refused"), "could not be reached (refused)", True),
        (httpx.ConnectTimeout(""), "could not be reached (no answer in time)", True),
        (httpx.ReadTimeout(""), "did not answer in time", True),
        (TimeoutError(), "did not answer in time", True),
        (httpx.RemoteProtocolError("x"), "broke off its answer", True),
    ],
)
def test_an_exception_is_told_in_words(error: Exception, what: str, passing: bool) -> None:
    found = of_error(error, asking(URL))
    assert (found.what, found.passing) == (what, passing)


def test_a_sentence_counts_attempts_and_shows_no_password() -> None:
    later = Failure("answered 503", "try again later")
    assert sentence(asking(URL), [later]) == "Hugging Face answered 503 at https://hub.example/list: try again later"
    assert "answered 503 three times at" in sentence(asking(URL), [later] * 3)
    assert "answered 503 12 times at" in sentence(asking(URL), [later] * 12)
    other = Failure("did not answer in time", "try again later")
    assert "failed twice, at last it did not answer in time at" in sentence(asking(URL), [later, other])


def test_the_setting_of_an_address_that_can_not_be_reached_is_named() -> None:
    error = httpx.ConnectError("refused")
    assert "PAPERROUND_HUGGINGFACE_URL" in of_error(error, asking(URL)).remedy
    assert "PAPERROUND_ARXIV_URL and PAPERROUND_ARXIV_RSS_URL" in of_error(error, asking(URL, "arxiv")).remedy


def test_an_address_is_shown_to_a_limit_and_whatever_it_is() -> None:
    assert len(shown("https://x.example/" + "a" * 999)) == 201
    assert shown("https://[broken") == "https://[broken"
