"""Carrying out what the log says: what is in a project first, then who sees it, and its head at the very last.

Each step can be taken again, by whoever comes upon it. A reader takes the heads first and then what they name, so
whatever they read at a head has in it all that the head stands for. That holds for the sum of several heads too, also
where those were read one after the other: none of them goes down, so the sum is none that was later than the reading.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from pymongo import DeleteOne, ReplaceOne, UpdateOne

from tracker.domain.project import Membership, Project
from tracker.domain.task import Task
from tracker.domain.user import Role
from tracker.store.mongo.collections import KEPT_IN, In
from tracker.store.mongo.documents import document_of, members_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tracker.domain.changes import LogEntry, Logged
    from tracker.store.mongo.access import Access
    from tracker.store.mongo.documents import Document


def finish(access: Access, entries: Sequence[LogEntry], *, newcomers: Iterable[str] = ()) -> None:
    """Make true what entries say, all of one commit; ``newcomers`` are users who know already what they see."""
    _write_contents(access, entries)
    ended = [entry.project_id for entry in entries if entry.after is None and isinstance(entry.before, Project)]
    for where in (In.TASKS, In.MEMBERSHIPS) if ended else ():
        access.delete(where, {"project_id": {"$in": ended}})
    _raise_access(access, entries, set(newcomers))
    for project_id in ended:
        _have_nobody_see(access, project_id)
    for project_id in sorted({entry.project_id for entry in entries}):
        _move_head(access, [entry for entry in entries if entry.project_id == project_id])


def _write_contents(access: Access, entries: Iterable[LogEntry]) -> None:
    created: dict[In, dict[str, Document]] = defaultdict(dict)
    writes: dict[In, dict[str, ReplaceOne[Document] | DeleteOne]] = defaultdict(dict)
    for entry in entries:
        thing = entry.after or entry.before
        if isinstance(thing, Project) or thing is None:
            continue
        where = KEPT_IN[type(thing)]
        if entry.before is None:
            created[where][thing.id] = document_of(thing)
        else:
            writes[where][thing.id] = _write(entry.before, entry.after)
    for where in sorted({*created, *writes}):
        access.write(where, writes[where].values())
        access.add(where, list(created[where].values()))


def _write(before: Logged, after: Logged | None) -> ReplaceOne[Document] | DeleteOne:
    as_it_was = {"_id": {"$eq": before.id}, "version": {"$eq": before.version}}
    return DeleteOne(as_it_was) if after is None else ReplaceOne(as_it_was, document_of(after))


def _raise_access(access: Access, entries: Iterable[LogEntry], newcomers: set[str]) -> None:
    """Raise the ``access_version`` of whoever sees another set of projects, in one write with that set."""
    changed = {(user_id, project_id): there for user_id, project_id, there in _memberships_in(entries)}
    access.write(In.USERS, (_sees(*pair, there=there) for pair, there in changed.items() if pair[0] not in newcomers))


def _have_nobody_see(access: Access, project_id: str) -> None:
    """Do the same for all who still see a project that is gone: its members, and every admin."""
    risen: Document = {"$inc": {"access_version": 1}}
    admins = {"role": {"$eq": Role.ADMIN.value}, "project_ids": {"$nin": [project_id]}}
    access.update_all(In.USERS, admins, risen)
    access.update_all(In.USERS, {"project_ids": {"$in": [project_id]}}, {**risen, "$pull": {"project_ids": project_id}})


def _memberships_in(entries: Iterable[LogEntry]) -> Iterator[tuple[str, str, bool]]:
    for entry in entries:
        membership = entry.after or entry.before
        if isinstance(membership, Membership):
            yield membership.user_id, membership.project_id, entry.after is not None


def _sees(user_id: str, project_id: str, *, there: bool) -> UpdateOne:
    change: Document = {"$inc": {"access_version": 1}}
    change["$addToSet" if there else "$pull"] = {"project_ids": project_id}
    return UpdateOne({"_id": {"$eq": user_id}}, change)


def _move_head(access: Access, entries: Sequence[LogEntry]) -> None:
    project_id, head = entries[0].project_id, entries[0].head
    tasks = [entry.after for entry in entries if isinstance(entry.after, Task)]
    number = max((task.number for task in tasks if task.project_id == project_id), default=0)
    told = next((entry for entry in entries if isinstance(entry.after or entry.before, Project)), None)
    if told is not None:
        _replace(access, told, number)
        return
    as_it_was = {"_id": {"$eq": project_id}, "head": {"$eq": head - 1}}
    access.update(In.PROJECTS, as_it_was, {"$set": {"head": head}, "$max": {"last_number": number}})


def _replace(access: Access, told: LogEntry, number: int) -> None:
    """Move the head of a project that changes itself; where that is done already, nothing is left to do."""
    found = access.one(In.PROJECTS, {"_id": {"$eq": told.project_id}})
    if found is not None and (found["head"] < told.head):
        moved = {"head": told.head, "last_number": max(found["last_number"], number)}
        as_it_was = {"_id": {"$eq": told.project_id}, "head": {"$eq": found["head"]}}
        access.replace(In.PROJECTS, as_it_was, {**found, **moved, **_changed(told, found)})


def _changed(told: LogEntry, found: Document) -> Document:
    """Return what is another of a project. The last head of before counts with the retired where it is there again."""
    if not isinstance(told.after, Project):
        return {"gone": True}
    if told.before is not None:
        return members_of(told.after)
    counts = {"last_number": told.after.last_number, "retired": found["retired"] + found["head"]}
    return {**members_of(told.after), **counts, "gone": False}
