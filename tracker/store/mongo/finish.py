"""Carrying out what the log says: what is in a project first, then who sees it, and its head at the very last.

Each step can be taken again, by whoever comes upon it. A reader takes the heads first and then what they name, so
whatever they read at a head has in it all that the head stands for. That holds for the sum of several heads too, also
where those were read one after the other: none of them goes down, so the sum is none that was later than the reading.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from pymongo import DeleteOne, UpdateOne

from tracker.domain.project import Membership, Project
from tracker.domain.task import Task
from tracker.domain.user import Role
from tracker.store.mongo.collections import KEPT_IN, In
from tracker.store.mongo.documents import members_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tracker.domain.changes import LogEntry
    from tracker.store.mongo.access import Access
    from tracker.store.mongo.documents import Document


def finish(access: Access, entries: Sequence[LogEntry], *, newcomers: Iterable[str] = ()) -> None:
    """Make true what entries say, all of one commit; ``newcomers`` are users who know already what they see."""
    _write_contents(access, entries)
    ended = [entry.before for entry in entries if entry.after is None and isinstance(entry.before, Project)]
    members = _members(access, ended)
    for project in ended:
        for where in (In.TASKS, In.MEMBERSHIPS):
            access.delete(where, {"project_id": {"$eq": project.id}})
    _raise_access(access, entries, members, set(newcomers))
    for project_id in sorted({entry.project_id for entry in entries}):
        _move_head(access, [entry for entry in entries if entry.project_id == project_id])


def _write_contents(access: Access, entries: Iterable[LogEntry]) -> None:
    writes: dict[In, dict[str, UpdateOne | DeleteOne]] = defaultdict(dict)
    for entry in entries:
        thing = entry.after or entry.before
        if thing is not None and not isinstance(thing, Project):
            writes[KEPT_IN[type(thing)]][thing.id] = _write(entry)
    for where in sorted(writes):
        access.write(where, writes[where].values())


def _write(entry: LogEntry) -> UpdateOne | DeleteOne:
    before, after = entry.before, entry.after
    if before is None:
        assert after is not None  # noqa: S101 - an entry tells of something
        return UpdateOne({"_id": {"$eq": after.id}}, {"$setOnInsert": members_of(after)}, upsert=True)
    as_it_was = {"_id": {"$eq": before.id}, "version": {"$eq": before.version}}
    return DeleteOne(as_it_was) if after is None else UpdateOne(as_it_was, {"$set": members_of(after)})


def _members(access: Access, ended: Iterable[Project]) -> set[tuple[str, str]]:
    ids = [project.id for project in ended]
    found = access.find(In.MEMBERSHIPS, {"project_id": {"$in": ids}}) if ids else []
    return {(one["user_id"], one["project_id"]) for one in found}


def _raise_access(
    access: Access, entries: Iterable[LogEntry], members: set[tuple[str, str]], newcomers: set[str]
) -> None:
    """Raise the ``access_version`` of whoever sees another set of projects, in one write with that set."""
    changed = [*_memberships_in(entries), *((*member, False) for member in sorted(members))]
    once = {(user_id, project_id): there for user_id, project_id, there in changed if user_id not in newcomers}
    access.write(In.USERS, (_sees(*pair, there=there) for pair, there in once.items()))
    if any(isinstance(entry.before, Project) and entry.after is None for entry in entries):
        others = {"role": {"$eq": Role.ADMIN.value}, "_id": {"$nin": sorted({user_id for user_id, _ in once})}}
        access.update_all(In.USERS, others, {"$inc": {"access_version": 1}})


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
    told = next((entry for entry in entries if isinstance(entry.after or entry.before, Project)), None)
    if told is not None and told.before is None and isinstance(told.after, Project):
        _begin(access, told.after)
        return
    moved: dict[str, Any] = {"head": head}
    if told is not None:
        moved |= members_of(told.after) if told.after else {"gone": True}
    tasks = [entry.after for entry in entries if isinstance(entry.after, Task)]
    numbers = [task.number for task in tasks if task.project_id == project_id]
    change = {"$set": moved, "$max": {"last_number": max(numbers, default=0)}}
    access.update(In.PROJECTS, {"_id": {"$eq": project_id}, "head": {"$eq": head - 1}}, change)


def _begin(access: Access, project: Project) -> None:
    """Have a project be there, or be there again: its last head of before counts from then on with the retired."""
    place = {"_id": {"$eq": project.id}, "gone": {"$eq": True}, "head": {"$lt": project.head}}
    found = access.one(In.PROJECTS, place, fields=["head"])
    if found is not None:
        numbers = {"head": project.head, "last_number": project.last_number}
        change = {"$set": {**members_of(project), **numbers, "gone": False}, "$inc": {"retired": found["head"]}}
        access.update(In.PROJECTS, {**place, "head": {"$eq": found["head"]}}, change)
