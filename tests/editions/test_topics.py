"""A paper gets the topic that a person would give it, and says why."""

from __future__ import annotations

import datetime as dt
import itertools
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.config.catalogue import topics
from flows.editions.judging.evaluate import evaluate, read
from flows.editions.linear import NO_MODEL
from flows.editions.model import OTHER, Topic
from flows.editions.topics import Classifier
from flows.editions.words import words
from flows.papers.model import Paper, PaperId

CLASSIFIER = Classifier(topics())
ANOTHER = Classifier(topics())

INVENTED = {
    "language-models": ("A tokenizer for forty languages", "We pretrain a language model from scratch on web text."),
    "fine-tuning": ("Merging adapters without regret", "LoRA adapters are merged after supervised fine-tuning."),
    "reasoning": ("Thinking twice", "Long chains of thought and a verifier help with mathematical reasoning."),
    "llm-evaluation": ("Judging the judges", "We ask whether LLM judges agree with each other on general benchmarks."),
    "agents": ("A web agent that books trains", "Our LLM agent calls tools and plans over many turns."),
    "code": ("Mending programs overnight", "Program repair for whole repositories, checked by unit tests."),
    "retrieval": ("Fewer passages, better answers", "Retrieval-augmented generation with a small reranker."),
    "efficiency": ("Half the bits", "Post-training quantization and a smaller KV cache raise the throughput."),
    "safety": ("Locks for chatbots", "Jailbreak attacks are stopped by a guardrail; attackers adapt."),
    "interpretability": ("What does this head do?", "Sparse autoencoders find circuits in the residual stream."),
    "multimodal": ("Reading menus", "A vision-language model answers questions about photographs of documents (OCR)."),
    "image-generation": ("Painting with fewer strokes", "Text-to-image diffusion in two sampling steps."),
    "video": ("A minute in one go", "Long video generation with a streaming diffusion model keeps every frame stable."),
    "3d": ("Splats of the old town", "Gaussian splatting gives novel view synthesis of a whole street."),
    "perception": ("Finding small birds", "Object detection with bounding boxes in crowded pictures."),
    "audio": ("Hearing dialects", "Speech recognition for three dialects from hours of audio."),
    "robotics": ("A robot folds a shirt", "A bimanual robot learns manipulation from teleoperation."),
    "reinforcement-learning": (
        "Curious in Atari",
        "Deep reinforcement learning with a Q-learning bonus for exploration.",
    ),
    "machine-learning": (
        "Graphs that forget",
        "Graph neural networks for node classification under distribution shift.",
    ),
    "health": ("Reading X-rays at night", "Chest X-ray reports for patients, judged by radiologists in two hospitals."),
    "biology-chemistry": ("Folding small proteins", "A protein language model predicts binding of ligands."),
    "neuroscience": ("A cortex in forty parameters", "Neural recordings from visual cortex and fMRI."),
    "astronomy": ("Dim galaxies", "The redshift of faint galaxies and their dark matter haloes."),
    "physics": ("Noise on nine qubits", "Quantum error correction for a quantum circuit of nine qubits."),
    "mathematics": ("A theorem on random matrices", "We prove a limit theorem for eigenvalues of random matrices."),
    "earth": ("Rain by noon", "Weather forecasting of precipitation from satellite imagery."),
    "society": (
        "Students and their chatbots",
        "Interviews with students and teachers about homework in higher education.",
    ),
    "economics": ("Two bids too many", "Auctions in which bidders know the price; a Nash equilibrium exists."),
    "systems": ("Beams for the next network", "Channel estimation for massive MIMO in wireless networks."),
    OTHER: ("A note", "Nothing to see here."),
}

