"""The operations tagged Changes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tracker.api.reply import Reply
from tracker.api.representations import change_json
from tracker.domain.access import Actor, Permission
from tracker.domain.changes import whole_commits
from tracker.domain.project import Membership, Project
from tracker.domain.refusals import ChangedSince, NotFound
from tracker.domain.sharing import check_owner_left, owners_of
from tracker.domain.task import Task
from tracker.domain.undo import as_they_were, inverse, permissions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracker.domain.changes import Change, LogEntry, Logged
    from tracker.domain.clock import Clock
    from tracker.store.contract import Reader

MOST_NAMED = 100


def list_changes(  # noqa: PLR0913 - a handler takes what it uses, by name
    *, project_id: str, after: int, limit: int, actor: Actor, store: Reader, clock: Clock
) -> Reply:
    """List what was committed to a project since a head, commit by commit."""
    actor.may(Permission.READ_PROJECT, store.project(project_id))
    return _stretch(store, project_id, after, limit, clock)


def list_task_activity(  # noqa: PLR0913 - likewise
    *, task_id: str, after: int, limit: int, actor: Actor, store: Reader, clock: Clock
) -> Reply:
    """List what happened to a task in the project it is in."""
    task = actor.may(Permission.READ_TASK, store.task(task_id))
    return _stretch(store, task.project_id, after, limit, clock, task_id=task_id)


def undo_operation(operation_id: str, actor: Actor, store: Reader, clock: Clock) -> Reply:
    """Commit the opposite of what an operation did, if all of it is still as it left it."""
    entries = store.operation(operation_id)
    undoer = as_they_were(actor, entries)
    if not any(_is_seen(undoer, entry) for entry in entries):
        raise NotFound("operation")
    changes = inverse(entries, partial(_present, store), at=clock())
    for change in changes:
        for permission, thing in permissions(change):
            undoer.may(permission, thing)
    heads = _check_owners(changes, store)
    _check_assignees(changes, store)
    _check_nothing_to_do(changes, store)
    return Reply({"undone": len(changes)}, changes=changes, requires=heads)


def _check_owners(changes: Sequence[Change], store: Reader) -> dict[str, int]:
    """Refuse to leave a project without an owner; return the heads on which that rests."""
    whole = {change.entity.id: change.before for change in changes if isinstance(change.entity, Project)}
    heads = {project_id: project.head for project_id, project in whole.items() if isinstance(project, Project)}
    for change in changes:
        before, after = change.before, change.after
        if isinstance(before, Membership) and before.project_id not in whole:
            heads[before.project_id] = _head(before.project_id, store)
            kept = after if isinstance(after, Membership) else None
            check_owner_left(before, kept, store.members(owners_of(before.project_id)))
    return heads


def _head(project_id: str, store: Reader) -> int:
    project = store.project(project_id)
    if project is None:
        raise ChangedSince([f"project {project_id}"])
    return project.head


def _check_assignees(changes: Sequence[Change], store: Reader) -> None:
    """Refuse to give a task back to somebody who has left its project."""
    back = {change.entity.id for change in changes if isinstance(change.after, Membership)}
    tasks = [change.after for change in changes if isinstance(change.after, Task)]
    assigned = {(task.project_id, task.assignee_id) for task in tasks if task.assignee_id is not None}
    needed = {f"{project_id}/{user_id}" for project_id, user_id in assigned} - back
    if left := [f"membership {pair}" for pair in sorted(needed) if store.membership(*pair.split("/")) is None]:
        raise ChangedSince(left)


def _stretch(  # noqa: PLR0913 - likewise
    store: Reader, project_id: str, after: int, limit: int, clock: Clock, *, task_id: str | None = None
) -> Reply:
    entries, more = whole_commits(partial(store.log, project_id, entity_id=task_id), after, limit)
    items = [change_json(entry, clock()) for entry in entries]
    return Reply({"items": items, "head": entries[-1].head if entries else after, "more": more})


def _check_nothing_to_do(changes: Sequence[Change], store: Reader) -> None:
    """Refuse to take somebody out of a project in which they were given tasks since."""
    touched = {change.entity.id for change in changes}
    for change in changes:
        before = change.before
        if isinstance(before, Membership) and change.after is None and before.project_id not in touched:
            given = store.project_tasks(before.project_id, limit=MOST_NAMED, assignee_id=before.user_id)
            if left := [f"task {task.id}" for task in given if task.id not in touched]:
                raise ChangedSince(left)


def _is_seen(actor: Actor, entry: LogEntry) -> bool:
    return any(thing and actor.sees(thing, "project") for thing in (entry.before, entry.after))


def _present(store: Reader, entry: LogEntry) -> Logged | None:
    """Return what an entry is about as it is now."""
    match entry.entity:
        case "task":
            return store.task(entry.entity_id)
        case "project":
            return store.project(entry.entity_id)
        case _:
            return store.membership(*entry.entity_id.split("/"))
