"""The latest edition of a newsletter, kept at hand: to read one takes longer than all else that a page needs."""

from __future__ import annotations

from flows.editions.model import Edition, Kind
from flows.storage.editions import Store


class FindLatest:
    """Asked with a newsletter's slug and a kind; None where no edition has come out."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept: dict[tuple[str, Kind], tuple[int, Edition]] = {}

    async def __call__(self, newsletter: str, kind: Kind = Kind.DAILY) -> Edition | None:
        number = await self._store.newest(newsletter, kind)
        if number is None:
            return None
        kept = self._kept.get((newsletter, kind))
        if kept is None or kept[0] != number:
            frozen = await self._store.frozen(number)
            if frozen is None:
                return None
            # a frozen edition is never altered
            kept = self._kept[newsletter, kind] = (number, frozen.edition)
        return kept[1]
