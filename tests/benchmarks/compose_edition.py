"""How long an edition of a hundred papers takes, from papers to cards, and one of seven hundred.

    python -m tests.benchmarks.compose_edition

The papers have the words of the bundled sample in an order of their own; ten earlier editions of 40 papers have shown
others. Seconds of processor time, the best of five; of seven hundred papers once.
"""

from __future__ import annotations

import datetime as dt
import json
import random
import time
from collections.abc import Callable
from dataclasses import replace
from importlib.resources import files

from flows.config import catalogue
from flows.context import TEMPLATES
from flows.editions.alike.duplicates import unique
from flows.editions.alike.stories import stories
from flows.editions.arrange import compose
from flows.editions.model import Edition, Kind
from flows.editions.topics import Classifier
from flows.mail.cards import pack, render
from flows.papers.model import Paper
from tests import factories

PAPERS, MANY, EARLIER = 100, 700, 10


def main() -> None:
    topics = catalogue.topics()
    classifier = Classifier(topics)
    newsletter = catalogue.newsletters(known_topics=topics)["daily"]
    classifier.classify(factories.paper())

    def composed(listed: list[Paper], age: int = 0, earlier: tuple[Edition, ...] = ()) -> Edition:
        made = compose(
            newsletter,
            Kind.DAILY,
            factories.DAY - dt.timedelta(days=age),
            listed,
            earlier=earlier,
            topics=topics,
            classify=classifier.classify,
            titles={"huggingface": "Hugging Face"},
        )
        assert isinstance(made, Edition)
        return made

    listed = papers(PAPERS, 0)
    before = tuple(composed(papers(40, 1000 * age), age) for age in range(1, EARLIER + 1))
    edition = composed(listed, earlier=before)
    by_topic = {section.topic: section.entries for section in edition.sections}
    shown = [entry.paper for one in before for entry in one.entries]
    print(f"{edition.size} papers in {len(by_topic)} topics, {max(map(len, by_topic.values()))} in one")
    say = factories.phrases()
    for name, work in (
        ("compose", lambda: composed(listed, earlier=before)),
        ("  of it the topics", lambda: [classifier.classify(one) for one in listed]),
        ("  of it second ids", lambda: unique(listed, shown)),
        ("  of it stories", lambda: stories(by_topic, topics, {})),
        (
            "cards",
            lambda: pack(render(edition, newsletter, topics, factories.site(), [TEMPLATES], say)),
        ),
    ):
        print(f"{name:20} {best(work):.3f} s")
    many = papers(MANY, 0)
    print(f"{f'compose {MANY}':20} {timed(lambda: composed(many, earlier=before)):.3f} s")
    large = composed(many, earlier=before)
    took = timed(lambda: pack(render(large, newsletter, topics, factories.site(), [TEMPLATES], say)))
    print(f"{f'cards of {large.size}':20} {took:.3f} s")


def papers(count: int, first: int) -> list[Paper]:
    sample = json.loads(files("flows.papers").joinpath("sample.json").read_text("utf-8"))
    chance = random.Random(first)
    made = []
    for n in range(count):
        told = sample[n % len(sample)]
        words = told["abstract"].split()
        chance.shuffle(words)
        paper = factories.paper(first + n, title=told["title"], abstract=" ".join(words))
        made.append(replace(paper, categories=tuple(told["categories"]), authors=tuple(told["authors"])))
    return made


def best(work: Callable[[], object]) -> float:
    return min(timed(work) for _ in range(5))


def timed(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


if __name__ == "__main__":
    main()
