"""What the command does with topics: why a paper has its own, and how well papers are grouped."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from pathlib import Path

from flows.commands.subscribers import opened
from flows.config import catalogue
from flows.config.settings import load_settings
from flows.context import open_context
from flows.editions.judging.evaluate import TopicsReport, evaluate, read
from flows.editions.maths import text
from flows.editions.topics import Classifier
from flows.outcomes import Problem
from flows.papers.model import PaperId, paper_id

BEST = 5
"""Topics that an explanation names."""


async def explain(wanted: str, *, as_json: bool = False) -> str:
    """Why a paper has its topic, in lines or as JSON: the topic, the one that nearly won, the reasons, the scores."""
    identity = _paper_of(wanted)
    async with open_context(load_settings()) as context:
        paper = await context.store.paper(identity)
        if paper is None:
            raise Problem(
                f"The paper {identity} is not stored: collect its day first, "
                "with `paperround preview --date DAY --out DIR`."
            )
        names = {topic.slug: topic.name for topic in context.topics}
        found, scores = context.classifier.classify(paper), context.classifier.scores(paper)
    if as_json:
        said: dict[str, object] = {
            "id": paper.id,
            "title": text(paper.title),
            "topic": found.topic,
            "runner_up": found.second or None,
        }
        said |= {"because": list(found.because), "scores": {slug: round(score, 3) for slug, score in scores.items()}}
        return json.dumps(said, ensure_ascii=False, indent=2)
    best = list(scores.items())[:BEST]
    width = max(len(slug) for slug, _ in best) if best else 0
    return "\n".join(
        [
            f"{paper.id}  {text(paper.title)}",
            f"Topic      {found.topic} ({names[found.topic]})",
            f"Runner-up  {f'{found.second} ({names[found.second]})' if found.second else 'none came near'}",
            f"Because    {'; '.join(found.because)}",
            "Scores     " + "\n           ".join(f"{slug:<{width}}  {score:.2f}" for slug, score in best),
        ]
    )


_ADDRESS = re.compile(
    r"https?://(?:(?:www\.|export\.)?arxiv\.org/(?:abs|pdf|html)|(?:www\.)?huggingface\.co/papers)/([^?#]+?)(?:\.pdf)?/?"
    r"(?:[?#].*)?"
)


def _paper_of(wanted: str) -> PaperId:
    """The paper that an identifier, or the address of its page on arXiv or Hugging Face, names. Raises Problem."""
    found = _ADDRESS.fullmatch(wanted.strip())
    try:
        return paper_id(found[1] if found else wanted)
    except ValueError as error:
        raise Problem(f"{error}, nor the address of its page on arxiv.org or huggingface.co.") from None


def evaluate_topics(file: Path, *, as_json: bool) -> str:
    """How well the papers of a JSON Lines file are grouped, in lines or as JSON."""
    topics = catalogue.topics(load_settings().topics_dir)
    with opened(file, "r") as labelled:
        examples = read(labelled, {topic.slug for topic in topics})
    report = evaluate(Classifier(topics), examples)
    return _as_json(report) if as_json else _as_lines(report)


def _as_json(report: TopicsReport) -> str:
    shares = {"exact": report.exact, "acceptable": report.acceptable, "macro_f1": report.macro_f1}
    whole = {
        "papers": report.papers,
        **{name: share.value for name, share in shares.items()},
        "intervals": {name: [share.low, share.high] for name, share in shares.items()},
        "topics": [asdict(topic) for topic in report.topics],
        "confusions": [asdict(confusion) for confusion in report.confusions],
    }
    return json.dumps(whole, indent=2)


def _as_lines(report: TopicsReport) -> str:
    shares = (("exact", report.exact), ("acceptable", report.acceptable), ("macro-F1", report.macro_f1))
    lines = [f"{report.papers} labelled, with 95 % confidence"]
    lines += [f"  {name:<10}  {share.value:.3f}  ({share.low:.3f} to {share.high:.3f})" for name, share in shares]
    width = max(len(topic.topic) for topic in report.topics)
    lines += ["", f"{'topic':<{width}}  papers  precision  recall     F1"]
    lines += [
        f"{topic.topic:<{width}}  {topic.papers:>6}  {topic.precision:>9.3f}  {topic.recall:>6.3f}  {topic.f1:>5.3f}"
        for topic in report.topics
    ]
    if report.confusions:
        lines += ["", "Confused: how often, label → given"]
        lines += [f"{one.count:>4}  {one.label} → {one.given}" for one in report.confusions]
    return "\n".join(lines)
