"""The bare limit: the same statements and the same bytes of answer, from one WSGI function with psycopg2 and orjson.

It validates nothing, allows everything, checks no signature, retries nothing and takes whatever comes for what it
should be: what is missing here is what Tracker is for. Each statement goes out as psycopg2 sends it; rows become lines,
and lines JSON, by Tracker's own functions.
"""

from __future__ import annotations

import base64
import threading
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import orjson
import psycopg2  # type: ignore[import-untyped]  # ships no types

from tracker.api.representations import task_line_json
from tracker.domain.access import Scope
from tracker.domain.clock import rfc3339
from tracker.domain.identity import new_id
from tracker.domain.query import TaskQuery
from tracker.domain.task import Priority
from tracker.domain.task_line import TaskLine
from tracker.domain.words import words_of
from tracker.settings import Settings
from tracker.store.sql import pages, reads
from tracker.store.sql.database import Database
from tracker.store.sql.packed import SEPARATOR, line_in
from tracker.store.sql.rows import as_words
from tracker.store.sql.single import Single

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Environ = dict[str, Any]
    Row = dict[str, Any]
    Answer = tuple[str, bytes]

_READ_CONSTANTS = {"coalesce_2": 0}


class Bare:
    """The WSGI function, and the texts of Tracker's own statements."""

    def __init__(self, url: str) -> None:
        """Take the texts from where Tracker takes them, so that both always run the same SQL."""
        database = Database(url, connections=1)
        single = Single.of(database)
        one_user = pages.Shape.of(TaskQuery((Scope("somebody"),)))
        self._standing = database.prepare(reads.standing(postgresql=True)).plain
        self._standing_and_task = database.prepare(reads.standing_and_task(postgresql=True)).plain
        self._standing_and_page = database.prepare(pages.standing_and_page(one_user)).plain
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
        session_id, user_id = named_by(environ["HTTP_AUTHORIZATION"])
        session = {"id": session_id, **_READ_CONSTANTS}
        about_one = len(path) > len(("", "tasks"))
        if environ["REQUEST_METHOD"] == "GET" and not about_one:
            return self._list(cursor, session, user_id, int(environ["QUERY_STRING"].removeprefix("limit=")))
        if about_one:
            cursor.execute(self._standing_and_task, {**session, "task_id": path[2]})
        else:
            cursor.execute(self._standing, session)
        who, *task = cursor.fetchone()
        _, _, _, _, inbox_id, *_ = who.split(SEPARATOR)
        match environ["REQUEST_METHOD"]:
            case "GET":
                return "200 OK", orjson.dumps(task_line_json(line_in(task), rfc3339(datetime.now(UTC))))
            case "POST":
                return self._add(cursor, orjson.loads(environ["wsgi.input"].read()), user_id, inbox_id)
            case _:
                body = orjson.loads(environ["wsgi.input"].read())
                return self._change(cursor, line_in(task), user_id, body["status"])

    def _list(self, cursor: Any, session: Row, user_id: str, limit: int) -> Answer:
        cursor.execute(self._standing_and_page, {**session, "user_0": user_id, "limit": limit + 1})
        _who, *rows = cursor.fetchmany(1 + limit)
        at = rfc3339(datetime.now(UTC))
        tasks = [task_line_json(line_in(row), at) for row in rows]
        following = base64.urlsafe_b64encode(bytes(20) + tasks[-1]["id"].encode()).rstrip(b"=").decode()
        return "200 OK", orjson.dumps({"items": tasks, "next": following})

    def _add(self, cursor: Any, body: Row, user_id: str, inbox_id: str) -> Answer:
        task = _new(body, user_id, inbox_id)
        cursor.execute(self._create, _values(None, task, user_id))
        _head, number = cursor.fetchone()
        return "201 Created", orjson.dumps(task_line_json(task._replace(number=number), task.created_at))

    def _change(self, cursor: Any, before: TaskLine, user_id: str, status: str) -> Answer:
        task = before._replace(status=status, version=before.version + 1, updated_at=rfc3339(datetime.now(UTC)))
        cursor.execute(self._replace, _values(before, task, user_id))
        cursor.fetchone()
        return "200 OK", orjson.dumps(task_line_json(task, task.updated_at))

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
def named_by(authorization: str) -> tuple[str, str]:
    """Return the session and the user that a token names, whoever signed it."""
    payload = authorization.split(".")[1]
    claims: dict[str, str] = orjson.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims["sid"], claims["sub"]


def _new(body: Row, user_id: str, inbox_id: str) -> TaskLine:
    """Return a task; those of a measurement are due on days, in UTC."""
    at, day = rfc3339(datetime.now(UTC)), date.fromisoformat(body.pop("due")["date"])
    ends = rfc3339(datetime.combine(day + timedelta(days=1), time(), UTC))
    blank = dict.fromkeys(TaskLine._fields)
    made = {"id": new_id(), "project_id": inbox_id, "status": "todo", "created_by": user_id, "version": 1}
    due = {"due_date": day.isoformat(), "overdue_after": ends}
    return TaskLine(**{**blank, **body, **due, **made, "created_at": at, "updated_at": at})


def _values(before: TaskLine | None, after: TaskLine, user_id: str) -> Row:
    """Return what either statement that writes takes: the row, the version it had, and the entry of the log."""
    return {
        **{f"to_{name}": value for name, value in after._asdict().items()},
        "to_labels": list(after.labels),
        "to_priority_rank": Priority(after.priority).rank,
        "to_words": as_words(words_of(f"{after.title} {after.description}")),
        "is_version": before.version if before else 0,
        "log_operation_id": new_id(),
        "log_actor_id": user_id,
        "log_at": after.updated_at,
        "log_entity_id": after.id,
        "log_before": _record(before) if before else None,
        "log_after": _record(after),
    }


def _record(task: TaskLine) -> str:
    record = {name: value for name, value in task._asdict().items() if not name.startswith(("due_", "overdue_"))}
    due = {"date": task.due_date, "time": task.due_time, "timezone": task.due_timezone} if task.due_date else None
    return orjson.dumps({**record, "due": due}).decode()
