"""Topics and newsletters come from files, and every mistake in one is told in a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.config.catalogue import newsletters, sources, topics
from flows.editions.model import OTHER
from flows.outcomes import Problem

TOPIC = {
    "name": '"Bees"',
    "group": '"Nature"',
    "order": "5",
    "description": '"All about bees."',
}
LETTER = {"title": '"Bees today"', "description": '"Papers on bees."', "sources": '["huggingface"]'}


def write(folder: Path, name: str, fields: dict[str, str], more: str = "") -> Path:
    path = folder / f"{name}.toml"
    path.write_text("".join(f"{key} = {value}\n" for key, value in fields.items() if value) + more, encoding="utf-8")
    return path


def test_what_we_ship_can_be_read() -> None:
    ours = newsletters()

    assert {"daily", "arxiv", "sample"} <= set(ours)
    assert ours["daily"].active
    assert not ours["arxiv"].active
    assert not ours["sample"].active
    assert ours["sample"].notice.startswith("This is a sample")
    assert all(letter.accent and letter.look for letter in ours.values())
    assert {"arxiv", "huggingface", "sample"} <= set(sources())
    assert topics()[-1].slug == OTHER


def test_the_operators_file_stands_in_for_ours_and_others_are_added(tmp_path: Path) -> None:
    write(tmp_path, "audio", TOPIC)
    write(tmp_path, "bees", TOPIC, '[terms]\nstrong = ["bee hive"]\n[categories]\n"q-bio.PE" = 3\nmath = 1.5\n')
    found = {topic.slug: topic for topic in topics(tmp_path)}

    assert found["audio"].name == "Bees"
    assert found["bees"].terms == {"bee hive": 4.0}
    assert found["bees"].categories == {"q-bio.PE": 3.0, "math": 1.5}
    assert len(found) == len(topics()) + 1
    assert next(iter(found)) == "audio"


def test_a_term_in_two_lists_keeps_the_greater_weight(tmp_path: Path) -> None:
    write(tmp_path, "bees", TOPIC, '[terms]\nweak = ["hive"]\ndecisive = ["hive"]\n')

    assert {topic.slug: topic for topic in topics(tmp_path)}["bees"].terms == {"hive": 6.0}


@pytest.mark.parametrize(
    ("fields", "more", "sentence"),
    [
        ({"name": ""}, "", "name is missing; add it."),
        ({"name": '" "'}, "", "name ' ' must not be empty"),
        ({"name": "3"}, "", "name 3 must be a text"),
        ({"order": '"first"'}, "", "order 'first' must be a number from 0 to 9999"),
        ({"order": "true"}, "", "order True must be a number"),
        ({"discount": "2"}, "", "discount 2 must be a number from 0.1 to 1"),
        ({"colour": '"red"'}, "", "the field 'colour' is unknown"),
        ({"terms": '"hive"'}, "", "terms 'hive' must be a table"),
        (
            {},
            '[terms]\nhuge = ["hive"]\n',
            "the list of terms 'huge' is unknown: use certain, decisive, strong or weak",
        ),
        ({}, "[terms]\nweak = [1]\n", r"terms.weak \[1\] must be a list of texts"),
        ({}, '[categories]\n"CS CL" = 1\n', "the category 'CS CL' is not one of arXiv"),
        ({}, '[categories]\n"cs.CL" = "much"\n', "categories.cs.CL 'much' must be a number from 0 to 10"),
        ({}, "what is this", "is not valid TOML"),
    ],
)
def test_a_mistake_in_a_topic_is_told(tmp_path: Path, fields: dict[str, str], more: str, sentence: str) -> None:
    path = write(tmp_path, "bees", TOPIC | fields, more)

    with pytest.raises(Problem, match=sentence) as told:
        topics(tmp_path)
    assert str(path) in str(told.value)
    assert "\n" not in str(told.value)
    assert str(told.value).endswith(".")


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"title": ""}, "title is missing"),
        ({"sources": '"huggingface"'}, "sources 'huggingface' must be a list of texts"),
        ({"sources": "[]"}, r"sources \[\] must name one at least: use arxiv, huggingface or sample"),
        ({"sources": '["usenet"]'}, "the source 'usenet' is unknown: use arxiv, huggingface or sample"),
        ({"sources": '["arxiv"]'}, "categories .* must name what to follow of arXiv"),
        ({"categories": '["computers"]', "topics": '["fish"]'}, "the topic 'fish' is unknown"),
        ({"categories": '["cs CL"]'}, "the category 'cs CL' is not one of arXiv"),
        ({"zone": '"Mars/Olympus"'}, "zone 'Mars/Olympus' is unknown"),
        ({"zone": '"../etc"'}, "zone '../etc' is unknown"),
        ({"accent": '"green"'}, "accent 'green' must be a colour"),
        ({"accent": '"#fff"'}, "accent '#fff' must be a colour"),
        ({"look": '"../secret"'}, "look '../secret' must be the name of a folder"),
        ({"active": '"yes"'}, "active 'yes' must be true or false"),
        ({"footer": '"x"'}, "the field 'footer' is unknown"),
        ({"cron": '"daily"'}, "cron 'daily' must have five fields"),
        ({"cron": '"60 7 * * *"'}, "has '60' as its minute"),
        ({"cron": '"0 24 * * *"'}, "has '24' as its hour"),
        ({"cron": '"0 7 0 * *"'}, "has '0' as its day of the month"),
        ({"cron": '"0 7 * 13 *"'}, "has '13' as its month"),
        ({"cron": '"0 7 * * 8"'}, "has '8' as its day of the week"),
        ({"cron": '"@reboot"'}, "is no alias: use @daily or @weekly"),
        ({"cron": '"R 7 * * *"'}, "has 'R' as its minute"),
        ({"cron": '"0 7 15W * *"'}, "has '15W' as its day of the month"),
        ({"cron": '"0 7 * * 1-5 2027"'}, "must have five fields"),
        ({"cron": '"*/0 7 * * *"'}, "has '\\*/0' as its minute"),
        ({"cron": '"0, 7 * * *"'}, "has '0,' as its minute"),
        ({"cron": '"0 7 30 2 *"'}, "names a day that its months don't have"),
        ({"weekly_cron": '"saturday"'}, "weekly_cron 'saturday' must have five fields"),
        ({"weekly_cron": '"0 7 * * 8"'}, "weekly_cron '0 7 \\* \\* 8' has '8' as its day of the week"),
        ({"frequency": '"hourly"'}, "frequency 'hourly' is unknown: use daily, weekdays or weekly"),
        ({"frequency": "1"}, "frequency 1 must be a text in quotes"),
        ({"frequency": '"weekly"', "weekly_cron": '""'}, "frequency 'weekly' needs a weekly edition"),
        *(
            ({"hour": hour}, f"hour {shown} must be a whole number from 0 to 23")
            for hour, shown in (("24", "24"), ("-1", "-1"), ("7.5", "7.5"), ("true", "True"), ('"7"', "'7'"))
        ),
        ({"weekly_cron": "false"}, "weekly_cron False must be a text in quotes"),
    ],
)
def test_a_mistake_in_a_newsletter_is_told(tmp_path: Path, fields: dict[str, str], sentence: str) -> None:
    path = write(tmp_path, "bees", LETTER | fields)

    with pytest.raises(Problem, match=sentence) as told:
        newsletters(tmp_path, known_sources=("arxiv", "huggingface", "sample"))
    assert str(path) in str(told.value)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    "cron",
    [
        "0 7 * * 1-5",
        "*/15 6-18/2 1,15 jan-mar,dec *",
        "0 0 29 2 *",
        "0 20 * * sun,mon-thu",
        "@daily",
        "@weekly",
        "0 7 * * 1#1",
        "0 7 L * *",
        "0 7 * * fri-sun",
        "5/2 7 * * *",
    ],
)
def test_every_shape_of_a_schedule_is_taken(tmp_path: Path, cron: str) -> None:
    write(tmp_path, "bees", LETTER | {"cron": f'"{cron}"'})

    assert newsletters(tmp_path, known_sources=("huggingface", "arxiv", "sample"))["bees"].cron == cron


def test_a_newsletter_has_a_weekly_edition_on_saturdays_unless_it_says_otherwise(tmp_path: Path) -> None:
    for name, cron in (("usual", None), ("none", ""), ("sunday", "30 8 * * sun")):
        write(tmp_path, name, LETTER if cron is None else LETTER | {"weekly_cron": f'"{cron}"'})
    found = newsletters(tmp_path, known_sources=("huggingface", "arxiv", "sample"))

    assert [found[name].weekly_cron for name in ("usual", "none", "sunday")] == ["0 7 * * 6", "", "30 8 * * sun"]


@pytest.mark.parametrize("name", ["Bees", "my bees", "bees_1", "-bees", "bees--2"])
def test_a_name_that_can_not_stand_in_a_link_is_told(tmp_path: Path, name: str) -> None:
    write(tmp_path, name, LETTER)

    with pytest.raises(Problem, match="may hold only a-z, 0-9 and single hyphens"):
        newsletters(tmp_path)


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="does not exist: make it"):
        topics(tmp_path / "nowhere")


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "bees.toml").write_bytes(b"name = \xff\xfe")

    with pytest.raises(Problem, match="line 1 is not UTF-8"):
        topics(tmp_path)


def test_a_newsletter_may_carry_the_operators_own_topic(tmp_path: Path) -> None:
    mine = tmp_path / "topics"
    mine.mkdir()
    write(mine, "bees", TOPIC)
    letters = tmp_path / "letters"
    letters.mkdir()
    write(letters, "buzz", LETTER | {"topics": '["bees", "earth"]'})

    assert newsletters(letters, known_topics=topics(mine))["buzz"].topics == ("bees", "earth")


def test_a_newsletter_says_how_its_readers_begin(tmp_path: Path) -> None:
    write(tmp_path, "bees", LETTER)
    write(tmp_path, "wasps", LETTER | {"frequency": '"weekly"', "hour": "0"})
    found = newsletters(tmp_path, known_sources=("huggingface", "arxiv", "sample"))
    assert [(found[slug].frequency, found[slug].hour) for slug in ("bees", "wasps")] == [("daily", None), ("weekly", 0)]
