"""The flow `resend`, as a run under a real Prefect server, with a real mail server."""

from __future__ import annotations

from flows.by_hand.resend import Again, resend
from tests.by_hand.scene import EDITION, delivered
from tests.prefect_server import Installation
from tests.sending.smtp import mail_server

BEN = "spam-ben@example.org"


async def said(state: str = "rejected", domain: str = "", *, dry_run: bool = False) -> tuple[str, str]:
    form = Again.model_validate(EDITION | {"state": state, "domain": domain, "dry_run": dry_run})
    ended = await resend(form, return_state=True)
    return ended.type.value, str(ended.message)


async def test_what_was_refused_wrongly_is_sent_again_and_nothing_else(installation: Installation) -> None:
    async with mail_server() as server:
        installation.sets(mail_url=server.url, pause_above="never")
        kind, words = await said()
        assert (kind, "has not been delivered: start `deliver` for it." in words) == ("FAILED", True)
        await delivered(installation, "ada", "spam-ben")
        assert server.readers == {"ada@example.org": 1}
        nothing = ("COMPLETED", "{} {}: nothing was changed")
        assert await said(dry_run=True) == (nothing[0], nothing[1].format(1, "rejected"))
        assert await said(domain="example.net") == (nothing[0], nothing[1].format(0, "rejected"))
        assert await said("uncertain") == (nothing[0], nothing[1].format(0, "uncertain"))
        tried = server.tries[BEN]
        assert (await said(domain="example.org"))[0] == "COMPLETED"
        assert server.tries[BEN] == tried + 1
        assert server.readers == {"ada@example.org": 1}
