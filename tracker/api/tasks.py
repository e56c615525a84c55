"""The operations tagged Tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracker.api.reply import Body, Reply
from tracker.api.representations import task_json, task_members
from tracker.domain.access import Actor, Permission
from tracker.domain.changes import Change
from tracker.domain.query import TaskQuery
from tracker.domain.refusals import NotAMember, NotFound
from tracker.domain.task import Priority, Task, TaskMembers

if TYPE_CHECKING:
    from tracker.api.cursors import Cursors
    from tracker.domain.clock import Clock
    from tracker.store.contract import Reader

_BLANK = TaskMembers(description="", priority=Priority.NONE, labels=(), due=None, assignee_id=None)


def list_tasks(limit: int, cursor: str | None, actor: Actor, store: Reader, cursors: Cursors) -> Reply:
    """List the tasks the actor can see, newest first."""
    this_list = f"tasks of {actor.id}"
    scopes = actor.scopes(Permission.READ_TASK)
    page = store.tasks(TaskQuery(scopes, limit, cursors.open(cursor, this_list)))
    following = cursors.seal(page.next, this_list) if page.next else None
    return Reply({"items": [task_json(task) for task in page.items], "next": following}, next=following)


def create_task(body: Body, actor: Actor, store: Reader, clock: Clock) -> Reply:
    """Create a task in a project, or in the actor's inbox."""
    project_id = body.get("project_id", actor.inbox_id)
    task = Task.new(project_id, by=actor.id, at=clock(), **task_members(body))
    if not actor.sees(task) or (actor.role_in(project_id) is None and store.project(project_id) is None):
        raise NotFound("project")
    _check_assignee(None, actor.may(Permission.CREATE_TASK, task), store)
    return Reply(
        lambda receipt: task_json(receipt.kept(task)),
        status=201,
        location=f"/tasks/{task.id}",
        changes=[Change(None, task)],
    )


def get_task(task_id: str, actor: Actor, store: Reader) -> Reply:
    """Read a task."""
    return Reply(task_json(actor.may(Permission.READ_TASK, store.task(task_id))))


def replace_task(task_id: str, body: Body, actor: Actor, store: Reader, clock: Clock) -> Reply:
    """Replace all that can be set of a task; what is absent goes back to its default."""
    task = actor.may(Permission.CHANGE_TASK, store.task(task_id))
    changed = task.changed(at=clock(), **(_BLANK | task_members(body)))
    _check_assignee(task, changed, store)
    return Reply(task_json(changed), changes=[Change(task, changed)])


def update_task(task_id: str, body: Body, actor: Actor, store: Reader, clock: Clock) -> Reply:
    """Change parts of a task."""
    task = actor.may(Permission.CHANGE_TASK, store.task(task_id))
    changed = task.changed(at=clock(), **task_members(body))
    _check_assignee(task, changed, store)
    return Reply(task_json(changed), changes=[Change(task, changed)])


def delete_task(task_id: str, actor: Actor, store: Reader) -> Reply:
    """Delete a task."""
    task = actor.may(Permission.DELETE_TASK, store.task(task_id))
    return Reply(status=204, changes=[Change(task, None)])


def change_task_status(task_id: str, body: Body, actor: Actor, store: Reader, clock: Clock) -> Reply:
    """Move a task along its workflow, or move its deadline."""
    task = actor.may(Permission.CHANGE_TASK_STATUS, store.task(task_id))
    changed = task.changed(at=clock(), **task_members(body))
    return Reply(task_json(changed), changes=[Change(task, changed)])


def _check_assignee(before: Task | None, after: Task, store: Reader) -> None:
    if after.assignee_id is None or (before and before.assignee_id == after.assignee_id):
        return
    if after.project_id not in store.memberships(after.assignee_id):
        raise NotAMember
