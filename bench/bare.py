"""The bare limit: the same statements and the same bytes of answer, from one WSGI function with psycopg2 and orjson.

It validates nothing, allows everything, checks no signature, retries nothing and takes whatever comes for what it
should be: what is missing here is what Tracker is for. Each statement goes out as psycopg2 sends it.
"""

from __future__ import annotations

import base64
import threading
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import orjson
import psycopg2  # type: ignore[import-untyped]  # ships no types

from tracker.domain.access import Scope
from tracker.domain.clock import rfc3339
from tracker.domain.identity import new_id
from tracker.domain.query import TaskQuery
from tracker.domain.task import CLOSED, TRANSITIONS, Priority
from tracker.domain.words import words_of
from tracker.settings import Settings
from tracker.store.sql import pages, reads
from tracker.store.sql.database import Database
from tracker.store.sql.rows import TASK_COLUMNS, as_words
from tracker.store.sql.single import Single

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Environ = dict[str, Any]
    Row = dict[str, Any]
    Answer = tuple[str, bytes]

_NAMES = [str(column.name) for column in TASK_COLUMNS]
_ALLOWED = {status.value: [s.value for s in allowed] for status, allowed in TRANSITIONS.items()}
_READ_CONSTANTS = {"coalesce_2": 0}


class Bare:
    """The WSGI function, and the texts of Tracker's own statements."""

    def __init__(self, url: str) -> None:
        """Take the texts from where Tracker takes them, so that both always run the same SQL."""
        database = Database(url, connections=1)
        single = Single.of(database)
        one_user = pages.Shape.of(TaskQuery((Scope("somebody"),)))
        self._standing = database.prepare(reads.STANDING).plain
        self._standing_and_task = database.prepare(reads.STANDING_AND_TASK).plain
        self._page = database.prepare(pages.page(one_user, postgresql=True)).plain
        self._create, self._replace = single.create.plain, single.replace.plain
        self._url = url
        self._of_thread = threading.local()

    def __call__(
        self, environ: Environ, start_response: Callable[[str, list[tuple[str, str]]], object]
    ) -> Iterable[bytes]:
        """Answer one of the four operations."""
        if environ["PATH_INFO"] == "/livez":
            start_response("204 No Content", [])
            return []
        status, body = self._answer(self._cursor(), environ, environ["PATH_INFO"].split("/"))
        start_response(status, [("content-type", "application/json"), ("content-length", str(len(body)))])
        return [body]

    def _answer(self, cursor: Any, environ: Environ, path: list[str]) -> Answer:
        session = {"id": _session_of(environ["HTTP_AUTHORIZATION"]), **_READ_CONSTANTS}
        about_one = len(path) > len(("", "tasks"))
        if about_one:
            cursor.execute(self._standing_and_task, {**session, "task_id": path[2]})
        else:
            cursor.execute(self._standing, session)
        row = cursor.fetchone()
        user_id, inbox_id, task = row[0], row[4], row[reads.STANDING_COLUMNS :]
        match environ["REQUEST_METHOD"], about_one:
            case "GET", False:
                return self._list(cursor, user_id, int(environ["QUERY_STRING"].removeprefix("limit=")))
            case "GET", _:
                return "200 OK", orjson.dumps(_json(dict(zip(_NAMES, task, strict=True))))
            case "POST", _:
                return self._add(cursor, orjson.loads(environ["wsgi.input"].read()), user_id, inbox_id)
            case _:
                body = orjson.loads(environ["wsgi.input"].read())
                return self._change(cursor, dict(zip(_NAMES, task, strict=True)), user_id, body["status"])

    def _list(self, cursor: Any, user_id: str, limit: int) -> Answer:
        cursor.execute(self._page, {"user_0": user_id, "limit": limit + 1})
        tasks = [_json(dict(zip(_NAMES, row, strict=True))) for row in cursor.fetchmany(limit)]
        following = base64.urlsafe_b64encode(bytes(20) + tasks[-1]["id"].encode()).rstrip(b"=").decode()
        return "200 OK", orjson.dumps({"items": tasks, "next": following})

    def _add(self, cursor: Any, body: Row, user_id: str, inbox_id: str) -> Answer:
        task = _new(body, user_id, inbox_id)
        cursor.execute(self._create, _values(None, task, user_id))
        _head, task["number"] = cursor.fetchone()
        return "201 Created", orjson.dumps(_json(task))

    def _change(self, cursor: Any, before: Row, user_id: str, status: str) -> Answer:
        task = {**before, "status": status, "version": before["version"] + 1, "updated_at": datetime.now(UTC)}
        cursor.execute(self._replace, _values(before, task, user_id))
        cursor.fetchone()
        return "200 OK", orjson.dumps(_json(task))

    def _cursor(self) -> Any:
        """Return a cursor on the connection of this thread."""
        connection = getattr(self._of_thread, "connection", None)
        if connection is None:
            connection = self._of_thread.connection = psycopg2.connect(self._url, options="-c timezone=UTC")
            connection.autocommit = True
        return connection.cursor()


