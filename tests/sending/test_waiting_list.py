"""What waits for the pace of its domain: only so much of it, and the rest goes back."""

from __future__ import annotations

from flows.sending.limits import Limit
from flows.sending.pace import Pace
from flows.sending.waiting_list import AT_LEAST, PARKED, WaitingList
from tests.sending.test_sender import Batch, To


async def test_what_waits_is_bounded_for_each_domain_and_for_all_together() -> None:
    domains = [f"d{n}.example" for n in range(60)]
    readers = [f"{n}@{domain}" for domain in domains for n in range(AT_LEAST + 10)]
    batch = Batch()
    work: WaitingList[To] = WaitingList(batch, Pace(limits={one: Limit(rate=0.1) for one in domains}), 1)
    work.add([To(reader) for reader in readers])
    taken = []
    while (found := work.take(0.0)[0]) is not None:
        taken.append(found.address)
    assert len(taken) == len(domains)  # the first of each may leave at once
    assert work.waiting == PARKED
    assert len(batch.waits) == len(readers) - len(taken) - PARKED
    first = [one for one in readers if one.endswith("@d0.example")]
    assert sum(one not in batch.waits for one in first) == AT_LEAST + 1
    work.give_back()
    assert len(batch.given_back) == PARKED
