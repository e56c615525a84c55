"""The steps of Alembic lead to the schema that ``tables.py`` says, also from what was there before."""

from __future__ import annotations

import re
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, insert, inspect, text

from tests.builders import a_person, a_project, a_task, added
from tracker.domain.access import Scope
from tracker.domain.outbox import Position
from tracker.domain.query import Order, SortKey, TaskFilter, TaskQuery
from tracker.domain.refusals import Unavailable
from tracker.domain.task import Priority, Task
from tracker.domain.words import words_of
from tracker.jobs import mail, notifications
from tracker.store.sql import migrations, tables
from tracker.store.sql.engine import open_engine
from tracker.store.sql.rows import KINDS
from tracker.store.sql.store import SqlStore
from tracker.store.sql.tables import metadata

if TYPE_CHECKING:
    from collections.abc import Iterator

VERSIONS = Path(migrations.__file__).parent / "versions"
FOUNDING = "0006"  # the last step of before Tracker was anybody's but ours


@pytest.fixture
def connection(url: str) -> Iterator[Connection]:
    engine = open_engine(url, connections=1)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def test_the_steps_lead_to_the_tables_that_the_code_knows(connection: Connection) -> None:
    def is_for_here(thing: Any, _name: str | None, kind: str, *_: object) -> bool:
        of_postgresql = kind == "index" and thing.dialect_options["postgresql"]["using"]
        return connection.dialect.name == "postgresql" or not of_postgresql

    context = MigrationContext.configure(connection, opts={"include_object": is_for_here})
    assert compare_metadata(context, metadata) == []


def test_the_steps_name_every_constraint_as_the_code_does(connection: Connection) -> None:
    made = inspect(connection)
    for table in metadata.sorted_tables:
        checks = {check["name"] for check in made.get_check_constraints(table.name)}
        keys = {key["name"] for key in made.get_foreign_keys(table.name)} | {
            made.get_pk_constraint(table.name)["name"],
            *(unique["name"] for unique in made.get_unique_constraints(table.name)),
        }
        assert {str(constraint.name) for constraint in table.constraints} == checks | keys


def test_the_steps_are_those_that_alembic_finds() -> None:
    script = ScriptDirectory.from_config(migrations._config())
    assert [step.revision for step in reversed(list(script.walk_revisions()))] == list(migrations.steps())
    assert script.get_current_head() == migrations.steps()[-1]


def test_a_step_that_fails_leaves_nothing_behind(empty_url: str) -> None:
    store = SqlStore.open(empty_url, connections=1)
    engine = open_engine(empty_url, connections=1)
    with engine.connect() as connection:
        # The last table but one stands in the way: what came before it must not stay.
        connection.exec_driver_sql("CREATE TABLE log_entries (id INTEGER)")
    with pytest.raises(Exception, match="log_entries"):
        store.migrate()
    with engine.connect() as connection:
        assert inspect(connection).get_table_names() == ["log_entries"]
        connection.exec_driver_sql("DROP TABLE log_entries")
    store.migrate()
    store.ping()
    store.close()
    engine.dispose()


def at_step(url: str, step: str) -> SqlStore:
    """Return a store whose database says that this was its last step."""
    engine = open_engine(url, connections=1)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :step"), {"step": step})
    engine.dispose()
    return SqlStore.open(url, connections=1)


def test_old_code_goes_on_with_what_later_code_has_made_of_its_database(store: SqlStore, url: str) -> None:
    ann = a_person()
    added(store, *ann)
    with closing(at_step(url, "9999")) as old:
        old.migrate()
        old.ping()
        assert old.user(ann.user.id) == ann.user
        assert migrations.present(old._database) == "9999"


@pytest.mark.parametrize("step", migrations.steps()[:-1])
def test_code_waits_for_each_step_that_it_knows(url: str, step: str) -> None:
    with closing(at_step(url, step)) as store, pytest.raises(Unavailable, match="run the migrations"):
        store.ping()


def test_steps_since_others_run_it_only_add_to_what_the_code_before_them_uses() -> None:
    files = [file for file in VERSIONS.glob("[0-9]*.py") if file.name[:4] > FOUNDING]
    taking = re.compile(r"op\.(drop|alter|rename)|DROP|RENAME")
    before = {file.name: file.read_text(encoding="utf-8").partition("def downgrade")[0] for file in files}
    assert [name for name, step in before.items() if taking.search(step)] == []


@contextmanager
def taken_to(url: str, step: str) -> Iterator[Connection]:
    """Take the steps up to one, and give a connection to keep what there was then."""
    engine, config = open_engine(url, connections=1), migrations._config()
    with engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.execution_options(isolation_level="READ COMMITTED")
        config.attributes["connection"] = connection
        command.upgrade(config, step)
        yield connection
        connection.commit()
    engine.dispose()


def keep_as_it_was(url: str, step: str, without: set[str], *tasks: Task) -> None:
    """Take the steps up to one, and keep tasks as they were kept then: without some columns of today."""
    project = a_project(id=tasks[0].project_id)
    rows = [KINDS[Task].row(task) for task in tasks]
    with taken_to(url, step) as connection:
        connection.execute(insert(tables.projects), {**vars(project), "last_number": len(tasks)})
        connection.execute(insert(tables.tasks), [{n: v for n, v in row.items() if n not in without} for row in rows])


def test_tasks_that_were_there_before_are_sorted_and_searched_like_any_other(empty_url: str) -> None:
    project, titles = a_project(), ["Water the PLANTS", "Wäsche 100%", "植物に水", "Straße"]
    ranks = [n % 5 for n in range(1100)]
    tasks = [
        a_task(project, number=n + 1, title=titles[n % 4], priority=list(Priority)[rank])
        for n, rank in enumerate(ranks)
    ]
    keep_as_it_was(empty_url, "0001", {"priority_rank", "words"}, *tasks)
    store = SqlStore.open(empty_url, connections=1)
    store.migrate()

    first = TaskQuery((Scope(None),), 200, order=Order(SortKey.PRIORITY))
    assert {task.priority for task in store.tasks(first).items} == {Priority.URGENT}
    last = TaskQuery((Scope(None),), 200, order=Order(SortKey.PRIORITY, descending=False))
    assert {task.priority for task in store.tasks(last).items} == {Priority.NONE}
    for q, title in zip(("pla", "wäsche 100", "水", "STRASSE"), titles, strict=True):
        found = store.tasks(replace(first, filter=TaskFilter(words=words_of(q)), order=Order(SortKey.NUMBER))).items
        assert {task.title for task in found} == {title}
        assert len(found) == 200
        assert found[0].number > 1000
    store.close()


def test_what_happened_before_there_were_consumers_of_the_log_is_news_to_none(empty_url: str) -> None:
    projects = [a_project(head=head) for head in (1, 7, 2**40)]
    with taken_to(empty_url, "0004") as connection:
        connection.execute(insert(tables.projects), [vars(project) for project in projects])
    store = SqlStore.open(empty_url, connections=1)
    store.migrate()

    for consumer in (notifications.CONSUMER, mail.CONSUMER):
        kept = [Position(consumer, project.id, project.head, version=1) for project in projects]
        assert [store.position(consumer, project.id) for project in projects] == kept
        assert store.behind(consumer) == []
    added(store, a_task(projects[1]))
    assert store.behind(mail.CONSUMER) == [Position(mail.CONSUMER, projects[1].id, head=7, version=1)]
    store.close()