def create_app() -> Bare:
    """Return the application of one server process."""
    return Bare(Settings().database_url)


@cache
def _session_of(authorization: str) -> str:
    """Return the session that a token names, whoever signed it."""
    payload = authorization.split(".")[1]
    claims: dict[str, str] = orjson.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims["sid"]


def _new(body: Row, user_id: str, inbox_id: str) -> Row:
    at = datetime.now(UTC)
    blank = dict.fromkeys(_NAMES)
    due = {"due_date": date.fromisoformat(body.pop("due")["date"])}
    made = {"id": new_id(), "project_id": inbox_id, "status": "todo", "created_by": user_id, "version": 1}
    return {**blank, **body, **due, **made, "created_at": at, "updated_at": at}


def _values(before: Row | None, after: Row, user_id: str) -> Row:
    """Return what either statement that writes takes: the row, the version it had, and the entry of the log."""
    return {
        **{f"to_{name}": value for name, value in after.items()},
        "to_overdue_after": _overdue_after(after),
        "to_priority_rank": Priority(after["priority"]).rank,
        "to_words": as_words(words_of(f"{after['title']} {after['description']}")),
        "is_version": before["version"] if before else 0,
        "log_operation_id": new_id(),
        "log_actor_id": user_id,
        "log_at": after["updated_at"],
        "log_entity_id": after["id"],
        "log_before": _record(before) if before else None,
        "log_after": _record(after),
    }


def _overdue_after(task: Row) -> datetime | None:
    """Return the end of the day; the tasks of a measurement are due on days, in UTC."""
    day = task["due_date"]
    return day and datetime.combine(day + timedelta(days=1), time(), UTC)


def _overdue(task: Row) -> bool:
    after = _overdue_after(task)
    return after is not None and task["status"] not in CLOSED and datetime.now(UTC) > after


def _due(task: Row) -> Row | None:
    day = task["due_date"]
    return day and {"date": day.isoformat(), "time": task["due_time"], "timezone": task["due_timezone"]}


def _instant(at: datetime | None) -> str | None:
    return rfc3339(at) if at else None


def _json(task: Row) -> Row:
    return {
        "id": task["id"],
        "project_id": task["project_id"],
        "number": task["number"],
        "title": task["title"],
        "description": task["description"],
        "status": task["status"],
        "allowed_statuses": _ALLOWED[task["status"]],
        "priority": task["priority"],
        "labels": task["labels"],
        "due": _due(task),
        "overdue": _overdue(task),
        "assignee_id": task["assignee_id"],
        "created_by": task["created_by"],
        "completed_at": _instant(task["completed_at"]),
        "archived_at": _instant(task["archived_at"]),
        "version": task["version"],
        "created_at": _instant(task["created_at"]),
        "updated_at": _instant(task["updated_at"]),
    }


def _record(task: Row) -> str:
    record = {name: value for name, value in task.items() if not name.startswith(("due_", "overdue_"))}
    instants = {name: _instant(value) for name, value in task.items() if name.endswith("_at")}
    return orjson.dumps({**record, **instants, "due": _due(task)}).decode()
