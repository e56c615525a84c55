"""How a ChangeSet becomes true: one function of ordered writes, in a transaction or without one.

The claim first, for who has lost that does nothing else; then the next head of each project, by id, and with it what
the log says; then what is in no project, the last of which (the answer of the claim, where there is one) seals the
commit; then all that follows from the log, the heads last (``finish.py``). Where there are no transactions, what fails
before the seal is taken back in reverse, each thing matched on what was written; what breaks off after it is carried
out by whoever comes next (``mending.py``).
"""

from __future__ import annotations

import time
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING, Any

import pymongo
from pymongo.errors import PyMongoError

from tracker.domain.identity import new_id
from tracker.domain.project import Project
from tracker.domain.refusals import Taken, Unavailable
from tracker.domain.session import Session
from tracker.store.contract import Receipt
from tracker.store.effects import arrives
from tracker.store.mongo.checks import check_others, check_within
from tracker.store.mongo.claims import Claiming
from tracker.store.mongo.collections import KEPT_IN, In
from tracker.store.mongo.documents import document_of_entry, place_in_log
from tracker.store.mongo.finish import finish
from tracker.store.mongo.heads import Base, as_kept, base_of, entries_of, place_for
from tracker.store.mongo.mending import of_commit
from tracker.store.mongo.modes import A_CHANGE, HOLD
from tracker.store.mongo.others import write_other

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tracker.domain.changes import Entity, LogEntry
    from tracker.store.contract import Claim
    from tracker.store.mongo.access import Access
    from tracker.store.mongo.documents import Document
    from tracker.store.mongo.modes import Mode
    from tracker.store.mongo.plan import Plan


def rehearse(plan: Plan, access: Access) -> Receipt:
    """Return what a commit would, and raise what it would: everything it rests on is read, and nothing written."""
    check_others(access, plan)
    bases = {}
    for project_id in plan.held:
        bases[project_id] = base_of(access, plan, project_id)
        check_within(access, plan, project_id)
    return receipt_of(plan, bases, as_kept(plan, bases))


def receipt_of(plan: Plan, bases: Mapping[str, Base], kept: Sequence[Entity | None]) -> Receipt:
    """Return what a commit made."""
    pairs = zip(plan.changes, kept, strict=True)
    arrived = {after.id: after for change, after in pairs if after is not None and arrives(change)}
    return Receipt({project_id: bases[project_id].head + 1 for project_id in plan.touched}, arrived)


