"""The tables as SQLModel's classes, and what goes in and out as Pydantic's."""

# No ``from __future__ import annotations`` here: Pydantic reads these when the classes are made.
import uuid
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, PlainSerializer, StringConstraints
from pydantic import Field as Bounded
from sqlalchemy import ARRAY, JSON, Column, DateTime, Text
from sqlmodel import Field, SQLModel

from bench.rivals.workflow import ALLOWED, end_of, is_overdue, now, written

StatusName = Literal["todo", "in_progress", "blocked", "done", "cancelled"]
PriorityName = Literal["none", "low", "medium", "high", "urgent"]
Instant = Annotated[datetime, PlainSerializer(written, return_type=str)]


def _instant(**of_column: Any) -> Any:
    return Field(sa_type=DateTime(timezone=True), **of_column)


class User(SQLModel, table=True):
    """Who asks."""

    __tablename__ = "users"
    id: uuid.UUID = Field(primary_key=True)
    username: str
    status: str
    password_hash: str
    inbox_id: uuid.UUID


class Session(SQLModel, table=True):
    """One login."""

    __tablename__ = "sessions"
    id: uuid.UUID = Field(default_factory=uuid.uuid4, primary_key=True)
    user_id: uuid.UUID
    created_at: datetime = _instant(default_factory=now)
    expires_at: datetime = _instant()
    version: int = 1


class RefreshToken(SQLModel, table=True):
    """What a session goes on with, by its digest."""

    __tablename__ = "refresh_tokens"
    id: str = Field(primary_key=True)
    session_id: uuid.UUID
    created_at: datetime = _instant(default_factory=now)
    version: int = 1


class Project(SQLModel, table=True):
    """What tasks are in, and the numbers it gives them."""

    __tablename__ = "projects"
    id: uuid.UUID = Field(primary_key=True)
    head: int
    last_number: int


class Due(BaseModel):
    """A day, or a minute of it."""

    model_config = ConfigDict(extra="forbid")
    date: date
    time: str | None = None
    timezone: str | None = None


class Task(SQLModel, table=True):
    """One thing to be done."""

    __tablename__ = "tasks"
    id: uuid.UUID = Field(default_factory=uuid.uuid4, primary_key=True)
    project_id: uuid.UUID
    number: int
    title: str
    description: str = ""
    status: str = "todo"
    priority: str = "none"
    labels: list[str] = Field(default_factory=list, sa_column=Column(ARRAY(Text), nullable=False))
    due_date: date | None = None
    due_time: str | None = None
    due_timezone: str | None = None
    assignee_id: uuid.UUID | None = None
    created_by: uuid.UUID
    completed_at: datetime | None = _instant(default=None)
    archived_at: datetime | None = _instant(default=None)
    created_at: datetime = _instant(default_factory=now)
    updated_at: datetime = _instant(default_factory=now)
    version: int = 1
    overdue_after: datetime | None = _instant(default=None)
    priority_rank: int = 0

    @property
    def due(self) -> Due | None:
        """Its deadline, of three columns."""
        return Due(date=self.due_date, time=self.due_time, timezone=self.due_timezone) if self.due_date else None

    @property
    def overdue(self) -> bool:
        """Whether that has passed."""
        return is_overdue(self.status, self.overdue_after)

    @property
    def allowed_statuses(self) -> list[str]:
        """Where its status leads."""
        return ALLOWED[self.status]


class LogEntry(SQLModel, table=True):
    """Who changed what, and how it was."""

    __tablename__ = "log_entries"
    project_id: uuid.UUID = Field(primary_key=True)
    head: int = Field(primary_key=True)
    n: int = Field(default=0, primary_key=True)
    operation_id: str
    actor_id: str
    at: datetime = _instant(default_factory=now)
    entity: str = "task"
    entity_id: str
    before: dict[str, Any] | None = Field(default=None, sa_type=JSON(none_as_null=True))
    after: dict[str, Any] | None = Field(default=None, sa_type=JSON(none_as_null=True))


class TaskOut(BaseModel):
    """A task as it is answered."""

    model_config = ConfigDict(from_attributes=True)
    id: uuid.UUID
    project_id: uuid.UUID
    number: int
    title: str
    description: str
    status: StatusName
    allowed_statuses: list[StatusName]
    priority: PriorityName
    labels: list[str]
    due: Due | None
    overdue: bool
    assignee_id: uuid.UUID | None
    created_by: uuid.UUID
    completed_at: Instant | None
    archived_at: Instant | None
    version: int
    created_at: Instant
    updated_at: Instant


class TaskPage(BaseModel):
    """A page of tasks."""

    items: list[TaskOut]
    next: str | None


class NewTask(BaseModel):
    """What a task is made of."""

    model_config = ConfigDict(extra="forbid")
    title: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    description: Annotated[str, StringConstraints(max_length=10_000)] = ""
    priority: PriorityName = "none"
    labels: Annotated[list[Annotated[str, StringConstraints(max_length=50)]], Bounded(max_length=20)] = []
    due: Due | None = None

    def columns(self) -> dict[str, Any]:
        """Return its members as the table has them."""
        due = self.due
        return {
            **self.model_dump(exclude={"due"}),
            "due_date": due.date if due else None,
            "overdue_after": end_of(due.date) if due else None,
        }


class StatusChange(BaseModel):
    """Where a task is to move."""

    model_config = ConfigDict(extra="forbid")
    status: StatusName


class Credentials(BaseModel):
    """Who wants a token."""

    model_config = ConfigDict(extra="forbid")
    username: str
    password: str


class TokenOut(BaseModel):
    """What they get."""

    access_token: str
    token: str
    token_type: str
    expires_in: int
    refresh_token: str
