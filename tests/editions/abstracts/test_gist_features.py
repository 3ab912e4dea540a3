"""What is counted in a possible gist: by what it says, and where that stands."""

from __future__ import annotations

from flows.editions.abstracts.gist_features import in_role, of_draft, of_piece, of_word, source
from flows.editions.abstracts.pieces import Piece, pieces
from flows.editions.words import words

SENTENCES = (
    "Shepherds count sheep by hand, which is slow.",
    "We propose Woolly, a bell that counts sheep at night.",
    "Experiments on 10 farms show that Woolly misses fewer sheep than the best shepherd.",
)
PAPER = source("Woolly: Counting Sheep", SENTENCES)


def piece(at: int, text: str = "") -> Piece:
    found = pieces(at, SENTENCES[at], "", {})
    return next(one for one in found if not text or one.text == text)


def of(at: int) -> dict[str, float]:
    one = piece(at)
    return dict(of_piece(one, words(one.text), PAPER))


def test_where_a_paper_begins_to_speak_of_itself_is_known() -> None:
    assert (PAPER.name, PAPER.begins, PAPER.proposes) == ("Woolly", 1, 1)
    assert "sheep" in PAPER.title
    assert source("Counting sheep", ("It is slow.",)).name == ""
    assert source("Counting sheep", ("It is slow.",)).proposes == -1


def test_a_sentence_that_brings_something_in_is_told_from_background() -> None:
    background, proposal, finding = (of(at) for at in range(3))

    assert {"proposes", "propose", "begins", "name"} <= proposal.keys()
    assert not {"proposes", "propose", "begins", "name"} & background.keys()
    assert {"result", "digit", "last"} <= finding.keys()


def test_a_word_counts_by_how_often_and_how_early_it_stands() -> None:
    sheep, hand, unknown = (dict(of_word(word, PAPER)) for word in ("sheep", "hand", "drum"))

    assert {"w|title", "w|twice", "w|thrice", "w|at once"} <= sheep.keys()
    assert sheep["w|spread"] == 1.0
    assert "w|title" not in hand
    assert (unknown["w|often"], unknown["w|late"]) == (0.0, 1.0)


def test_a_gist_of_two_sentences_knows_the_gap_between_them() -> None:
    def counted(*ats: int) -> dict[str, float]:
        draft = [piece(at) for at in ats]
        spoken = [word for one in draft for word in words(one.text)]
        return dict(of_draft(draft, spoken, PAPER, dict.fromkeys(spoken, 0.5)))

    assert counted(0, 1)["d|together"] == 1.0
    assert "d|together" not in counted(0, 2)
    assert counted(0, 2)["d|gap"] == 2 / 3
    assert "d|two" not in counted(1)
    assert counted(0, 1)["d|words"] > counted(1)["d|words"]


def test_a_sentence_in_a_pair_counts_half_and_whole_in_its_role() -> None:
    assert list(in_role([("propose", 1.0)], 0)) == [("propose", 1.0)]
    assert list(in_role([("propose", 1.0)], 2)) == [("propose", 0.5), ("2|propose", 1.0)]
