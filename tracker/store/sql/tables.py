"""Where each thing is kept. ``migrations/`` says the same in steps; a test compares the two on both databases.

Whatever grows has ``project_id`` first in its keys: the project is the unit of locking, of the log, of distribution.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects import postgresql

from tracker.domain.job import JobState
from tracker.domain.notification import NotificationKind
from tracker.domain.project import ProjectKind, ProjectRole
from tracker.domain.reminder import ReminderKind
from tracker.domain.task import Priority, Status
from tracker.domain.user import Role, UserStatus

if TYPE_CHECKING:
    from enum import StrEnum

    from sqlalchemy import Dialect

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


class Milliseconds(TypeDecorator[datetime]):
    """An instant as whole milliseconds since 1970, exact and in order: SQLite has no type for instants."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002 - its signature
        """Return the milliseconds."""
        return None if value is None else (value - _EPOCH) // _MILLISECOND

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - likewise
        """Return the aware instant."""
        return None if value is None else _EPOCH + timedelta(milliseconds=value)


ID = String(36).with_variant(postgresql.UUID(as_uuid=False), "postgresql")
INSTANT = Milliseconds().with_variant(DateTime(timezone=True), "postgresql")
LABELS = JSON().with_variant(postgresql.ARRAY(Text), "postgresql")
RECORD = JSON(none_as_null=True)
WORDS = Text().with_variant(postgresql.TSVECTOR, "postgresql")

_ASSIGNED = text("assignee_id IS NOT NULL")
_DONE = text("status = 'done' AND archived_at IS NULL")
# In the words of ``filters.is_open``: SQLite takes an index only where it finds just these.
_DUE = text("status != 'cancelled' AND status != 'done' AND archived_at IS NULL AND overdue_after IS NOT NULL")

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


def _one_of(column: str, values: type[StrEnum]) -> CheckConstraint:
    allowed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({allowed})", name=column)


def _instant(name: str, *, nullable: bool = False) -> Column[datetime]:
    return Column(name, INSTANT, nullable=nullable)


