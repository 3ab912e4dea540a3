"""The flow `send-test`, as a run under a real Prefect server."""

from __future__ import annotations

from flows import pipeline
from flows.by_hand import send_test as module
from flows.editions.model import Kind
from tests.approval.scene import silent
from tests.factories import DAY
from tests.prefect_server import Installation


async def said(newsletter: str) -> tuple[str, str]:
    form = module.Test.model_validate({"newsletter": newsletter, "date": str(DAY), "kind": "daily"})
    state = await module.send_test(form, return_state=True)
    return state.type.value, str(state.message)


async def test_the_operator_alone_gets_what_is_collected_and_nothing_is_stored(installation: Installation) -> None:
    await installation.subscribes("ada", newsletter="sample")
    installation.sets(operator_address="editor@example.org")
    async with installation.context() as context:
        await pipeline.collect(context, context.newsletter("sample"), Kind.DAILY, DAY, silent)
    kind, words = await said("sample")
    assert kind == "COMPLETED"
    assert words
    assert installation.outbox == ["editor@example.org"]
    async with installation.context() as context:
        assert await context.store.find("sample", Kind.DAILY, DAY) is None


async def test_what_keeps_it_from_leaving_fails_the_run_with_its_remedy(installation: Installation) -> None:
    for newsletter, words in (("sample", "PAPERROUND_OPERATOR_ADDRESS"), ("nope", "There is no newsletter 'nope'")):
        kind, told = await said(newsletter)
        assert (kind, words in told) == ("FAILED", True)
    assert installation.outbox == []
