"""Where each thing is kept, and by which keys it is found.

Plain indexes alone: no collation, no partial filter, no text and no expiry, so that every server of the family keeps
them alike. What has to be unique whatever its case is kept once more in its folded form.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from pymongo import ASCENDING, IndexModel

from tracker.domain.calendar_feed import CalendarFeed
from tracker.domain.job import JobRun
from tracker.domain.notification import Notification
from tracker.domain.outbox import Position
from tracker.domain.password_reset import PasswordReset
from tracker.domain.project import Membership, Project
from tracker.domain.reminder import Reminder
from tracker.domain.session import RefreshToken, Session
from tracker.domain.task import Task
from tracker.domain.user import User

if TYPE_CHECKING:
    from collections.abc import Mapping


class In(StrEnum):
    """The collections."""

    PROJECTS = "projects"
    USERS = "users"
    SESSIONS = "sessions"
    REFRESH_TOKENS = "refresh_tokens"
    PASSWORD_RESETS = "password_resets"  # noqa: S105 - a name
    CALENDAR_FEEDS = "calendar_feeds"
    MEMBERSHIPS = "memberships"
    TASKS = "tasks"
    REMINDERS = "reminders"
    NOTIFICATIONS = "notifications"
    POSITIONS = "positions"
    JOB_RUNS = "job_runs"
    LOG = "log_entries"
    CLAIMS = "claims"
    SCHEMA = "schema"


KEPT_IN: Mapping[type[Any], In] = {
    Project: In.PROJECTS,
    User: In.USERS,
    Session: In.SESSIONS,
    RefreshToken: In.REFRESH_TOKENS,
    PasswordReset: In.PASSWORD_RESETS,
    CalendarFeed: In.CALENDAR_FEEDS,
    Membership: In.MEMBERSHIPS,
    Task: In.TASKS,
    Reminder: In.REMINDERS,
    Notification: In.NOTIFICATIONS,
    Position: In.POSITIONS,
    JobRun: In.JOB_RUNS,
}


def _index(*fields: str, unique: bool = False) -> IndexModel:
    return IndexModel([(field, ASCENDING) for field in fields], unique=unique)


INDEXES: Mapping[In, tuple[IndexModel, ...]] = {
    In.PROJECTS: (_index("archive_done_after_days"),),
    In.USERS: (_index("username_folded", unique=True), _index("email_folded", unique=True), _index("project_ids")),
    In.SESSIONS: (_index("user_id", "_id"), _index("expires_at")),
    In.REFRESH_TOKENS: (_index("session_id"),),
    In.PASSWORD_RESETS: (_index("user_id", unique=True), _index("expires_at")),
    In.CALENDAR_FEEDS: (_index("user_id", unique=True),),
    In.MEMBERSHIPS: (_index("project_id", "user_id", unique=True), _index("user_id")),
    In.TASKS: (
        _index("project_id", "number", unique=True),
        _index("project_id", "_id"),
        _index("project_id", "created_at", "_id"),
        _index("project_id", "updated_at", "_id"),
        _index("project_id", "undated", "overdue_after", "_id"),
        _index("project_id", "assignee_id"),
        _index("status", "updated_at"),
        _index("overdue_after"),
        _index("labels"),
        _index("words"),
    ),
    In.REMINDERS: (_index("due_at"), _index("task_id", "kind", "due_at")),
    In.NOTIFICATIONS: (_index("user_id", "_id"), _index("created_at")),
    In.POSITIONS: (_index("consumer", "project_id"),),
    In.JOB_RUNS: (_index("job", "window"), _index("window")),
    In.LOG: (
        _index("project_id", "head", "n"),
        _index("project_id", "entity_id", "head"),
        _index("operation_id"),
    ),
    In.CLAIMS: (_index("owner", "key", unique=True), _index("at")),
}
