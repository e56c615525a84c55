"""The story, told in Python: each language tells it in the same lines."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING
from uuid import UUID

from tracker_client import AuthenticatedClient, Client
from tracker_client.api.accounts import login, register_user
from tracker_client.api.changes import list_changes, undo_operation
from tracker_client.api.projects import create_project
from tracker_client.api.tasks import (
    bulk_update_tasks,
    change_task_status,
    create_task,
    get_task,
    list_tasks,
    update_task,
)
from tracker_client.models import (
    ChangePage,
    Credentials,
    ListTasksSort,
    MembershipChange,
    Priority,
    Problem,
    Project,
    ProjectChange,
    ProjectCreation,
    Registration,
    Status,
    Task,
    TaskBulkResult,
    TaskBulkUpdate,
    TaskChange,
    TaskCreation,
    TaskPage,
    TaskPatch,
    TaskStatusChange,
    Tokens,
    UndoResult,
)
from tracker_client.types import UNSET

if TYPE_CHECKING:
    from tracker_client.models import ReminderChange

TITLES = ("Water the plants", "Plant a tree", "Mow the lawn")


def begin(url: str, name: str, password: str) -> AuthenticatedClient:
    """Tell what docs/sdk.md shows; return a client that is logged in."""
    # docs/sdk.md from here
    api = Client(base_url=url)
    register_user.sync(client=api, body=Registration(username=name, email=f"{name}@example.com", password=password))
    tokens = login.sync(client=api, body=Credentials(username=name, password=password))
    assert isinstance(tokens, Tokens), tokens
    mine = AuthenticatedClient(base_url=url, token=tokens.access_token)
    task = create_task.sync(client=mine, body=TaskCreation(title="Water the plants"))
    assert isinstance(task, Task), task
    seen, urgent = f'"{task.version}"', TaskPatch(priority=Priority.URGENT)
    changed = update_task.sync(task.id, client=mine, body=urgent, if_match=seen)
    problem = update_task.sync(task.id, client=mine, body=urgent, if_match=seen)
    # docs/sdk.md to here
    assert isinstance(changed, Task), changed
    print(f"{tokens.token_type} token")
    print(f"{changed.title}: {changed.priority}, version {changed.version}")
    print(said(problem))
    return mine


def go_on(mine: AuthenticatedClient) -> None:
    """Tell of a project, from its first task to its log."""
    project = create_project.sync(client=mine, body=ProjectCreation(name="Garden"))
    assert isinstance(project, Project), project
    print(f"{project.kind} {project.name}: {project.your_role}")
    tasks = []
    for title in TITLES:
        task = create_task.sync(client=mine, body=TaskCreation(title=title, project_id=project.id))
        assert isinstance(task, Task), task
        tasks.append(task)
    turn_pages(mine, project)
    be_refused(mine, project, tasks[0])
    change_all(mine, tasks)
    follow(mine, project)


def turn_pages(mine: AuthenticatedClient, project: Project) -> None:
    """Read the project's tasks one by one."""
    cursor: str | None = ""
    while cursor is not None:
        page = list_tasks.sync(
            client=mine, project_id=project.id, sort=ListTasksSort.NUMBER, limit=1, cursor=cursor or UNSET
        )
        assert isinstance(page, TaskPage), page
        print("page:", *(f"{task.number} {task.title}" for task in page.items))
        cursor = page.next_


def be_refused(mine: AuthenticatedClient, project: Project, task: Task) -> None:
    """Ask for what cannot be had, and read why not."""
    print(said(get_task.sync(project.id, client=mine)))
    print(said(create_task.sync(client=mine, body=TaskCreation(title=""))))
    done = change_task_status.sync(task.id, client=mine, body=TaskStatusChange(status=Status.DONE))
    assert isinstance(done, Task), done
    print(f"{done.title}: {done.status}, then", *done.allowed_statuses)
    print(said(change_task_status.sync(task.id, client=mine, body=TaskStatusChange(status=Status.BLOCKED))))


def change_all(mine: AuthenticatedClient, tasks: list[Task]) -> None:
    """Change the tasks in one operation, and take it back."""
    update = TaskBulkUpdate(ids=[task.id for task in tasks], patch=TaskPatch(labels=["garden"]))
    answer = bulk_update_tasks.sync_detailed(client=mine, body=update)
    assert isinstance(answer.parsed, TaskBulkResult)
    print(f"{answer.parsed.changed} changed:", *answer.parsed.items[0].labels)
    undone = undo_operation.sync(UUID(answer.headers["Operation-Id"]), client=mine)
    assert isinstance(undone, UndoResult), undone
    print(f"{undone.undone} undone")


def follow(mine: AuthenticatedClient, project: Project) -> None:
    """Read the log of the project, each change as what it is."""
    log = list_changes.sync(project.id, client=mine, after=0)
    assert isinstance(log, ChangePage), log
    for change in log.items:
        print(f"{change.head}.{change.n} {change.entity}: {became(change)}")


def became(change: TaskChange | ProjectChange | MembershipChange | ReminderChange) -> str:
    """Return what a change made of what."""
    match change:
        case TaskChange(before=before, after=after):
            return f"{in_words(before)} -> {in_words(after)}"
        case ProjectChange(after=after):
            return after.name if after else "gone"
        case MembershipChange(after=after):
            return str(after.role) if after else "gone"
        case _:
            return str(change.after.kind) if change.after else "gone"


def in_words(task: Task | None) -> str:
    """Return a task in some words."""
    return f"{task.title} ({', '.join([str(task.status), *task.labels])})" if task else "nothing"


def said(problem: object) -> str:
    """Return what a problem says."""
    assert isinstance(problem, Problem), problem
    places = "".join(f", {error.pointer} {error.rule}" for error in problem.errors or [])
    return f"{problem.status} {problem.type_}{places}"


if __name__ == "__main__":
    go_on(begin(*sys.argv[1:]))