FIELDS = (
    ("image-generation", "GRPO for better pictures", "Online RL with a reward model aligns text-to-image diffusion."),
    ("image-generation", "Four bits to paint with", "We quantize a diffusion transformer and keep its images sharp."),
    ("video", "Caching what hardly moves", "A training-free cache makes long video generation twice as fast."),
    ("multimodal", "Looking twice", "RLVR teaches a vision-language model to reason step by step about charts."),
    ("multimodal", "Do they see the map?", "A benchmark of spatial reasoning for MLLMs: 4,000 questions about images."),
    ("audio", "A hundred hours of whispering", "We fine-tune an ASR model with adapters for whispered speech."),
    ("audio", "How musical is it?", "A benchmark of music understanding for large audio language models."),
    ("robotics", "Grasping by words", "Reinforcement learning post-trains a vision-language-action policy of a robot."),
    ("robotics", "Night drives", "A video world model simulates rare traffic for autonomous driving."),
    ("health", "Notes from the ward", "An LLM agent reads electronic health records and diagnoses patients."),
    ("health", "Slices without labels", "Semi-supervised segmentation of tumors in MRI with a diffusion model."),
    ("biology-chemistry", "Which drugs bind", "A graph neural network predicts how ligands bind to proteins."),
    ("biology-chemistry", "Exams for chemists", "A benchmark asks language models about chemistry and molecules."),
    ("earth", "Roofs from orbit", "Semantic segmentation of buildings in satellite imagery with a foundation model."),
    ("earth", "Storms in seconds", "A transformer emulates numerical weather prediction and its ensembles."),
    ("economics", "Reading the minutes", "Language models classify central bank statements and predict stock returns."),
    ("astronomy", "Counting faint galaxies", "A convolutional network measures redshifts of galaxies in a sky survey."),
    ("physics", "Nine qubits learn", "A quantum neural network on noisy qubits for image classification."),
    ("neuroscience", "Reading scans of thought", "A diffusion model tells from fMRI what subjects saw."),
    ("code", "An agent for old Java", "LLM agents migrate repositories and repair failing unit tests."),
    ("code", "Rewards that compile", "Reinforcement learning from test results improves code generation."),
    ("agents", "Clicking for a living", "We post-train a GUI agent with reinforcement learning on desktop tasks."),
    ("agents", "Exams for agents", "A benchmark of 300 office tasks for tool-using LLM agents with MCP servers."),
    ("safety", "Agents under attack", "Prompt injection makes web agents leak private data; we propose a defense."),
    ("safety", "Forgetting faces", "Machine unlearning removes identities from a diffusion model."),
    ("retrieval", "Reasoning before ranking", "RL trains a reasoning reranker for retrieval-augmented generation."),
    ("society", "Marks by machine", "Language models grade essays of students; teachers were interviewed."),
    ("efficiency", "Drafts for the long run", "Speculative decoding and KV cache eviction speed up reasoning models."),
    ("3d", "Splats that move", "A video diffusion prior helps 4D Gaussian splatting of dynamic scenes."),
    ("systems", "Learning to schedule beams", "Deep reinforcement learning allocates power in MIMO wireless networks."),
)  # fmt: skip
"""The field of application and a method of another topic, or a benchmark and its field."""


def paper(title: str, abstract: str = "", *categories: str) -> Paper:
    return Paper(
        id=PaperId("2601.00001"),
        title=title,
        abstract=abstract,
        categories=categories,
        day=dt.date(2026, 1, 5),
        sources=("huggingface",),
    )


@pytest.mark.parametrize("topic", topics(), ids=lambda topic: topic.slug)
def test_every_topic_tells_readers_what_it_is_and_finds_its_own(topic: Topic) -> None:
    assert topic.name
    assert len(topic.name) <= 26
    assert topic.group
    assert topic.description.endswith(".")
    assert topic.slug in INVENTED
    assert CLASSIFIER.classify(paper(*INVENTED[topic.slug])).topic == topic.slug


def test_groups_stay_together_in_their_order() -> None:
    groups = [topic.group for topic in topics()]
    changes = sum(a != b for a, b in itertools.pairwise(groups))

    assert changes + 1 == len(set(groups))
    assert topics()[-1].slug == OTHER
    assert len(topics()) == 30


@pytest.mark.parametrize("topic", topics(), ids=lambda topic: topic.slug)
def test_a_topic_lists_no_term_twice_in_other_clothes(topic: Topic) -> None:
    """Once plurals and hyphens are gone a term may not stand in two lists with different weights."""
    seen: dict[str, float] = {}
    for term, weight in topic.terms.items():
        phrase = " ".join(words(term))
        assert phrase, term
        assert seen.setdefault(phrase, weight) == weight, term


def test_the_reasons_name_terms_where_they_stand_and_categories() -> None:
    found = CLASSIFIER.classify(paper("Tensor networks at work", "A quantum circuit of six qubits.", "quant-ph"))

    assert found.topic == "physics"
    assert "category quant-ph" in found.because
    assert any("qubit" in reason for reason in found.because)
    titled = CLASSIFIER.classify(paper("Speech recognition in kitchens"))
    assert titled.because[0] == "'speech recognition' in the title"


