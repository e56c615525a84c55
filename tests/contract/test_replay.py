"""A thousand writes at random, by many: whoever reads the log from its beginning has just what the lists show.

Meanwhile deadlines are noticed, which is in the log too and changes no task.
"""

from __future__ import annotations

import random
from collections import Counter
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from tests.racing import at_once
from tests.replay import gapless, listed, read_on, replayed
from tracker.domain.project import ProjectRole
from tracker.domain.reminder import Reminder, ReminderKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.client import Client, Received
    from tests.world import World

CLIENTS = 8
WRITES = 125


class Writer:
    """Somebody who does whatever comes to mind; what the contract refuses them is no failure."""

    def __init__(self, client: Client, projects: list[str], seed: int) -> None:
        self._client, self._projects = client, projects
        self._random = random.Random(seed)  # noqa: S311 - a seed, so that a failure can be had again
        self._operations: list[str] = []
        self.statuses: Counter[int] = Counter()

    def write(self, times: int) -> None:
        acts = [
            self._create,
            self._change,
            self._change,
            self._move,
            self._archive,
            self._delete,
            self._bulk,
            self._undo,
        ]
        for act in self._random.choices(acts, k=times):
            answer = act()
            self.statuses[answer.status] += 1
            if "operation-id" in answer.headers:
                self._operations.append(answer.headers["operation-id"])

    def some_task(self) -> str:
        """Return the id of a task that is there, or of none."""
        found = [task["id"] for task in self._client.get("/tasks", query={"archived": "include"}).json["items"]]
        return self._random.choice(found) if found else "0192f3a4-5b6c-7d8e-9f00-112233445566"

    def _create(self) -> Received:
        body = {"title": self._title(), "project_id": self._random.choice(self._projects)}
        return self._client.post("/tasks", body)

    def _change(self) -> Received:
        return self._client.patch(f"/tasks/{self.some_task()}", {"title": self._title(), "labels": [self._title()]})

    def _move(self) -> Received:
        return self._client.patch(f"/tasks/{self.some_task()}", {"project_id": self._random.choice(self._projects)})

    def _archive(self) -> Received:
        way = self._random.choice(["archive", "unarchive"])
        return self._client.post(f"/tasks/{self.some_task()}/{way}")

    def _delete(self) -> Received:
        return self._client.delete(f"/tasks/{self.some_task()}")

    def _bulk(self) -> Received:
        ids = sorted({self.some_task() for _ in range(4)})
        return self._client.post("/tasks/bulk", {"ids": ids, "patch": {"description": self._title()}})

    def _undo(self) -> Received:
        some = self._operations or ["0192f3a4-5b6c-7d8e-9f00-112233445566"]
        return self._client.post(f"/operations/{self._random.choice(some)}/undo")

    def _title(self) -> str:
        return f"Task {self._random.randrange(10**6)}"


def test_the_log_read_from_its_beginning_is_what_the_lists_show(world: World) -> None:
    people = [world.person(f"person-{n}") for n in range(CLIENTS)]
    projects = [world.project(dict.fromkeys(people, ProjectRole.OWNER)).id for _ in range(2)]
    writers = [Writer(world.of(person), projects, seed) for seed, person in enumerate(people)]
    clock_watcher = Writer(world.of(people[0]), projects, CLIENTS)
    acts = [partial(writer.write, WRITES) for writer in writers]
    acts.append(partial(notice, world, projects, clock_watcher.some_task, WRITES))

    at_once(len(acts), lambda n: acts[n]())

    statuses = sum((writer.statuses for writer in writers), Counter[int]())
    assert set(statuses) <= {200, 201, 204, 404, 409}, statuses
    assert statuses[201] + statuses[200] + statuses[204] > CLIENTS * WRITES / 2, "too little happened"
    reader = world.of(people[0])
    logs = {project_id: list(read_on(reader, project_id)) for project_id in projects}
    assert Counter(change["entity"] for log in logs.values() for change in log)["reminder"] == WRITES
    for project_id, log in logs.items():
        assert gapless(log)
        assert replayed(log) == {task["id"]: task for task in listed(reader) if task["project_id"] == project_id}


def notice(world: World, projects: list[str], some_task: Callable[[], str], times: int) -> None:
    """Notice the deadline of some task so often, as a job does: also of one that moves, or is gone by then."""
    for n in range(times):
        due_at = world.clock() + timedelta(minutes=n)
        world.add(Reminder(projects[n % 2], some_task(), ReminderKind.DUE_SOON, due_at, world.clock()))
