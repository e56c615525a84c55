"""The operations tagged Tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from tracker.api.reply import Body, Reply, Unread
from tracker.api.representations import Filters, summary_json, task_filter, task_json, task_line_json, task_members
from tracker.api.task_lists import asked_in, check_is_known, full_minute, scopes_within, stands_until
from tracker.domain.access import Actor, Permission
from tracker.domain.changes import Change
from tracker.domain.clock import rfc3339
from tracker.domain.query import Archived, Order, SummaryQuery, TaskFilter, TaskQuery
from tracker.domain.refusals import NotFound, TooMany
from tracker.domain.task import Priority, Task, TaskMembers, zone_named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from tracker.api.cursors import Cursors
    from tracker.domain.clock import Clock
    from tracker.domain.sight import Sight
    from tracker.store.contract import Reader, Receipt

MOST = 200  # tasks that one operation changes
_BLANK = TaskMembers(description="", priority=Priority.NONE, labels=(), due=None, assignee_id=None)


def list_tasks(  # noqa: PLR0913 - what every list takes, and what can be asked of tasks
    *,
    sort: str,
    limit: int,
    cursor: str | None,
    sight: Sight,
    store: Reader,
    clock: Clock,
    cursors: Cursors,
    **filters: Unpack[Filters],
) -> Reply:
    """List the tasks the actor can see."""
    actor, at = sight.actor, clock()
    asked = asked_in(filters, actor)
    this_list = f"tasks of {actor.id} by {sort}: {asked}"
    scopes = scopes_within(actor, filters["project_id"], store)
    query = TaskQuery(scopes, limit, cursors.open(cursor, this_list), task_filter(asked, at), Order.named(sort))

    def read() -> tuple[Body, datetime | None]:
        page, present = store.task_lines(query), rfc3339(at)
        if not page.items and query.cursor is None:
            check_is_known(query.filter.assignee_id, actor, scopes, store)
        following = cursors.seal(page.next, this_list) if page.next else None
        body = {"items": [task_line_json(line, present) for line in page.items], "next": following}
        return body, stands_until(page.items, query.filter)

    return Reply(Unread(sight.state, read))


def get_summary(timezone: str, project_id: str | None, sight: Sight, store: Reader, clock: Clock) -> Reply:
    """Count the tasks the actor can see."""
    at, scopes = clock(), scopes_within(sight.actor, project_id, store)
    query = SummaryQuery.of(scopes, project_id, at=at, zone=zone_named(timezone))
    state = sight.state_within(scopes)
    return Reply(Unread(state, lambda: (summary_json(store.summary(query), timezone), full_minute(at))))


def create_task(body: Body, actor: Actor, store: Reader, clock: Clock) -> Reply:
    """Create a task in a project, or in the actor's inbox."""
    at = clock()
    task = Task.new(by=actor.id, at=at, **(TaskMembers(project_id=actor.inbox_id) | task_members(body)))
    _check_arrival(actor, task, store)
    _check_assignee(None, task, store)
    return Reply(_as_kept(task, at), status=201, location=f"/tasks/{task.id}", changes=[Change(None, task)])


def get_task(task_id: str, actor: Actor, store: Reader, clock: Clock) -> Reply:
    """Read a task."""
    return Reply(task_json(actor.may(Permission.READ_TASK, store.task(task_id)), clock()))


def bulk_update_tasks(body: Body, actor: Actor, store: Reader, clock: Clock) -> Reply:
    """Make one patch to many tasks: to all of them or to none."""
    at, members = clock(), task_members(body["patch"])
    found = _named(body["ids"], actor, store) if "ids" in body else _found(body["filter"], actor, store, at)
    changed = [actor.may(Permission.CHANGE_TASK, task).changed(at=at, **members) for task in found]
    for before, after in _each_kind(found, changed):
        _check_change(before, after, actor, store)
    changes = [Change(before, after) for before, after in zip(found, changed, strict=True)]
    return Reply(_bulk_result(changed, sum(not change.idle for change in changes), at), changes=changes)


def replace_task(task_id: str, body: Body, actor: Actor, store: Reader, clock: Clock) -> Reply:
    """Replace all that can be set of a task; what is absent goes back to its default."""
    task = actor.may(Permission.CHANGE_TASK, store.task(task_id))
    return _changed(task, _BLANK | task_members(body), actor, store, clock())


def update_task(task_id: str, body: Body, actor: Actor, store: Reader, clock: Clock) -> Reply:
    """Change parts of a task, or move it to another project."""
    task = actor.may(Permission.CHANGE_TASK, store.task(task_id))
    return _changed(task, task_members(body), actor, store, clock())


