"""The two ways to make several writes: in a transaction, or one after the other on a server that has none."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Protocol, TypeVar

import pymongo
from pymongo import ReadPreference, WriteConcern
from pymongo.read_concern import ReadConcern

from tracker.domain.refusals import Unavailable
from tracker.store.mongo.access import Access
from tracker.store.mongo.collections import In
from tracker.store.mongo.documents import place_in_log
from tracker.store.mongo.mending import settle, settle_claim

if TYPE_CHECKING:
    from collections.abc import Callable

    from pymongo.client_session import ClientSession

    from tracker.store.mongo.connection import Connection
    from tracker.store.mongo.documents import Document

Made = TypeVar("Made")

PATIENCE = 5.0  # seconds: how long a transaction is begun again for, where others are first each time
HOLD = 4.0  # seconds: who has held a project for longer gives it up, unless it is sealed: then it has as long again
LEASE = 10.0  # seconds: what has not moved for so long is nobody's any more
LONGEST = 2 * LEASE  # seconds: whoever stands in the way is waited for no longer than it takes to be sure, twice over
A_CHANGE = 0.005  # seconds: what each change adds to these, for a commit of thousands
_PAUSE = 0.01


class Beaten(Exception):
    """Somebody was first between what this transaction has seen and what it writes: it has to begin again."""


class Mode(Protocol):
    """How a commit stands to others at the same things."""

    access: Access
    alone: bool
    """Whether each write is there for all to see once it is made."""

    def wait_for_head(self, project_id: str, head: int) -> None:
        """Return when it may be worth while to look again at a project whose next head somebody else has taken."""

    def wait_for_claim(self, claim: Document | None) -> None:
        """The same for a key whose claim somebody else has made and not answered, None where that is not known."""


class InTransaction:
    """All at once."""

    alone = False

    def __init__(self, access: Access) -> None:
        """Everything goes through the session of this access."""
        self.access = access

    def wait_for_head(self, project_id: str, head: int) -> None:
        raise Beaten(project_id, head)

    def wait_for_claim(self, claim: Document | None) -> None:
        raise Beaten(claim and claim["_id"])


class Alone:
    """One after the other. Who stands in the way is waited for, and what nobody carries on is settled.

    Nobody's clock is compared with another's: whoever waits has watched the same thing stand still for so long.
    """

    alone = True

    def __init__(self, access: Access) -> None:
        """Begin to wait for others, if need be."""
        self.access = access
        self._until = time.monotonic() + LONGEST
        self._seen: object = None
        self._since = 0.0

    def wait_for_head(self, project_id: str, head: int) -> None:
        place = place_in_log(project_id, head, 1)["_id"]
        held = self.access.one(In.LOG, {"_id": {"$eq": place}})
        if held is not None and self._outlasted((place, held["commit"]), held["journal"]["changes"]):
            settle(self.access, held)

    def wait_for_claim(self, claim: Document | None) -> None:
        if claim is not None and self._outlasted((claim["_id"], claim["by"]), claim["changes"]):
            settle_claim(self.access, claim)

    def _outlasted(self, seen: object, changes: int) -> bool:
        now = time.monotonic()
        if now > self._until:
            raise Unavailable
        if seen != self._seen:
            self._seen, self._since = seen, now
        time.sleep(random.uniform(0, _PAUSE))  # noqa: S311 - jitter, not a secret
        return now - self._since > LEASE + changes * A_CHANGE


def in_transaction(connection: Connection, work: Callable[[Mode], Made], *, changes: int) -> Made:
    """Return what ``work`` made, once that is committed; it is done again where others were first."""
    patience = PATIENCE + changes * A_CHANGE
    until = time.monotonic() + patience
    with connection.client.start_session() as session:
        while True:
            try:
                return _tried(connection, session, work, patience)
            except Beaten:
                if time.monotonic() > until:
                    raise Unavailable from None
                time.sleep(random.uniform(0, _PAUSE))  # noqa: S311 - jitter, not a secret


def _tried(connection: Connection, session: ClientSession, work: Callable[[Mode], Made], patience: float) -> Made:
    with pymongo.timeout(patience):
        return session.with_transaction(
            lambda begun: work(InTransaction(Access(connection, begun))),
            read_concern=ReadConcern("snapshot"),
            write_concern=WriteConcern("majority", j=True),
            read_preference=ReadPreference.PRIMARY,
        )
