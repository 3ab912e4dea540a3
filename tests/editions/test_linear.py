"""The trained model: small, quick to load, the same every time, and no more than one voice among others."""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
import time
from importlib.resources import files

import pytest

from flows.config.catalogue import topics
from flows.editions.linear import NO_MODEL, packaged, packed, unpacked
from flows.editions.model import OTHER, Topic
from flows.editions.topics import Classifier
from flows.editions.words import word_counts
from flows.papers.model import Paper, PaperId

CLASSIFIER = Classifier(topics())
SHEEP = ("Counting sheep", "Wool and pasture: a flock of sheep is shorn in spring.")
BEES = ("Following bees", "Nectar and hive: a swarm of bees is dancing in summer.")


def paper(title: str, abstract: str = "") -> Paper:
    return Paper(id=PaperId(title), title=title, abstract=abstract, day=dt.date(2026, 1, 5), sources=())


def test_the_packaged_model_knows_our_topics_and_is_small() -> None:
    model = packaged()

    assert set(model.topics) == {topic.slug for topic in topics()} - {OTHER}
    assert (files("flows.editions") / "topics.weights").stat().st_size < 1_000_000  # type: ignore[attr-defined]
    assert len(model.weights) == len(model.positions) * len(model.topics)


def test_the_packaged_model_holds_single_words_only() -> None:
    assert all(word.isalnum() and word.isascii() and 1 < len(word) < 40 for word in packaged().positions)


def test_the_packaged_model_is_loaded_at_once() -> None:
    packaged.cache_clear()
    start = time.process_time()
    packaged()

    assert time.process_time() - start < 0.05


def test_a_hundred_papers_of_usual_length_are_classified_at_once() -> None:
    abstract = " ".join([SHEEP[1], "Reinforcement learning helps vision-language models on benchmarks.", BEES[1]] * 7)
    papers = [paper(f"{SHEEP[0]} {n}", abstract) for n in range(100)]
    start = time.process_time()
    for each in papers:
        CLASSIFIER.classify(each)

    assert time.process_time() - start < 0.5


def test_a_model_survives_its_file_but_for_rounding() -> None:
    model = unpacked(packed(("a", "b"), (0.5, -0.5), {"hive": 2.0, "wool": 1.0}, ((1.0, -1.0), (-0.5, 0.25))))

    values = model.values({"wool": 1, "unknown": 7})
    assert set(values) == {"wool"}
    assert model.logits({"wool": 1.0}) == pytest.approx([0.0, -0.25], abs=0.01)
    assert model.contribution("wool", 1.0, 1) == pytest.approx(0.375, abs=0.01)


def test_a_few_words_are_worth_less_than_many() -> None:
    values = packaged().values
    few, many = values(word_counts(paper("Galaxies"))), values(word_counts(paper(*SHEEP)))

    assert math.hypot(*few.values()) < math.hypot(*many.values()) <= 1


def test_the_model_speaks_for_a_topic_and_is_named_among_the_reasons() -> None:
    asked = paper("A note on bees", "The hive and the swarm in summer see a photon.")
    model = unpacked(packed(("health", "physics"), (0, 0), {"hive": 5, "photon": 5}, ((-20, 20), (-20, 20))))
    plain, helped = Classifier(topics(), NO_MODEL), Classifier(topics(), model)
    lead = [scores["physics"] - scores["health"] for scores in (plain.scores(asked), helped.scores(asked))]

    assert lead[1] > lead[0]
    assert helped.classify(asked).because[0] == "the word 'hive'"
    assert "the word 'photon'" not in helped.classify(asked).because  # a term says so already


def test_without_a_model_terms_decide() -> None:
    found = Classifier(topics(), NO_MODEL).classify(paper("Speech recognition in kitchens"))

    assert found.topic == "audio"
    assert found.because[0] == "'speech recognition' in the title"


def test_a_topic_of_the_operator_lives_by_its_terms() -> None:
    sheep = Topic(
        slug="sheep", name="Sheep", group="Farm", description="Sheep.", order=1, terms={"sheep": 9.0, "wool": 6.0}
    )
    classifier = Classifier((*topics(), sheep))

    assert classifier.classify(paper(*SHEEP)).topic == "sheep"
    assert classifier.classify(paper("Speech recognition", "Speech, phonemes and audio.")).topic == "audio"


def test_topics_that_are_left_out_are_not_given() -> None:
    few = [topic for topic in topics() if topic.slug in {"physics", "economics"}]
    found = Classifier(few).classify(paper("Speech recognition of auctions", "Speech; bidders and auctions."))

    assert found.topic == "economics"


def test_topics_in_another_order_give_the_same_answer() -> None:
    turned = Classifier(tuple(reversed(topics())))
    asked = paper("Gaussian splatting of streets", "Novel view synthesis and reconstruction of whole towns.")

    assert turned.classify(asked) == CLASSIFIER.classify(asked)


def test_a_paper_without_known_words_is_not_decided_by_the_model() -> None:
    assert CLASSIFIER.classify(paper("Zzyzx", "Qwx qwx.")).topic == OTHER
    assert dataclasses.replace(NO_MODEL).logits({}) == []
