"""Taking an operation back: the opposite of each change it made, if everything is still as it left it."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, cast

from tracker.domain.access import Permission
from tracker.domain.changes import Change
from tracker.domain.project import Membership, Project
from tracker.domain.refusals import ChangedSince, Final
from tracker.domain.reminder import Reminder
from tracker.domain.task import Task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from tracker.domain.access import Actor
    from tracker.domain.changes import LogEntry, Logged

    Present = Callable[[LogEntry], Logged | None]

NOTICED = "This noticed a deadline, which cannot be taken back; move the deadline."

_OF_STATUS = {"status", "due", "completed_at", "updated_at", "version"}
_KINDS: Mapping[type[Logged], str] = {Task: "task", Project: "project", Membership: "member"}


def inverse(entries: Sequence[LogEntry], present: Present, *, at: datetime) -> tuple[Change, ...]:
    """Return the changes that take a whole operation back, its last change first.

    ``present`` returns what an entry is about as it is now. Raises ChangedSince naming whatever is not as the operation
    left it, Final for a project that went with more than was written down and for what was only noticed. A task that
    moved stands in the log of two projects and is taken back once.
    """
    if any(isinstance(entry.after, Reminder) for entry in entries):
        raise Final(NOTICED)
    once = {entry.entity_id: entry for entry in entries}
    found = [(entry, present(entry)) for entry in reversed(once.values())]
    if changed := [f"{entry.entity} {entry.entity_id}" for entry, now in found if _has_moved_on(entry, now)]:
        raise ChangedSince(changed)
    changes = tuple(Change(now, _restored(entry, now, at)) for entry, now in found)
    if any(_comes_back(change) and not _has_owner(change.entity.id, changes) for change in changes):
        raise Final
    return changes


def as_they_were(actor: Actor, entries: Iterable[LogEntry]) -> Actor:
    """Return somebody with the roles that they lost because an operation deleted a whole project: they have it back."""
    gone = [entry.before for entry in entries if entry.after is None]
    projects = {thing.id for thing in gone if isinstance(thing, Project)}
    theirs = [thing for thing in gone if isinstance(thing, Membership) and thing.user_id == actor.id]
    lost = {thing.project_id: thing.role for thing in theirs if thing.project_id in projects}
    return actor._replace(memberships={**actor.memberships, **lost})


def permissions(change: Change) -> list[tuple[Permission, Logged]]:
    """Return what somebody needs to make a change, and on what, if they were to make it by hand."""
    before, after = cast("Logged | None", change.before), cast("Logged | None", change.after)
    thing = cast("Logged", before or after)
    if _comes_back(change):  # only whoever could delete a project can have it back
        return [(Permission.DELETE_PROJECT, thing)]
    if before is None or after is None:
        return [(Permission(f"{_KINDS[type(thing)]}:{'create' if before is None else 'delete'}"), thing)]
    if not isinstance(before, Task) or not isinstance(after, Task):
        return [(Permission(f"{_KINDS[type(thing)]}:change"), before)]
    if before.project_id != after.project_id:
        return [(Permission.CHANGE_TASK, before), (Permission.CREATE_TASK, after)]
    return [(Permission.CHANGE_TASK_STATUS if _is_of_status(before, after) else Permission.CHANGE_TASK, before)]


def _comes_back(change: Change) -> bool:
    return isinstance(change.after, Project) and change.before is None


def _has_owner(project_id: str, changes: Iterable[Change]) -> bool:
    members = (change.after for change in changes if isinstance(change.after, Membership))
    return any(member.project_id == project_id and member.owns for member in members)


def _has_moved_on(entry: LogEntry, now: Logged | None) -> bool:
    """Whether something is not as an entry left it; a project that would go must not have been touched at all."""
    if isinstance(now, Project) and entry.before is None and now.head != entry.head:
        return True
    return (now and now.version) != (entry.after and entry.after.version)


def _is_of_status(before: Task, after: Task) -> bool:
    names = (member.name for member in fields(Task))
    return {name for name in names if getattr(before, name) != getattr(after, name)} <= _OF_STATUS


def _restored(entry: LogEntry, now: Logged | None, at: datetime) -> Logged | None:
    """Return what there was before, as the version that follows the last there has been."""
    before = entry.before
    if before is None:
        return None
    version = (now or before).version + 1
    if isinstance(before, Project):  # it goes on where its log ends
        return replace(before, version=version, updated_at=at, head=entry.head)
    if isinstance(before, Task):
        return replace(before, version=version, updated_at=at)
    return replace(before, version=version)
