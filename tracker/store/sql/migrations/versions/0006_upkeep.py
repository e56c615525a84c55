"""What happens by itself: runs of jobs, reminders, notifications, and how far the log was read by whom."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# As they were when this was written: a step never changes, whatever tables.py says later.
ID = sa.String(36).with_variant(postgresql.UUID(as_uuid=False), "postgresql")
INSTANT = sa.BigInteger().with_variant(sa.DateTime(timezone=True), "postgresql")
projects = sa.table("projects", sa.column("id", ID), sa.column("head", sa.BigInteger))
positions = sa.table(
    "positions",
    sa.column("consumer", sa.Text),
    sa.column("project_id", ID),
    sa.column("head", sa.BigInteger),
    sa.column("version", sa.BigInteger),
)
CONSUMERS = ("notifications", "mail")
INDEXES = {
    "ix_tasks_done": (["project_id", "updated_at"], "status = 'done' AND archived_at IS NULL"),
    "ix_tasks_due": (
        ["overdue_after"],
        "status != 'cancelled' AND status != 'done' AND archived_at IS NULL AND overdue_after IS NOT NULL",
    ),
}


def instant(name, *, nullable=False, **more):
    return sa.Column(name, INSTANT, nullable=nullable, **more)


def one_of(table, column, *values):
    allowed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({allowed})", name=op.f(f"ck_{table}_{column}"))


def upgrade() -> None:
    op.create_index(op.f("ix_sessions_expires_at"), "sessions", ["expires_at"])
    for name, (columns, where) in INDEXES.items():
        op.create_index(op.f(name), "tasks", columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
    create_reminders()
    create_notifications()
    create_positions()
    create_job_runs()


def create_reminders():
    op.create_table(
        "reminders",
        sa.Column("project_id", ID, nullable=False),
        sa.Column("task_id", ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        instant("due_at"),
        instant("created_at"),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("task_id", "kind", "due_at", name=op.f("pk_reminders")),
        one_of("reminders", "kind", "due_soon", "overdue"),
    )
    op.create_index(op.f("ix_reminders_due_at"), "reminders", ["due_at"])


def create_notifications():
    op.create_table(
        "notifications",
        sa.Column("id", ID, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("project_id", ID, nullable=False),
        sa.Column("head", sa.BigInteger(), nullable=False),
        sa.Column("task_id", ID, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        instant("created_at"),
        instant("read_at", nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notifications")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_notifications_user_id"), ondelete="CASCADE"),
        one_of("notifications", "kind", "assigned", "due_soon", "overdue", "archived"),
    )
    op.create_index(op.f("ix_notifications_user_id_id"), "notifications", ["user_id", "id"])
    op.create_index(op.f("ix_notifications_created_at"), "notifications", ["created_at"])


def create_positions():
    op.create_table(
        "positions",
        sa.Column("consumer", sa.Text(), nullable=False),
        sa.Column("project_id", ID, nullable=False),
        sa.Column("head", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("consumer", "project_id", name=op.f("pk_positions")),
    )
    # What happened before there were notifications is news to nobody.
    for consumer in CONSUMERS:
        kept = sa.select(sa.literal(consumer), projects.c.id, projects.c.head, sa.literal(1))
        op.execute(sa.insert(positions).from_select(["consumer", "project_id", "head", "version"], kept))


def create_job_runs():
    op.create_table(
        "job_runs",
        sa.Column("job", sa.Text(), nullable=False),
        instant("window"),
        instant("started_at"),
        instant("held_until"),
        instant("finished_at", nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("position", sa.Text(), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("failed", sa.BigInteger(), nullable=False),
        sa.Column("problem", sa.Text()),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("job", "window", name=op.f("pk_job_runs")),
        one_of("job_runs", "state", "running", "waiting", "finished", "parked"),
    )
    op.create_index(op.f("ix_job_runs_window"), "job_runs", ["window"])


def downgrade() -> None:
    for table in ("job_runs", "positions", "notifications", "reminders"):
        op.drop_table(table)
    for name in INDEXES:
        op.drop_index(op.f(name), "tasks")
    op.drop_index(op.f("ix_sessions_expires_at"), "sessions")