class Commit:
    """One ChangeSet, written once."""

    def __init__(self, plan: Plan, mode: Mode, claim: Claim | None) -> None:
        """Nothing is written yet."""
        self._plan, self._mode, self._access = plan, mode, mode.access
        self._id = new_id()
        self._operation_id = plan.set.operation_id
        created = [change.after for change in plan.others if change.before is None]
        self._created = [[KEPT_IN[type(entity)].value, entity.id] for entity in created if entity is not None]
        journal = {"operation_id": self._operation_id, "created": self._created, "changes": len(plan.changes)}
        self._claim = None if claim is None else Claiming(claim, mode, by=self._id, journal=journal)
        self._undoing: list[Callable[[], object]] = []
        self._held_since: float | None = None
        self._time = HOLD + len(plan.changes) * A_CHANGE

    def run(self) -> Receipt:
        """Write everything; raise Stale, Taken or what the driver raises where nothing came of it."""
        try:
            receipt, entries = self._sealed()
        except BaseException:
            self._undo()
            raise
        with self._in_time():
            self._follow(entries)
        return receipt

    def _sealed(self) -> tuple[Receipt, list[LogEntry]]:
        if self._claim is not None:
            self._claim.take(self._undoing)
        check_others(self._access, self._plan)
        bases = self._take_heads()
        kept = as_kept(self._plan, bases)
        entries = self._tell(bases, kept)
        receipt = receipt_of(self._plan, bases, kept)
        self._check_time()
        with self._in_time():
            for change in self._plan.others:
                write_other(self._access, self._plan, change, by=self._id, undoing=self._undoing)
            if self._claim is not None:
                self._claim.answer(receipt, stays_open=self._stays_open)
        return receipt, entries

    def _follow(self, entries: Sequence[LogEntry]) -> None:
        if entries:
            finish(self._access, entries, newcomers=[id_ for where, id_ in self._created if where == In.USERS])
        if self._plan.held != self._plan.touched:
            self._access.delete(In.LOG, {**self._of_mine(), "entity": {"$eq": None}})
        for change in self._plan.others:
            if isinstance(change.before, Session) and change.after is None:
                self._access.delete(In.REFRESH_TOKENS, {"session_id": {"$eq": change.before.id}})
        if self._claim is not None and self._stays_open:
            self._claim.close()

    @property
    def _stays_open(self) -> bool:
        """Whether something is still to be done when the claim is answered."""
        return self._mode.alone and bool(self._plan.touched)

    # The heads, and the log.

    def _take_heads(self) -> dict[str, Base]:
        return {project_id: self._take_head(project_id) for project_id in self._plan.held}

    def _take_head(self, project_id: str) -> Base:
        while True:
            base = base_of(self._access, self._plan, project_id)
            if self._holds_within(project_id, base) and self._has_taken(project_id, base):
                return base
            self._mode.wait_for_head(project_id, base.head + 1)

    def _holds_within(self, project_id: str, base: Base) -> bool:
        """Whether all is as it has to be; False where somebody may have changed it since the base was read."""
        try:
            check_within(self._access, self._plan, project_id)
        except Taken:
            first = place_in_log(project_id, base.head + 1, 1)["_id"]
            if self._access.one(In.LOG, {"_id": {"$eq": first}}, fields=["_id"]) is None:
                raise
            return False
        return True

    def _has_taken(self, project_id: str, base: Base) -> bool:
        self._make_place(project_id)
        self._undoing.append(lambda: self._access.delete(In.LOG, self._of_mine()))
        if not self._access.inserted(In.LOG, self._first(project_id, base)):
            self._undoing.pop()
            return False
        self._held_since = self._held_since or time.monotonic()
        return True

    def _make_place(self, project_id: str) -> None:
        change = self._plan.change_of(project_id)
        project = change.after if change is not None and change.before is None else None
        if isinstance(project, Project) and not self._access.one(In.PROJECTS, {"_id": {"$eq": project_id}}):
            self._access.inserted(In.PROJECTS, place_for(project))

    def _first(self, project_id: str, base: Base) -> Document:
        """Return what takes a head: what the log says, where that is known yet, else what only holds the place."""
        if self._plan.held == [project_id] == self._plan.touched:
            entries = entries_of(self._plan, as_kept(self._plan, {project_id: base}), project_id, base.head + 1)
            return self._document(entries[0], {project_id: len(entries)})
        nothing = {"operation_id": self._operation_id, "entity": None, "commit": self._id}
        return {**place_in_log(project_id, base.head + 1, 1), **nothing, "journal": self._journal(None)}

    def _tell(self, bases: Mapping[str, Base], kept: Sequence[Entity | None]) -> list[LogEntry]:
        said = {
            project_id: entries_of(self._plan, kept, project_id, bases[project_id].head + 1)
            for project_id in self._plan.touched
        }
        parts = {project_id: len(entries) for project_id, entries in said.items()}
        for first, *_rest_of_them in said.values() if len(self._plan.held) > 1 else ():
            document = self._document(first, parts)
            self._access.replace(In.LOG, {"_id": {"$eq": document["_id"]}, "commit": {"$eq": self._id}}, document)
        entries = [entry for told in said.values() for entry in told]
        self._access.insert(In.LOG, [self._document(entry, None) for entry in entries if entry.n > 1])
        return entries

    def _document(self, entry: LogEntry, parts: Mapping[str, int] | None) -> Document:
        document = {**document_of_entry(entry), "commit": self._id}
        return document if parts is None else {**document, "journal": self._journal(parts)}

    def _journal(self, parts: Mapping[str, int] | None) -> Document:
        return {
            "changes": len(self._plan.changes),
            "parts": parts and [*map(list, parts.items())],
            "seal": self._seal(),
            "created": self._created,
        }

    def _seal(self) -> list[str] | None:
        if self._claim is not None:
            return [In.CLAIMS.value, self._claim.id, "answered"]
        if not self._plan.others:
            return None
        last = self._plan.others[-1]
        return [KEPT_IN[type(last.entity)].value, last.entity.id, "kept" if last.after else "gone"]

    def _of_mine(self) -> Document:
        return of_commit(self._operation_id, self._id)

    # Time, and the way back.

    def _check_time(self) -> None:
        since = self._held_since
        if self._mode.alone and since is not None and time.monotonic() - since > self._time:
            raise Unavailable

    def _in_time(self) -> Any:
        return pymongo.timeout(self._time) if self._mode.alone else nullcontext()

    def _undo(self) -> None:
        while self._mode.alone and self._undoing:
            with suppress(PyMongoError):  # what cannot be taken back now is by whoever comes upon it
                self._undoing.pop()()
