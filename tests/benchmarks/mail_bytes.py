"""How many bytes a mail takes on the wire, by how many papers it holds.

    python -m tests.benchmarks.mail_bytes DATE.json …

The files are answers of Hugging Face's daily papers, a day each. Of every day a whole mail is made in both looks, its
headers and both forms counted. Told are the mails of about 21 papers, the largest of them all, and what each further
paper adds (the slope of the least squares).
"""

from __future__ import annotations

import argparse
import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import linear_regression, mean

from flows.config import catalogue
from flows.context import TEMPLATES
from flows.editions.arrange import compose
from flows.editions.choose import choose
from flows.editions.model import Edition, Interests, Kind, Newsletter, Topic
from flows.editions.topics import Classifier
from flows.mail.assemble import assemble
from flows.mail.cards import render
from flows.papers.model import Addresses, Request, Window
from flows.papers.sources import huggingface
from tests import factories

AROUND = range(20, 23)
LOOKS = ("classic", "compact")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("files", nargs="+", type=Path, help="Hugging Face's answers, DATE.json")
    topics = catalogue.topics()
    newsletter = catalogue.newsletters(known_topics=topics)["daily"]
    editions = list(composed(parser.parse_args().files, newsletter, topics))
    for look in LOOKS:
        told(look, [(of.size, bytes_of(of, replace(newsletter, look=look), topics)) for of in editions])


def composed(files: Sequence[Path], newsletter: Newsletter, topics: Sequence[Topic]) -> Iterator[Edition]:
    classifier = Classifier(topics)
    request = Request(url="", kind="page 0", format="json", service=huggingface.NAME)
    for file in sorted(files):
        day = dt.date.fromisoformat(file.stem)
        listed = huggingface.parse(file.read_bytes(), request, Window(day=day), Addresses()).papers
        titles = {huggingface.NAME: huggingface.TITLE}
        made = compose(newsletter, Kind.DAILY, day, listed, topics=topics, classify=classifier.classify, titles=titles)
        if isinstance(made, Edition):
            yield made


def bytes_of(of: Edition, newsletter: Newsletter, topics: Sequence[Topic]) -> int:
    cards = render(of, newsletter, topics, factories.site(), [TEMPLATES], factories.phrases())
    return len(assemble(cards, choose(of, Interests()), factories.reader()).content)


def told(look: str, mails: Sequence[tuple[int, int]]) -> None:
    around = [size for papers, size in mails if papers in AROUND]
    slope, _ = linear_regression(*zip(*mails, strict=True))
    papers, largest = max(mails, key=lambda mail: mail[1])
    about = f"{mean(around) / 1000:.1f} kB of {AROUND[0]} to {AROUND[-1]} papers, " if around else ""
    print(
        f"{look}: {len(mails)} mails, {about}{slope / 1000:.2f} kB for each further paper, "
        f"the largest {largest / 1000:.1f} kB with {papers}"
    )


if __name__ == "__main__":
    main()
