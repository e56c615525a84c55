"""A whole installation for one test: a store, a clock that can be moved, people with tokens, and a client."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from tests.client import Client
from tracker import app
from tracker.domain.changes import Change, ChangeSet, Entity
from tracker.domain.identity import new_id
from tracker.domain.notification import Notification, NotificationKind
from tracker.domain.project import Membership, Project, ProjectRole
from tracker.domain.registration import new_account
from tracker.domain.session import Session
from tracker.domain.user import Role, User
from tracker.edge.document import contract
from tracker.edge.responder import Responder
from tracker.metrics import Metrics
from tracker.settings import Settings
from tracker.store.contract import Store

DOCUMENT = contract()
POLICIES = ("rate_limit", *(f"rate_limit_{policy}" for policy in ("login", "register", "refresh", "password")))
UNLIMITED = dict.fromkeys(POLICIES, "off")
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


class MovableClock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.at = NOON

    def __call__(self) -> datetime:
        return self.at

    def advance(self, **by: float) -> None:
        self.at += timedelta(**by)


@dataclass(frozen=True)
class Person:
    """Somebody who is logged in."""

    user: User
    session: Session
    token: str

    @property
    def id(self) -> str:
        return self.user.id


class World:
    """Everything a test of operations needs."""

    def __init__(self, store: Store, **settings: object) -> None:
        given = {
            "tracker_env": "development",
            "secret_key": "k" * 40,
            "allowed_hosts": "localhost",
            **UNLIMITED,
            **settings,
        }
        self.settings = Settings(database_url="sqlite:///unused.db", **given)
        self.store = store
        self.clock = MovableClock()
        self.metrics = Metrics()

    @cached_property
    def responder(self) -> Responder:
        return app.responder(self.settings, self.store, now=self.clock, metrics=self.metrics)

    @cached_property
    def client(self) -> Client:
        """A client without a token."""
        return Client(self.responder, DOCUMENT)

    def of(self, person: Person) -> Client:
        """Return a client with somebody's token."""
        return self.client.as_(person.token)

    def now(self, person: Person) -> Client:
        """Return a client with a token of somebody's that was made just now, however far the clock was moved."""
        token = app.tokens(self.settings).issue(person.user, person.session, at=self.clock())
        return self.client.as_(token)

    def add(self, *entities: Entity) -> None:
        """Put things into the store as they are."""
        self.commit(*(Change(None, entity) for entity in entities))

    def commit(self, *changes: Change) -> None:
        """Make changes true, at the clock's time."""
        self.store.commit(ChangeSet(new_id(), new_id(), self.clock(), changes))

    def person(self, name: str, role: Role = Role.MEMBER) -> Person:
        """Return somebody new, logged in."""
        user, changes = new_account(
            username=name, email=f"{name}@example.com", role=role, password_hash="", at=self.clock()
        )
        self.commit(*changes)
        return self.log_in(user)

    def log_in(self, user: User) -> Person:
        """Return somebody with a session of their own."""
        session = Session.new(user, at=self.clock())
        self.add(session)
        return Person(user, session, app.tokens(self.settings).issue(user, session, at=self.clock()))

    def tell(
        self, who: Person, task: Mapping[str, Any], kind: NotificationKind = NotificationKind.ASSIGNED
    ) -> Notification:
        """Return something that somebody was told, now, of a task as the API has it."""
        project_id, task_id, title = task["project_id"], task["id"], task["title"]
        told = Notification(new_id(), who.id, kind, project_id, 2, task_id, title, self.clock())
        self.add(told)
        return told

    def project(self, members: Mapping[Person, ProjectRole] | None = None) -> Project:
        """Return a project of people with roles in it."""
        project, at = Project.new("Kitchen", at=self.clock()), self.clock()
        self.add(project, *(Membership(project.id, who.id, role, at) for who, role in (members or {}).items()))
        return project
