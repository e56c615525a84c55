"""People who do whatever comes to mind, at random."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING

from tracker.domain.access import Scope
from tracker.domain.project import ProjectKind
from tracker.domain.query import ProjectQuery, TaskQuery
from tracker.domain.user import Role

if TYPE_CHECKING:
    from tests.client import Client, Received
    from tests.world import World

NOTHING = "0192f3a4-5b6c-7d8e-9f00-112233445566"


class Household:
    """People who do whatever comes to mind; what the contract refuses them is no failure."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.people = {name: world.person(name) for name in ("ann", "bob")}
        self.people |= {name: world.person(name, Role.ADMIN) for name in ("root", "rita")}
        self._chance = random.Random(seed)  # noqa: S311 - a seed, so that a failure can be had again
        self._deletions: list[str] = []
        self.done: list[str] = []

    def act(self) -> None:
        acts = [self._project, self._task, self._change, self._share, self._leave, self._delete, self._undo]
        act = self._chance.choices(acts, weights=[2, 4, 3, 2, 1, 3, 4])[0]
        if act(self._somebody()).status < 300:
            self.done.append(act.__name__)

    def _somebody(self) -> Client:
        return self.world.now(self._chance.choice([*self.people.values()]))

    def _some_project(self) -> str:
        there = [p.id for p in self.world.store.projects(ProjectQuery(None)) if p.kind is ProjectKind.PROJECT]
        return f"/projects/{self._chance.choice(there or [NOTHING])}"

    def _member(self) -> str:
        return f"{self._some_project()}/members/{self._chance.choice([*self.people.values()]).id}"

    def _project(self, client: Client) -> Received:
        return client.post("/projects", {"name": "Shed"})

    def _task(self, client: Client) -> Received:
        due = self.world.clock() + timedelta(minutes=self._chance.randrange(9))
        asked = {"title": "Sweep", "due": {"date": f"{due:%Y-%m-%d}", "time": f"{due:%H:%M}"}}
        return client.post("/tasks", {**asked, "project_id": self._some_project().rpartition("/")[2]})

    def _change(self, client: Client) -> Received:
        tasks = self.world.store.tasks(TaskQuery((Scope(None),), 200)).items
        chosen = self._chance.choice(tasks).id if tasks else NOTHING
        return client.patch(f"/tasks/{chosen}", {"title": f"Sweep {self._chance.random()}"})

    def _share(self, client: Client) -> Received:
        return client.put(self._member(), {"role": self._chance.choice(["owner", "editor", "viewer"])})

    def _leave(self, client: Client) -> Received:
        return client.delete(self._member())

    def _delete(self, client: Client) -> Received:
        answer = client.delete(self._some_project())
        if answer.status == 204:
            self._deletions.append(answer.headers["operation-id"])
        return answer

    def _undo(self, client: Client) -> Received:
        chosen = self._chance.choice(self._deletions or [NOTHING])
        return client.post(f"/operations/{chosen}/undo")
