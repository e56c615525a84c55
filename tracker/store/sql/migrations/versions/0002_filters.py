"""What tasks are sorted and searched by: the rank of their priority, the words of their texts, and the indexes."""

import re
import unicodedata

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# As they were when this was written: a step never changes, whatever tables.py says later.
ID = sa.String(36).with_variant(postgresql.UUID(as_uuid=False), "postgresql")
WORDS = sa.Text().with_variant(postgresql.TSVECTOR, "postgresql")
PRIORITIES = ("none", "low", "medium", "high", "urgent")
LONGEST = 64
PLAIN = re.compile(r"[0-9a-z]+")
UNSPACED = re.compile("([\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])")
AT_ONCE = 1000
FIRST = "00000000-0000-0000-0000-000000000000"

tasks = sa.table(
    "tasks",
    sa.column("id", ID),
    sa.column("title", sa.Text),
    sa.column("description", sa.Text),
    sa.column("priority", sa.Text),
    sa.column("priority_rank", sa.SmallInteger),
    sa.column("words", WORDS),
)


def upgrade() -> None:
    op.add_column("tasks", sa.Column("priority_rank", sa.SmallInteger(), nullable=False, server_default="0"))
    op.add_column("tasks", sa.Column("words", WORDS, nullable=False, server_default=""))
    fill(op.get_bind())
    op.drop_index(op.f("ix_tasks_project_id_overdue_after"), "tasks")
    create_indexes()


def create_indexes():
    for column in ("updated_at", "overdue_after"):
        op.create_index(op.f(f"ix_tasks_project_id_{column}_id"), "tasks", ["project_id", column, "id"])
    assigned = sa.text("assignee_id IS NOT NULL")
    op.create_index(
        op.f("ix_tasks_project_id_assignee_id"),
        "tasks",
        ["project_id", "assignee_id"],
        sqlite_where=assigned,
        postgresql_where=assigned,
    )
    if op.get_context().dialect.name == "postgresql":
        for column in ("labels", "words"):
            op.create_index(op.f(f"ix_tasks_{column}"), "tasks", [column], postgresql_using="gin")


def fill(connection):
    ranks = sa.case({name: rank for rank, name in enumerate(PRIORITIES)}, value=tasks.c.priority)
    connection.execute(sa.update(tasks).values(priority_rank=ranks))
    change = sa.update(tasks).where(tasks.c.id == sa.bindparam("of")).values(words=sa.bindparam("to"))
    texts = sa.select(tasks.c.id, tasks.c.title, tasks.c.description).order_by(tasks.c.id).limit(AT_ONCE)
    last = FIRST
    while found := connection.execute(texts.where(tasks.c.id > last)).all():
        connection.execute(change, [{"of": id_, "to": words_of(f"{title} {text}")} for id_, title, text in found])
        last = found[-1].id


def words_of(text):
    words = PLAIN.findall(text.lower()) if text.isascii() else folded_words(text)
    return "".join(f" {word}" for word in dict.fromkeys(word[:LONGEST] for word in words))


def folded_words(text):
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    parts = "".join(c if c.isalnum() or unicodedata.category(c)[0] == "M" else " " for c in folded)
    return UNSPACED.sub(r" \1 ", parts).split()