def delete_task(task_id: str, actor: Actor, store: Reader) -> Reply:
    """Delete a task."""
    task = actor.may(Permission.DELETE_TASK, store.task(task_id))
    return Reply(status=204, changes=[Change(task, None)])


def change_task_status(task_id: str, body: Body, actor: Actor, store: Reader, clock: Clock) -> Reply:
    """Move a task along its workflow, or move its deadline."""
    task = actor.may(Permission.CHANGE_TASK_STATUS, store.task(task_id))
    at = clock()
    changed = task.changed(at=at, **task_members(body))
    return Reply(task_json(changed, at), changes=[Change(task, changed)])


def archive_task(task_id: str, actor: Actor, store: Reader, clock: Clock) -> Reply:
    """Put a task away."""
    task, at = actor.may(Permission.CHANGE_TASK, store.task(task_id)), clock()
    archived = task.archived(at=at)
    return Reply(task_json(archived, at), changes=[Change(task, archived)])


def unarchive_task(task_id: str, actor: Actor, store: Reader, clock: Clock) -> Reply:
    """Take a task out of the archive."""
    task, at = actor.may(Permission.CHANGE_TASK, store.task(task_id)), clock()
    unarchived = task.unarchived(at=at)
    return Reply(task_json(unarchived, at), changes=[Change(task, unarchived)])


def _named(ids: list[str], actor: Actor, store: Reader) -> Sequence[Task]:
    """Return the tasks with these ids, in their order; NotFound where the actor does not see one of them."""
    wanted = TaskFilter(ids=tuple(ids), archived=Archived.INCLUDE)
    found = {
        task.id: task for task in store.tasks(TaskQuery(actor.scopes(Permission.READ_TASK), MOST, filter=wanted)).items
    }
    if len(found) < len(ids):
        raise NotFound("task")
    return [found[task_id] for task_id in ids]


def _found(asked: Body, actor: Actor, store: Reader, at: datetime) -> Sequence[Task]:
    """Return the tasks that a filter finds; TooMany for more than can be changed at once."""
    scopes = scopes_within(actor, asked.get("project_id"), store)
    wanted = task_filter({**asked, **({"assignee_id": actor.id} if asked.get("assignee_id") == "me" else {})}, at)
    page = store.tasks(TaskQuery(scopes, MOST, filter=wanted))
    if page.next is not None:
        raise TooMany(MOST)
    if not page.items:
        check_is_known(wanted.assignee_id, actor, scopes, store)
    return page.items


def _each_kind(before: Iterable[Task], after: Iterable[Task]) -> Iterable[tuple[Task, Task]]:
    """Return one change of each kind that differs in what has to be asked of the store: the project and who does it."""
    kinds = {
        (b.project_id, b.assignee_id, a.project_id, a.assignee_id): (b, a) for b, a in zip(before, after, strict=True)
    }
    return kinds.values()


def _bulk_result(tasks: Iterable[Task], changed: int, at: datetime) -> Callable[[Receipt], Body]:
    return lambda receipt: {"changed": changed, "items": [task_json(receipt.kept(task), at) for task in tasks]}


def _changed(task: Task, members: TaskMembers, actor: Actor, store: Reader, at: datetime) -> Reply:
    changed = task.changed(at=at, **members)
    _check_change(task, changed, actor, store)
    return Reply(_as_kept(changed, at), changes=[Change(task, changed)])


def _as_kept(task: Task, at: datetime) -> Callable[[Receipt], Body]:
    """Return what makes the body of a task that may only get its number by being committed."""
    return lambda receipt: task_json(receipt.kept(task), at)


def _check_change(before: Task, after: Task, actor: Actor, store: Reader) -> None:
    if before.project_id != after.project_id:
        _check_arrival(actor, after, store)
    _check_assignee(before, after, store)


def _check_arrival(actor: Actor, task: Task, store: Reader) -> None:
    """Refuse a task in a project where the actor may not create one."""
    if not actor.sees(task) or (actor.role_in(task.project_id) is None and store.project(task.project_id) is None):
        raise NotFound("project")
    actor.may(Permission.CREATE_TASK, task)


def _check_assignee(before: Task | None, after: Task, store: Reader) -> None:
    same = before and (before.assignee_id, before.project_id) == (after.assignee_id, after.project_id)
    if after.assignee_id is not None and not same and after.project_id not in store.memberships(after.assignee_id):
        raise NotFound("member")
