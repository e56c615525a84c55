"""The first tables: users and their sessions, projects with their members and tasks, and the change log."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# As they were when this was written: a step never changes, whatever tables.py says later.
ID = sa.String(36).with_variant(postgresql.UUID(as_uuid=False), "postgresql")
INSTANT = sa.BigInteger().with_variant(sa.DateTime(timezone=True), "postgresql")
LABELS = sa.JSON().with_variant(postgresql.ARRAY(sa.Text), "postgresql")


def upgrade() -> None:
    create_projects()
    create_users()
    create_sessions()
    create_memberships()
    create_tasks()
    create_log()


def required(name, kind):
    return sa.Column(name, kind, nullable=False)


def one_of(table, column, *values):
    allowed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({allowed})", name=op.f(f"ck_{table}_{column}"))


def refers(table, column, target, *, ondelete=None):
    return sa.ForeignKeyConstraint([column], [target], name=op.f(f"fk_{table}_{column}"), ondelete=ondelete)


def create_projects():
    op.create_table(
        "projects",
        required("id", ID),
        required("name", sa.Text()),
        required("description", sa.Text()),
        required("kind", sa.Text()),
        sa.Column("archive_done_after_days", sa.Integer()),
        sa.Column("archived_at", INSTANT),
        required("created_at", INSTANT),
        required("updated_at", INSTANT),
        required("head", sa.BigInteger()),
        required("version", sa.BigInteger()),
        required("last_number", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_projects")),
        one_of("projects", "kind", "inbox", "project"),
    )


def create_users():
    op.create_table(
        "users",
        required("id", ID),
        required("username", sa.Text()),
        required("email", sa.Text()),
        required("role", sa.Text()),
        required("status", sa.Text()),
        required("password_hash", sa.Text()),
        required("inbox_id", ID),
        required("created_at", INSTANT),
        required("updated_at", INSTANT),
        required("version", sa.BigInteger()),
        required("username_folded", sa.Text()),
        required("email_folded", sa.Text()),
        required("access_version", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("username_folded", name=op.f("uq_users_username_folded")),
        sa.UniqueConstraint("email_folded", name=op.f("uq_users_email_folded")),
        refers("users", "inbox_id", "projects.id"),
        one_of("users", "role", "admin", "member", "viewer"),
        one_of("users", "status", "active", "disabled"),
    )
    op.create_index(op.f("ix_users_inbox_id"), "users", ["inbox_id"])


def create_sessions():
    op.create_table(
        "sessions",
        required("id", ID),
        required("user_id", ID),
        required("created_at", INSTANT),
        required("expires_at", INSTANT),
        sa.Column("ended_at", INSTANT),
        required("version", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        refers("sessions", "user_id", "users.id", ondelete="CASCADE"),
    )
    op.create_index(op.f("ix_sessions_user_id"), "sessions", ["user_id"])
    op.create_table(
        "refresh_tokens",
        required("id", sa.String(64)),
        required("session_id", ID),
        required("created_at", INSTANT),
        sa.Column("used_at", INSTANT),
        required("version", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refresh_tokens")),
        refers("refresh_tokens", "session_id", "sessions.id", ondelete="CASCADE"),
    )
    op.create_index(op.f("ix_refresh_tokens_session_id"), "refresh_tokens", ["session_id"])


def create_memberships():
    op.create_table(
        "memberships",
        required("project_id", ID),
        required("user_id", ID),
        required("role", sa.Text()),
        required("created_at", INSTANT),
        required("version", sa.BigInteger()),
        sa.PrimaryKeyConstraint("project_id", "user_id", name=op.f("pk_memberships")),
        refers("memberships", "project_id", "projects.id", ondelete="CASCADE"),
        refers("memberships", "user_id", "users.id", ondelete="CASCADE"),
        one_of("memberships", "role", "owner", "editor", "viewer"),
    )
    op.create_index(op.f("ix_memberships_user_id"), "memberships", ["user_id"])


def create_tasks():
    op.create_table(
        "tasks",
        required("id", ID),
        required("project_id", ID),
        required("number", sa.BigInteger()),
        required("title", sa.Text()),
        required("description", sa.Text()),
        required("status", sa.Text()),
        required("priority", sa.Text()),
        required("labels", LABELS),
        sa.Column("due_date", sa.Date()),
        sa.Column("due_time", sa.Text()),
        sa.Column("due_timezone", sa.Text()),
        sa.Column("assignee_id", ID),
        required("created_by", ID),
        sa.Column("completed_at", INSTANT),
        sa.Column("archived_at", INSTANT),
        required("created_at", INSTANT),
        required("updated_at", INSTANT),
        required("version", sa.BigInteger()),
        sa.Column("overdue_after", INSTANT),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tasks")),
        sa.UniqueConstraint("project_id", "number", name=op.f("uq_tasks_project_id_number")),
        refers("tasks", "project_id", "projects.id", ondelete="CASCADE"),
        one_of("tasks", "status", "todo", "in_progress", "blocked", "done", "cancelled"),
        one_of("tasks", "priority", "none", "low", "medium", "high", "urgent"),
    )
    op.create_index(op.f("ix_tasks_project_id_created_at_id"), "tasks", ["project_id", "created_at", "id"])
    op.create_index(op.f("ix_tasks_project_id_overdue_after"), "tasks", ["project_id", "overdue_after"])


def create_log():
    op.create_table(
        "log_entries",
        required("project_id", ID),
        required("head", sa.BigInteger()),
        required("n", sa.Integer()),
        required("operation_id", sa.Text()),
        required("actor_id", sa.Text()),
        required("at", INSTANT),
        required("entity", sa.Text()),
        required("entity_id", sa.Text()),
        sa.Column("before", sa.JSON()),
        sa.Column("after", sa.JSON()),
        sa.PrimaryKeyConstraint("project_id", "head", "n", name=op.f("pk_log_entries")),
    )
    op.create_index(
        op.f("ix_log_entries_project_id_entity_id_head"), "log_entries", ["project_id", "entity_id", "head"]
    )
    op.create_index(op.f("ix_log_entries_operation_id"), "log_entries", ["operation_id"])
