"""The flow `correct`, as a run under a real Prefect server."""

from __future__ import annotations

from flows.by_hand.correct import Correction, correct
from tests.by_hand.scene import EDITION, delivered
from tests.prefect_server import Installation


async def said(**given: object) -> tuple[str, str]:
    form = Correction.model_validate(EDITION | {"note": "A link was wrong."} | given)
    state = await correct(form, return_state=True)
    return state.type.value, str(state.message)


async def test_words_go_once_to_those_who_got_the_edition(installation: Installation) -> None:
    await delivered(installation, "ada", "ben")
    await installation.subscribes("late")
    for _ in range(2):
        kind, words = await said()
        assert (kind, words.startswith("Correction. Deliveries: 2 sent")) == ("COMPLETED", True)
    assert installation.outbox == ["ada@example.org"] * 2 + ["ben@example.org"] * 2


async def test_an_edition_that_nobody_got_and_a_server_that_is_away_end_the_run_as_failed(
    installation: Installation,
) -> None:
    assert (await said())[0] == "FAILED"
    await delivered(installation, "ada")
    installation.sets(mail_url="smtp://127.0.0.1:9", mail_wait="0")
    kind, words = await said()
    assert (kind, "Nobody was lost: start the run again when it is mended." in words) == ("FAILED", True)
    assert installation.outbox == ["ada@example.org"]
