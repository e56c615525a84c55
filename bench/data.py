"""What there is to ask for: 64 users with 200 tasks each, a session and a token; and how a round finds it unchanged."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Protocol

from bench.database import run
from tracker.domain import clock
from tracker.domain.changes import Change, ChangeSet
from tracker.domain.identity import new_id
from tracker.domain.registration import new_account
from tracker.domain.session import Session
from tracker.domain.task import Due, Priority, Task
from tracker.domain.user import PasswordPolicy, Role
from tracker.edge.passwords import Argon2Passwords
from tracker.edge.tokens import AccessTokens
from tracker.keys import KeyRing, secret_key

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from tracker.store.contract import Store

USERS = 64
TASKS = 200
KEY = "of no use but to sign the tokens of a measurement"
TOKEN_MINUTES = 600
PASSWORD = "four walls and a roof"  # noqa: S105 - of everybody here

_AS_IT_WAS = (
    f"DELETE FROM tasks WHERE number > {TASKS}",
    "UPDATE tasks SET status = 'todo', version = 1 WHERE version > 1",
    "TRUNCATE log_entries",
    "VACUUM (ANALYZE) tasks",
    "VACUUM (ANALYZE) projects",
    "CHECKPOINT",
)


@dataclass(frozen=True)
class Person:
    """A user who asks, and the tasks they ask for."""

    name: str
    session: str
    token: str
    tasks: tuple[str, ...]


class Kept(Protocol):
    """The database of a measurement, as rounds leave it and find it."""

    def restore(self) -> None:
        """Undo what a round wrote: each begins with the same tasks, all ``todo``, and nothing in the log."""

    def changes(self) -> int:
        """Return how many changes are in the log."""


class OnPostgreSQL:
    """One of PostgreSQL."""

    def __init__(self, url: str, people: Sequence[Person]) -> None:
        """Take one that is filled, and the people it was filled with."""
        self._url = url
        theirs = ", ".join(f"'{who.session}'" for who in people)
        self._others = f"DELETE FROM sessions WHERE id NOT IN ({theirs})"

    def restore(self) -> None:
        """Undo what a round wrote."""
        run(self._url, self._others, *_AS_IT_WAS)

    def changes(self) -> int:
        """Return how many changes are in the log."""
        return int(run(self._url, "SELECT count(*) FROM log_entries")[0][0])


def seed(store: Store) -> list[Person]:
    """Fill an empty store, and close it."""
    with closing(store):
        store.migrate()
        password_hash = Argon2Passwords(PasswordPolicy.DEFAULT, parallel=1).hash(PASSWORD)
        return [_person(store, number, password_hash) for number in range(USERS)]


def _person(store: Store, number: int, password_hash: str) -> Person:
    at = clock.now()
    name = f"user{number:02}"
    email = f"{name}@example.com"
    user, account = new_account(username=name, email=email, role=Role.MEMBER, password_hash=password_hash, at=at)
    session = Session.new(user, at=at)
    tasks = [_task(user.inbox_id, user.id, n, at) for n in range(TASKS)]
    made = (*account, Change(None, session), *(Change(None, task) for task in tasks))
    store.commit(ChangeSet(new_id(), user.id, at, made))
    tokens = AccessTokens(KeyRing(secret_key(KEY)), lifetime=timedelta(minutes=TOKEN_MINUTES))
    return Person(name, session.id, tokens.issue(user, session, at=at), tuple(task.id for task in tasks))


def _task(project_id: str, user_id: str, number: int, at: datetime) -> Task:
    return Task.new(
        project_id=project_id,
        by=user_id,
        at=at + timedelta(milliseconds=number),
        title=f"Paint wall {number} of the house",
        description="The blue that is left over from the hall; two coats, with a day in between.",
        priority=(Priority.NONE, Priority.HIGH)[number % 2],
        labels=("house", "paint"),
        due=Due(date(2027, 3, 1) + timedelta(days=number)) if number % 3 == 0 else None,
    )
