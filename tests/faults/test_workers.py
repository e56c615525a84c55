"""The real jobs through a real broker: workers are killed, messages come twice, brokers go away; nothing of it shows.

How long things took is printed (``pytest -s``), and asserted nowhere.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psycopg2  # type: ignore[import-untyped]  # ships no types
import pytest

from tests.builders import a_membership, a_person, a_project, a_task, added
from tests.crew import Crew, hired, is_ready
from tests.databases import database
from tests.faults.server import running
from tracker.domain.query import NotificationQuery
from tracker.domain.task import Status
from tracker.jobs.schedule import Policy, table
from tracker.store.sql.store import SqlStore

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from tests.builders import Person
    from tests.crew import Broker
    from tests.faults.server import Server
    from tracker.domain.project import Project

pytestmark = pytest.mark.postgresql

PROJECTS, OF_EACH = 25, 20
TASKS = PROJECTS * OF_EACH
WORKERS, BEATS, ENOUGH_KILLS, ENOUGH_HITS = 4, 3, 12, 2
WRITES = 200
PATIENCE = 180  # seconds; for what takes a minute
# So that what is killed is in the middle of something.
SLOW_DOWN = """
CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.02); RETURN NEW; END';
CREATE TRIGGER slowly BEFORE UPDATE ON tasks FOR EACH ROW EXECUTE FUNCTION slowly();
"""
IN_THE_MIDDLE = (
    "SELECT application_name FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
)


@contextmanager
def opened() -> Iterator[tuple[str, SqlStore]]:
    with database("postgresql") as url, closing(SqlStore.open(url, connections=2)) as store:
        yield url, store


def run(url: str, statements: str) -> None:
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        connection.cursor().execute(statements)


def told(store: SqlStore, person: Person) -> int:
    return len(store.notifications(NotificationQuery(person.user.id, limit=5000)))


@contextmanager
def delivered_twice(crew: Crew) -> Iterator[None]:
    """Have every tick that there is sent twice, again and again, besides what beat sends."""
    stopped = threading.Event()

    def send() -> None:
        while not stopped.wait(1):
            for name in [job.name for job in table(Policy())] * 2:
                crew.send(name)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


def settled(store: SqlStore) -> tuple[Person, list[Project]]:
    """Put 500 done tasks of one person into a store, in many projects."""
    ann, projects = a_person(), [a_project() for _ in range(PROJECTS)]
    added(store, *ann, *projects, *(a_membership(project, ann.user) for project in projects))
    for project in projects:
        added(store, *(a_task(project, status=Status.DONE, created_by=ann.user.id) for _ in range(OF_EACH)))
    return ann, projects


@dataclass
class Shift:
    """Workers, each of which the database knows by a name of its own."""

    crew: Crew
    settings: dict[str, str]
    workers: dict[str, tuple[subprocess.Popen[bytes], Path]] = field(default_factory=dict)
    kills: int = 0
    hits: int = 0

    def hire(self) -> None:
        name = f"worker-{len(self.workers) + self.kills}"
        self.workers[name] = self.crew.hire("worker", module="tracker", PGAPPNAME=name, **self.settings)

    def ready(self) -> list[str]:
        return [name for name, (_, log) in self.workers.items() if is_ready(log)]

    def busy(self) -> list[str]:
        """Who is in the middle of a commit that archives tasks."""
        with closing(psycopg2.connect(self.settings["DATABASE_URL"])) as connection:
            cursor = connection.cursor()
            cursor.execute(IN_THE_MIDDLE)
            return [name for (name,) in cursor.fetchall() if name in self.workers]

    def replace_one(self) -> None:
        """Kill one: somebody in the middle of it, where there is one within a second, else whoever is ready longest.

        Nobody is killed who still starts: where that takes longer than they live, nothing would ever be done.
        """
        until = time.monotonic() + 1
        while not (busy := self.busy()) and time.monotonic() < until:
            time.sleep(0.02)
        for name in [*busy, *self.ready()][:1]:
            self.crew.kill(self.workers.pop(name)[0])
            self.kills, self.hits = self.kills + 1, self.hits + bool(busy)
            self.hire()

    @property
    def is_enough(self) -> bool:
        return self.kills >= ENOUGH_KILLS and self.hits >= ENOUGH_HITS


def killed_every_second(shift: Shift, store: SqlStore, ann: Person) -> None:
    """Kill one worker after the other, each replaced, until that was enough, and wait until all is done."""
    began = time.monotonic()
    while told(store, ann) < TASKS:
        assert time.monotonic() - began < PATIENCE, shift.crew.logs
        time.sleep(1)  # so that something gets done
        if not shift.is_enough:
            shift.replace_one()
    print(f"\n{TASKS} tasks in {time.monotonic() - began:.0f} s, {shift.kills} kills, {shift.hits} while at work")


def test_500_tasks_are_archived_and_told_of_once_though_a_worker_is_killed_every_second(
    broker: Broker, tmp_path: Path
) -> None:
    with opened() as (url, store), hired(tmp_path, broker) as crew:
        ann, projects = settled(store)
        run(url, SLOW_DOWN)
        shift = Shift(crew, {"DATABASE_URL": url, "ARCHIVE_DONE_AFTER_DAYS": "0"})
        for _ in range(WORKERS):
            shift.hire()
        crew.wait(lambda: len(shift.ready()) == WORKERS)
        for _ in range(BEATS):
            crew.hire("beat", module="tracker", **shift.settings)
        with delivered_twice(crew):
            killed_every_second(shift, store, ann)
            time.sleep(6)  # for whoever would do it again
        archived = [entry for project in projects for entry in store.log(project.id, after=2, limit=5000)]
        notifications = store.notifications(NotificationQuery(ann.user.id, limit=5000))

    assert shift.hits >= ENOUGH_HITS, "nobody was killed in the middle of anything: this run shows nothing"
    assert Counter(entry.actor_id for entry in archived) == {"system": TASKS}
    assert len({entry.entity_id for entry in archived}) == TASKS
    assert len({notification.task_id for notification in notifications}) == len(notifications) == TASKS


@contextmanager
def at_work(broker: Broker, folder: Path) -> Iterator[tuple[Server, SqlStore, Crew]]:
    """Give a server with a worker and a beat of its own."""
    with opened() as (url, store), hired(folder, broker) as crew:
        for command in ("worker", "beat"):
            crew.start(command, module="tracker", DATABASE_URL=url)
        with running(folder, url, CELERY_BROKER_URL=broker.url) as server:
            yield server, store, crew


def shared_with(server: Server, person: Person, token: str) -> str:
    """Return the id of a project of somebody's that another one edits."""
    project: str = server.ask("POST", "/projects", {"name": "Kitchen"}, token=token).json["id"]
    member = f"/projects/{project}/members/{person.user.id}"
    assert server.ask("PUT", member, {"role": "editor"}, token=token).status in {200, 201}
    return project


def test_writes_are_taken_while_the_broker_is_gone_and_what_they_left_is_done_when_it_is_back(
    broker: Broker, tmp_path: Path
) -> None:
    ben = a_person()
    with at_work(broker, tmp_path) as (server, store, crew):
        added(store, *ben)
        token = server.log_in("ann")
        task = {"title": "Paint", "project_id": shared_with(server, ben, token), "assignee_id": ben.user.id}
        broker.kill()
        statuses = Counter(server.ask("POST", "/tasks", task, token=token).status for _ in range(WRITES))
        time.sleep(6)  # longer than from one round of ticks to the next
        before = told(store, ben)
        broker.start_again()
        began = time.monotonic()
        crew.wait(lambda: told(store, ben) == WRITES)
        print(f"\n{WRITES - before} told {time.monotonic() - began:.1f} s after the broker was back")

    assert statuses == {201: WRITES}
    assert before < WRITES, "nothing was left: this run shows nothing"
