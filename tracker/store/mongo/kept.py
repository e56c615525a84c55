"""Everything in a database: read collection by collection, and written so that nobody takes the half of it for all."""

from __future__ import annotations

import time
from collections import defaultdict
from itertools import groupby, islice
from typing import TYPE_CHECKING, Any

from pymongo import UpdateOne

from tracker.domain.changes import LogEntry
from tracker.domain.identity import new_id
from tracker.domain.project import Membership, Project
from tracker.domain.refusals import Unavailable
from tracker.domain.reminder import Reminder
from tracker.domain.task import Task
from tracker.domain.user import User
from tracker.store.kept import ENTITIES, SORTED_BY, Account, NotEmpty
from tracker.store.mongo.collections import KEPT_IN, In
from tracker.store.mongo.documents import document_of, document_of_entry, entity_of, log_entry_of, task_of
from tracker.store.mongo.log import heads_of
from tracker.store.mongo.people import THERE
from tracker.store.mongo.schema import IMPORT

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence

    from tracker.store.kept import Kept
    from tracker.store.mongo.access import Access
    from tracker.store.mongo.documents import Document

AT_ONCE = 500  # documents that are in memory at the same time
_IN: Mapping[type[Any], In] = {kind: In.LOG if kind is LogEntry else KEPT_IN[ENTITIES[kind]] for kind in SORTED_BY}
_THIS_IMPORT = {"_id": {"$eq": IMPORT}}
_STATES: Sequence[tuple[In, Document]] = (
    (In.PROJECTS, {"heads": {"$sum": "$head"}, "retired": {"$sum": "$retired"}}),
    (In.USERS, {"versions": {"$sum": "$version"}, "access": {"$sum": "$access_version"}}),
)
_MOVED_ON = "Something was committed while all of it was read; stop the servers and the workers, and try again."
_TAKEN = "Data is being imported, or an import was broken off; where that is so, `tracker migrate` clears it away."


def count(access: Access) -> int:
    """Return about how many documents there are."""
    return sum(access.about(where) for where in _IN.values())


def everything(access: Access) -> Generator[Kept, None, None]:
    """Yield all there is; Unavailable at the end where it is not what there was at the beginning."""
    state = _state(access)
    for kind in SORTED_BY:
        yield from _log(access) if kind is LogEntry else map(_made_of(kind), _found(access, kind))
    if _state(access) != state:
        raise Unavailable(_MOVED_ON)


def _state(access: Access) -> list[list[Document]]:
    return [access.made(where, [{"$group": {"_id": None, **sums}}]) for where, sums in _STATES]


def _found(access: Access, kind: type[Any]) -> Iterator[Document]:
    order = [("_id" if name == "id" else name, 1) for name in SORTED_BY[kind]]
    return access.stream(_IN[kind], THERE if kind is Project else {}, sort=order, at_once=AT_ONCE)


def _made_of(kind: type[Any]) -> Callable[[Document], Kept]:
    if kind is Account:
        return lambda found: Account(entity_of(User, found), found["access_version"])
    return task_of if kind is Task else lambda found: entity_of(kind, found)


def _log(access: Access) -> Iterator[Kept]:
    """Yield the log as it can be read: what stands beyond a project's head is a commit that is not through."""
    entries = access.stream(
        In.LOG, {"entity": {"$ne": None}}, sort=[(name, 1) for name in SORTED_BY[LogEntry]], at_once=AT_ONCE
    )
    for project_id, of_project in groupby(entries, lambda entry: entry["project_id"]):
        head = heads_of(access, [project_id]).get(project_id, 0)
        yield from (log_entry_of(entry) for entry in of_project if entry["head"] <= head)


def take_back(access: Access, *, patience: float) -> None:
    """Clear away what an import has left behind that nobody carries on; Unavailable where somebody does."""
    left = access.one(In.SCHEMA, _THIS_IMPORT)
    if left is None:
        return
    time.sleep(patience)
    if access.one(In.SCHEMA, _THIS_IMPORT) != left:
        raise Unavailable(_TAKEN)
    _clear(access)


def _clear(access: Access) -> None:
    for where in _IN.values():
        access.delete(where, {})
    access.delete(In.SCHEMA, _THIS_IMPORT)


class Restoration:
    """One import: as long as it is not through, its name stands in the schema, and the database is no installation."""

    def __init__(self, access: Access) -> None:
        """Nothing is written yet."""
        self._access = access
        self._me = {**_THIS_IMPORT, "by": {"$eq": new_id()}}
        self._written = 0
        self._ended: dict[str, list[int]] = defaultdict(list)  # the heads at which projects were deleted

    def run(self, kept: Iterator[Kept]) -> None:
        """Write all of it, or clear it away."""
        self._begin()
        try:
            while several := list(islice(kept, AT_ONCE)):
                self._write(several)
            self._retire_heads()
            self._go_on()
        except BaseException:
            if self._access.one(In.SCHEMA, self._me):  # else it was cleared away, and may be an installation by now
                _clear(self._access)
            raise
        self._access.delete(In.SCHEMA, self._me)

    def _begin(self) -> None:
        if not self._access.inserted(In.SCHEMA, {"_id": IMPORT, "by": self._me["by"]["$eq"], "written": 0}):
            raise Unavailable(_TAKEN)
        if any(self._access.one(where, {}, fields=["_id"]) for where in (In.PROJECTS, In.USERS, In.LOG)):
            self._access.delete(In.SCHEMA, self._me)
            raise NotEmpty

    def _go_on(self) -> None:
        """Show that somebody is at it; Unavailable where that was not believed any more."""
        self._written += 1
        if not self._access.update(In.SCHEMA, self._me, {"$set": {"written": self._written}}):
            raise Unavailable(_TAKEN)

    def _write(self, several: Iterable[Kept]) -> None:
        self._go_on()
        for kind, of_kind in groupby(several, type):
            found = list(of_kind)
            self._access.insert(_IN[kind], [_document(one) for one in found])
            if kind is Membership:
                self._access.write(In.USERS, (_sees(one) for one in found if isinstance(one, Membership)))
            for one in found:
                if isinstance(one, LogEntry) and one.entity == "project" and one.after is None:
                    self._ended[one.project_id].append(one.head)

    def _retire_heads(self) -> None:
        """Count the last heads of projects that were deleted; one that is gone has its last one still."""
        for project_id, heads in self._ended.items():
            there = {"_id": {"$eq": project_id}}
            if not self._access.update(In.PROJECTS, there, {"$set": {"retired": sum(heads)}}):
                *earlier, last = heads
                gone = {"head": last, "last_number": 0, "retired": sum(earlier), "version": 0, "gone": True}
                self._access.insert(In.PROJECTS, [{"_id": project_id, **gone}])


def _sees(membership: Membership) -> UpdateOne:
    return UpdateOne({"_id": {"$eq": membership.user_id}}, {"$addToSet": {"project_ids": membership.project_id}})


def _document(one: Kept) -> Document:
    match one:
        case Project():
            counts = {"head": one.head, "last_number": one.last_number, "retired": 0, "gone": False}
            return {**document_of(one), **counts}
        case Account():
            return {**document_of(one.user), "access_version": one.access_version, "project_ids": [], "by": None}
        case LogEntry():
            return document_of_entry(one)
        case Membership() | Task() | Reminder():
            return document_of(one)
        case _:
            return {**document_of(one), "by": None}
