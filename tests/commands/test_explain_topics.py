from __future__ import annotations

import os
from pathlib import Path

import pytest

from flows.commands import explain_topics
from flows.outcomes import Problem


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with two readers of the sample."""
    for name in [name for name in os.environ if name.startswith("PAPERROUND_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PAPERROUND_HOME_DIR", str(tmp_path / "home"))
    monkeypatch.setenv("PAPERROUND_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("PAPERROUND_MAIL_URL", f"maildir://{tmp_path / 'outbox'}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


async def test_one_labelled_paper_is_enough_to_evaluate(home: Path) -> None:
    labelled = home / "one.jsonl"
    labelled.write_text('{"id": "1", "title": "Untitled", "label": "other"}')
    assert "exact       1.000  (1.000 to 1.000)" in explain_topics.evaluate_topics(labelled, as_json=False)
    assert "Confused" not in explain_topics.evaluate_topics(labelled, as_json=False)


@pytest.mark.parametrize(
    "page",
    [
        "https://arxiv.org/abs/2606.00001v2",
        "http://www.arxiv.org/pdf/2606.00001.pdf",
        "https://export.arxiv.org/abs/2606.00001/",
        "https://arxiv.org/html/2606.00001v1#S2",
        "https://huggingface.co/papers/2606.00001?utm_source=x",
        " https://huggingface.co/papers/2606.00001 ",
    ],
)
async def test_a_paper_may_be_named_by_its_page(home: Path, page: str) -> None:
    with pytest.raises(Problem, match=r"^The paper 2606\.00001 is not stored"):
        await explain_topics.explain(page)


@pytest.mark.parametrize("page", ["https://example.org/abs/2606.00001", "https://arxiv.org/list/cs.CL", "2606"])
async def test_what_names_no_paper_is_told_with_what_does(home: Path, page: str) -> None:
    with pytest.raises(Problem, match=r"is not an arXiv identifier such as .*, nor the address of its page on"):
        await explain_topics.explain(page)


async def test_a_paper_that_was_never_stored_is_told_with_what_to_do(home: Path) -> None:
    with pytest.raises(Problem, match=r"is not stored: collect its day first, with `paperround preview --date DAY"):
        await explain_topics.explain("2606.00001")