def test_a_field_of_application_beats_the_method_and_a_benchmark_belongs_to_its_field() -> None:
    missed = [
        (topic, given, title)
        for topic, title, abstract in FIELDS
        if (given := CLASSIFIER.classify(paper(title, abstract)).topic) != topic
    ]

    assert len(missed) <= 2, missed


def test_a_second_topic_is_named_only_when_it_nearly_won() -> None:
    torn = CLASSIFIER.classify(paper("Quantum circuits for auctions with many bidders"))
    clear = CLASSIFIER.classify(paper(*INVENTED["astronomy"]))

    assert {torn.topic, torn.second} == {"economics", "physics"}
    assert clear.second == ""


def test_a_primary_category_says_more_than_a_cross_listed_one() -> None:
    first = CLASSIFIER.scores(paper("On a question", "", "cs.RO", "cs.SD"))
    other = CLASSIFIER.scores(paper("On a question", "", "cs.SD", "cs.RO"))

    assert next(iter(first)) == "robotics"
    assert next(iter(other)) == "audio"


def test_a_category_of_an_archive_stands_for_all_its_parts() -> None:
    assert CLASSIFIER.classify(paper("On a question", "", "astro-ph.EP")).topic == "astronomy"


def test_where_code_is_to_be_found_is_not_what_a_paper_is_about() -> None:
    plain = "Gaussian splatting of whole streets."
    pointed = f"{plain} The code and software are publicly available at https://github.com/some/repository."

    assert CLASSIFIER.scores(paper("Streets", plain)) == CLASSIFIER.scores(paper("Streets", pointed))


def test_keywords_of_a_source_are_ignored() -> None:
    given_paper = paper(*INVENTED["audio"])
    tagged = Paper(id=given_paper.id, title=given_paper.title, abstract=given_paper.abstract, day=given_paper.day,
                   sources=(), keywords=("protein", "galaxy"))  # fmt: skip

    assert CLASSIFIER.classify(tagged) == CLASSIFIER.classify(given_paper)


def test_without_topics_everything_is_other() -> None:
    assert Classifier(()).classify(paper(*INVENTED["audio"])).topic == OTHER


@settings(max_examples=60, deadline=None)
@given(
    title=st.text(max_size=200), abstract=st.text(max_size=500), categories=st.lists(st.text(max_size=12), max_size=4)
)
def test_any_text_at_all_gets_a_topic_and_always_the_same(title: str, abstract: str, categories: list[str]) -> None:
    hostile = paper(title, abstract, *categories)
    found = CLASSIFIER.classify(hostile)

    assert found == ANOTHER.classify(hostile)
    assert found.topic in {topic.slug for topic in topics()}
    assert found.second != found.topic


@pytest.mark.parametrize("text", ["code " * 40_000, "\\" * 50_000, "a." * 50_000, "É" * 50_000, "{" * 50_000])
def test_a_monstrous_abstract_costs_little(text: str) -> None:
    assert CLASSIFIER.classify(paper(text, text)).topic


def test_the_page_that_the_project_began_with_is_grouped_well(recorded: Path) -> None:
    lines = (recorded / "data/labels/topics-seed.jsonl").read_text(encoding="utf-8").splitlines()
    report = evaluate(CLASSIFIER, read(lines, {topic.slug for topic in topics()}))

    assert report.acceptable.value == 1
    assert report.exact.value >= 0.9


def test_labelled_papers_that_the_model_has_not_seen_are_grouped_well(recorded: Path) -> None:
    lines = (recorded / "data/labels/topics-dev.jsonl").read_text(encoding="utf-8").splitlines()
    report = evaluate(CLASSIFIER, read(lines, {topic.slug for topic in topics()}))

    assert report.exact.value >= 0.83
    assert report.acceptable.value >= 0.91
    assert report.macro_f1.value >= 0.75
    assert report.exact.low <= report.exact.value <= report.exact.high


def test_terms_alone_find_most_of_what_authors_chose(recorded: Path) -> None:
    """The model was trained with these papers, so that it can't be judged by them here."""
    lines = (recorded / "data/labels/topics-axcat-dev.jsonl").read_text(encoding="utf-8").splitlines()
    report = evaluate(Classifier(topics(), NO_MODEL), read(lines, {topic.slug for topic in topics()}))

    assert report.exact.value >= 0.69
