"""Many tasks in little time: by COPY, in rows that the store makes of them, with the log they would have left."""

from __future__ import annotations

import csv
import io
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg2  # type: ignore[import-untyped]  # ships no types

from bench.database import run
from tracker.domain import clock
from tracker.domain.changes import Change, ChangeSet
from tracker.domain.identity import new_id
from tracker.domain.project import Membership, Project, ProjectRole
from tracker.domain.registration import new_account
from tracker.domain.session import Session
from tracker.domain.task import Due, Priority, Task
from tracker.domain.user import Role
from tracker.jobs import mail, notifications
from tracker.store.records import to_json
from tracker.store.sql.rows import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tracker.domain.user import User
    from tracker.store.contract import Store

_BATCH = 10_000
_ALL_AT_ONCE = 100  # projects in one commit
_SAMPLE = 500
_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
_LOADED = ("tasks", "log_entries", "projects", "positions")
# As where an installation is upgraded: otherwise the server reads a million entries that say nothing to anybody while
# it is measured.
_ALL_TOLD = f"""
    INSERT INTO positions (consumer, project_id, head, version)
    SELECT consumer, id, head, 1 FROM projects, unnest(ARRAY['{notifications.CONSUMER}', '{mail.CONSUMER}']) AS consumer
    ON CONFLICT (consumer, project_id) DO UPDATE SET head = excluded.head, version = positions.version + 1
"""
_LOG = ("project_id", "head", "n", "operation_id", "actor_id", "at", "entity", "entity_id", "after")


@dataclass
class Loaded:
    """One user with some projects, the tasks that are in these, and a sample of their ids."""

    user: User
    session: Session
    projects: tuple[str, ...]
    tasks: int = 0
    sample: list[str] = field(default_factory=list)


def somebody(store: Store, projects: int) -> Loaded:
    """Make a user who is the owner of so many projects, their inbox among them, and who is logged in."""
    at = clock.now()
    user, account = new_account(username="owner", email="owner@example.com", role=Role.MEMBER, password_hash="", at=at)
    session = Session.new(user, at=at)
    store.commit(ChangeSet(new_id(), user.id, at, (*account, Change(None, session))))
    more = [Project.new(f"House {number}", at=at) for number in range(1, projects)]
    for first in range(0, len(more), _ALL_AT_ONCE):
        made = more[first : first + _ALL_AT_ONCE]
        owned = (Membership(project.id, user.id, ProjectRole.OWNER, at) for project in made)
        changes = (*(Change(None, project) for project in made), *(Change(None, member) for member in owned))
        store.commit(ChangeSet(new_id(), user.id, at, changes))
    return Loaded(user, session, (user.inbox_id, *(project.id for project in more)))


def load(url: str, loaded: Loaded, tasks: int, progress: Callable[[int], None]) -> None:
    """Add tasks until there are so many, one project after the other; ``progress`` is told how many there are."""
    counted = _counted(url, loaded)
    every = max(1, (tasks - loaded.tasks) // _SAMPLE)
    with closing(psycopg2.connect(url)) as connection:
        while loaded.tasks < tasks:
            batch = [_task(loaded, number) for number in range(loaded.tasks, min(tasks, loaded.tasks + _BATCH))]
            _add(connection.cursor(), loaded, batch, counted)
            connection.commit()
            loaded.tasks += len(batch)
            loaded.sample += [task.id for task in batch[::every]]
            progress(loaded.tasks)
    run(url, _ALL_TOLD, *(f"VACUUM (ANALYZE) {table}" for table in _LOADED), "CHECKPOINT")


def _counted(url: str, loaded: Loaded) -> dict[str, list[int]]:
    """Return the head and the last number of each project."""
    rows = run(url, "SELECT id, head, last_number FROM projects")
    return {project_id: counts for project_id, *counts in rows if project_id in loaded.projects}


def _task(loaded: Loaded, number: int) -> Task:
    return Task.new(
        project_id=loaded.projects[number % len(loaded.projects)],
        by=loaded.user.id,
        at=_BEGIN + timedelta(milliseconds=number),
        title=f"Paint wall {number} of the house",
        description="The blue that is left over from the hall; two coats, with a day in between.",
        priority=(Priority.NONE, Priority.HIGH)[number % 2],
        labels=("house", "paint"),
        due=Due(date(2027, 3, 1) + timedelta(days=number % 365)) if number % 3 == 0 else None,
    )


def _add(cursor: Any, loaded: Loaded, batch: list[Task], counted: dict[str, list[int]]) -> None:
    rows, entries = [], []
    for task in batch:
        counts = counted[task.project_id]
        counts[0], counts[1] = counts[0] + 1, counts[1] + 1
        row = {**KINDS[Task].row(task), "number": counts[1]}
        row["labels"] = "{" + ",".join(task.labels) + "}"
        rows.append(row)
        record = to_json(task).replace('"number":0', f'"number":{counts[1]}', 1)
        at = task.created_at
        entries.append((task.project_id, counts[0], 0, new_id(), loaded.user.id, at, "task", task.id, record))
    _copy(cursor, "tasks", rows[0], (row.values() for row in rows))
    _copy(cursor, "log_entries", _LOG, entries)
    touched = Counter(task.project_id for task in batch)
    cursor.executemany(
        "UPDATE projects SET head = %s, last_number = %s WHERE id = %s", [(*counted[id_], id_) for id_ in touched]
    )


def _copy(cursor: Any, table: str, columns: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """Copy rows into a table; None becomes NULL, as CSV has it."""
    file = io.StringIO()
    csv.writer(file).writerows(_written(rows))
    file.seek(0)
    cursor.copy_expert(f"COPY {table} ({', '.join(columns)}) FROM STDIN (FORMAT csv)", file)


def _written(rows: Iterable[Iterable[object]]) -> Iterator[list[object]]:
    for row in rows:
        yield [value.isoformat() if isinstance(value, date) else value for value in row]