projects = Table(
    "projects",
    metadata,
    Column("id", ID, primary_key=True),
    Column("name", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("archive_done_after_days", Integer),
    _instant("archived_at", nullable=True),
    _instant("created_at"),
    _instant("updated_at"),
    Column("head", BigInteger, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("last_number", BigInteger, nullable=False),
    _one_of("kind", ProjectKind),
)

users = Table(
    "users",
    metadata,
    Column("id", ID, primary_key=True),
    Column("username", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("inbox_id", ID, ForeignKey("projects.id"), nullable=False, index=True),
    _instant("created_at"),
    _instant("updated_at"),
    Column("session_generation", Integer, nullable=False, server_default="1"),
    Column("version", BigInteger, nullable=False),
    Column("username_folded", Text, nullable=False),
    Column("email_folded", Text, nullable=False),
    Column("access_version", BigInteger, nullable=False),
    UniqueConstraint("username_folded"),
    UniqueConstraint("email_folded"),
    _one_of("role", Role),
    _one_of("status", UserStatus),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", ID, primary_key=True),
    Column("user_id", ID, ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    _instant("created_at"),
    _instant("expires_at"),
    _instant("ended_at", nullable=True),
    Column("generation", Integer, nullable=False, server_default="1"),
    Column("version", BigInteger, nullable=False),
    Index(None, "expires_at"),
)

refresh_tokens = Table(
    "refresh_tokens",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("session_id", ID, ForeignKey("sessions.id", ondelete="CASCADE"), nullable=False, index=True),
    _instant("created_at"),
    _instant("used_at", nullable=True),
    Column("version", BigInteger, nullable=False),
)

# One a user: who is given another has no use for the one before.
password_resets = Table(
    "password_resets",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("user_id", ID, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("generation", Integer, nullable=False),
    _instant("created_at"),
    _instant("expires_at"),
    Column("version", BigInteger, nullable=False),
    UniqueConstraint("user_id"),
)

# One a user: who is given another address has no use for the one before.
calendar_feeds = Table(
    "calendar_feeds",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("user_id", ID, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    _instant("created_at"),
    Column("version", BigInteger, nullable=False),
    UniqueConstraint("user_id"),
)

memberships = Table(
    "memberships",
    metadata,
    Column("project_id", ID, ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", ID, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("role", Text, nullable=False),
    _instant("created_at"),
    Column("version", BigInteger, nullable=False),
    _one_of("role", ProjectRole),
)

tasks = Table(
    "tasks",
    metadata,
    Column("id", ID, primary_key=True),
    Column("project_id", ID, ForeignKey("projects.id", ondelete="CASCADE"), nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("title", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("priority", Text, nullable=False),
    Column("labels", LABELS, nullable=False),
    Column("due_date", Date),
    Column("due_time", Text),
    Column("due_timezone", Text),
    Column("assignee_id", ID),
    Column("created_by", ID, nullable=False),
    _instant("completed_at", nullable=True),
    _instant("archived_at", nullable=True),
    _instant("created_at"),
    _instant("updated_at"),
    Column("version", BigInteger, nullable=False),
    _instant("overdue_after", nullable=True),
    # Made of the others, to sort and to search by.
    Column("priority_rank", SmallInteger, nullable=False, server_default="0"),
    Column("words", WORDS, nullable=False, server_default=""),
    UniqueConstraint("project_id", "number"),
    Index(None, "project_id", "created_at", "id"),
    Index(None, "project_id", "updated_at", "id"),
    Index(None, "project_id", "overdue_after", "id"),
    Index(None, "project_id", "assignee_id", sqlite_where=_ASSIGNED, postgresql_where=_ASSIGNED),
    Index("ix_tasks_done", "project_id", "updated_at", sqlite_where=_DONE, postgresql_where=_DONE),
    Index("ix_tasks_due", "overdue_after", sqlite_where=_DUE, postgresql_where=_DUE),
    Index(None, "labels", postgresql_using="gin").ddl_if(dialect="postgresql"),
    Index(None, "words", postgresql_using="gin").ddl_if(dialect="postgresql"),
    _one_of("status", Status),
    _one_of("priority", Priority),
)

# One row. ``retired_heads`` is the sum of the last heads of all projects that were ever deleted.
installation = Table(
    "installation",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("retired_heads", BigInteger, nullable=False),
    CheckConstraint("id = 1", name="one_row"),
)

# No foreign key: a project's log outlives it, and its last entry says that it is gone.
log_entries = Table(
    "log_entries",
    metadata,
    Column("project_id", ID, primary_key=True),
    Column("head", BigInteger, primary_key=True, autoincrement=False),
    Column("n", Integer, primary_key=True, autoincrement=False),
    Column("operation_id", Text, nullable=False),
    Column("actor_id", Text, nullable=False),
    _instant("at"),
    Column("entity", Text, nullable=False),
    Column("entity_id", Text, nullable=False),
    Column("before", RECORD),
    Column("after", RECORD),
    Index(None, "project_id", "entity_id", "head"),
    Index(None, "operation_id"),
)

# Idempotency keys: who sent one, for which request, and what was answered (sealed by the edge).
claims = Table(
    "claims",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    _instant("at"),
    Column("answer", Text, nullable=False),
    Index(None, "at"),
)

# No foreign key: a task that was deleted and is there again is not noticed twice.
reminders = Table(
    "reminders",
    metadata,
    Column("project_id", ID, nullable=False),
    Column("task_id", ID, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("due_at", INSTANT, primary_key=True, autoincrement=False),
    _instant("created_at"),
    Column("version", BigInteger, nullable=False),
    Index(None, "due_at"),
    _one_of("kind", ReminderKind),
)

notifications = Table(
    "notifications",
    metadata,
    Column("id", ID, primary_key=True),
    Column("user_id", ID, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("project_id", ID, nullable=False),
    Column("head", BigInteger, nullable=False),
    Column("task_id", ID, nullable=False),
    Column("title", Text, nullable=False),
    _instant("created_at"),
    _instant("read_at", nullable=True),
    Column("version", BigInteger, nullable=False),
    Index(None, "user_id", "id"),
    Index(None, "created_at"),
    _one_of("kind", NotificationKind),
)

# No foreign key: a project that was deleted and is there again is not told of twice.
positions = Table(
    "positions",
    metadata,
    Column("consumer", Text, primary_key=True),
    Column("project_id", ID, primary_key=True),
    Column("head", BigInteger, nullable=False),
    Column("version", BigInteger, nullable=False),
)

job_runs = Table(
    "job_runs",
    metadata,
    Column("job", Text, primary_key=True),
    Column("window", INSTANT, primary_key=True, autoincrement=False),
    _instant("started_at"),
    _instant("held_until"),
    _instant("finished_at", nullable=True),
    Column("state", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("position", Text, nullable=False),
    Column("done", BigInteger, nullable=False),
    Column("failed", BigInteger, nullable=False),
    Column("problem", Text),
    Column("version", BigInteger, nullable=False),
    Index(None, "window"),
    _one_of("state", JobState),
)
