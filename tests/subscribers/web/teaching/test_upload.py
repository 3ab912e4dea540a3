"""A form with a file is a stranger's: within its bounds any bytes are read, beyond them a page says so."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from subscribers.web.teaching.upload import FIELDS, LIMIT, decoded
from tests.subscribers.site import Site, act

BOUNDARY = "----b"


def part(name: str, content: str | bytes, file: str = "") -> bytes:
    named = f'; filename="{file}"' if file else ""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'
    return head.encode() + (content.encode() if isinstance(content, str) else content) + b"\r\n"


END = f"--{BOUNDARY}--\r\n".encode()
TYPE = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


async def test_too_much_is_refused_by_a_page_and_nothing_is_changed(site: Site) -> None:
    path, before = act((await site.reader()).id, "teach"), await site.everything()
    whole = part("papers", "") + part("file", b"x" * LIMIT * 1024, "x.bib") + END
    answer = await site.browser.post(path, content=whole, headers=TYPE)
    assert (answer.status_code, f"{LIMIT} KB" in answer.text) == (413, True)

    async def without_length() -> object:
        yield whole

    assert (await site.browser.post(path, content=without_length(), headers=TYPE)).status_code == 413  # type: ignore[arg-type]
    for odd in (
        part("papers", "x") * (FIELDS + 1) + END,
        part("file", "x", "a") + part("file", "x", "b") + END,
        part("papers", "x")[:-20],
        b"nonsense",
    ):
        answer = await site.browser.post(path, content=odd, headers=TYPE)
        assert answer.status_code in (200, 400)
        assert answer.text.count("<h1") == 1
    assert (
        await site.browser.post(path, content=END, headers={"Content-Type": "multipart/form-data"})
    ).status_code == 400
    assert await site.everything() == before


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.builds(part, st.sampled_from(["papers", "file", "\0", "follow"]), st.binary(max_size=40), st.just("a.bib"))
        | st.builds(
            part,
            st.sampled_from(["papers", "follow"]),
            st.text(max_size=40).map(lambda t: t.encode("utf-8", "replace")),
        )
        | st.binary(max_size=40),
        max_size=4,
    )
)
async def test_any_body_is_answered_by_a_page(site: Site, parts: list[bytes]) -> None:
    path = act((await site.reader()).id, "teach")
    answer = await site.browser.post(path, content=b"".join(parts) + END, headers=TYPE)
    assert answer.status_code < 500
    assert answer.text.count("<h1") == 1


def test_a_file_is_read_in_the_encodings_that_programs_write() -> None:
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "cp1252"):
        assert decoded("Bücher".encode(encoding)) == "Bücher"


@given(st.binary(max_size=50))
def test_any_bytes_are_a_text(content: bytes) -> None:
    assert isinstance(decoded(content), str)
