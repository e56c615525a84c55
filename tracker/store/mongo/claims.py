"""The claim of a commit: taken before anything else is written, and answered when all of it is certain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracker.domain.refusals import Unavailable
from tracker.store.contract import CLAIM_LIFETIME, Stale
from tracker.store.mongo.collections import In

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracker.store.contract import Claim, Receipt
    from tracker.store.mongo.documents import Document
    from tracker.store.mongo.modes import Mode


class Claiming:
    """One claim of one commit. It is ``open`` until all that it stands for is there; nobody reads it before."""

    def __init__(self, claim: Claim, mode: Mode, *, by: str, journal: Document) -> None:
        """Nothing is written yet. ``journal`` is what has to be known of a commit that nobody carries on."""
        self._claim, self._mode, self._access = claim, mode, mode.access
        self._by, self._journal = by, journal
        self.id = by

    def take(self, undoing: list[Callable[[], object]]) -> None:
        """Have the key, or raise Stale where a younger claim than a day has it; tell before how it is given back."""
        claim = self._claim
        which = {"owner": {"$eq": claim.owner}, "key": {"$eq": claim.key}}
        while True:
            found = self._access.one(In.CLAIMS, which)
            if found is not None and found["open"]:
                self._mode.wait_for_claim(found)
            elif found is not None and found["at"] > claim.at - CLAIM_LIFETIME:
                raise Stale(f"{claim.owner}/{claim.key}")
            elif self._has_replaced(found, undoing) if found else self._has_made(undoing):
                return

    def answer(self, receipt: Receipt, *, stays_open: bool) -> None:
        """Say what is answered; Unavailable where this stood still for so long that somebody took it over."""
        answered = {"answer": self._claim.answer(receipt), "open": stays_open}
        if not self._access.update(In.CLAIMS, self._mine, {"$set": answered}):
            raise Unavailable

    def close(self) -> None:
        """Let it be read."""
        self._access.update(In.CLAIMS, self._mine, {"$set": {"open": False}})

    @property
    def _mine(self) -> Document:
        return {"_id": {"$eq": self.id}, "by": {"$eq": self._by}}

    def _has_replaced(self, found: Document, undoing: list[Callable[[], object]]) -> bool:
        self.id = found["_id"]
        undoing.append(lambda: self._access.replace(In.CLAIMS, self._mine, found))
        which = {"_id": {"$eq": found["_id"]}, "by": {"$eq": found["by"]}, "open": {"$eq": False}}
        return self._access.replace(In.CLAIMS, which, self._document())

    def _has_made(self, undoing: list[Callable[[], object]]) -> bool:
        self.id = self._by
        undoing.append(lambda: self._access.deleted(In.CLAIMS, self._mine))
        if self._access.inserted(In.CLAIMS, self._document()):
            return True
        self._mode.wait_for_claim(None)
        return False

    def _document(self) -> Document:
        said = {name: getattr(self._claim, name) for name in ("owner", "key", "fingerprint", "at")}
        return {"_id": self.id, **said, "answer": None, "open": True, "by": self._by, **self._journal}
