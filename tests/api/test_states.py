"""The state of what somebody sees: whatever happens, it never names two different contents."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tracker.domain.access import Scope
from tracker.domain.project import ProjectKind
from tracker.domain.query import Archived, ProjectQuery, TaskFilter, TaskQuery
from tracker.domain.user import Role

if TYPE_CHECKING:
    from collections.abc import Hashable

    from tests.client import Client, Received
    from tests.world import Person, World

ACTS = 120
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
        return self.world.of(self._chance.choice([*self.people.values()]))

    def _some_project(self) -> str:
        there = [p.id for p in self.world.store.projects(ProjectQuery(None)) if p.kind is ProjectKind.PROJECT]
        return f"/projects/{self._chance.choice(there or [NOTHING])}"

    def _member(self) -> str:
        return f"{self._some_project()}/members/{self._chance.choice([*self.people.values()]).id}"

    def _project(self, client: Client) -> Received:
        return client.post("/projects", {"name": "Shed"})

    def _task(self, client: Client) -> Received:
        return client.post("/tasks", {"title": "Sweep", "project_id": self._some_project().rpartition("/")[2]})

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


class Seen(NamedTuple):
    """What somebody sees, and what names the state of it."""

    state: Hashable
    content: Any


def seen_by(world: World, person: Person) -> Seen:
    """Return what a member sees by their own state, what an admin sees by the state that all of them share."""
    store, admin = world.store, person.user.role is Role.ADMIN
    standing = store.standing(person.session.id)
    assert standing is not None
    state = ("everything", standing.heads) if admin else (person.id, standing.access_version, standing.heads)
    whose = None if admin else person.id
    found = store.tasks(TaskQuery((Scope(whose),), 200, filter=TaskFilter(archived=Archived.INCLUDE)))
    projects = store.projects(ProjectQuery(whose, Archived.INCLUDE))
    return Seen(state, (found.items, projects, {} if admin else store.memberships(person.id)))


@pytest.mark.parametrize("seed", range(4))
def test_a_state_never_names_two_contents(world: World, seed: int) -> None:
    household = Household(world, seed)
    known: dict[Hashable, Any] = {}
    heads: list[int] = []
    for _ in range(ACTS):
        household.act()
        for person in household.people.values():
            seen = seen_by(world, person)
            assert known.setdefault(seen.state, seen.content) == seen.content
        heads.append(sum_of_heads(world, household.people["root"]))

    assert {"_project", "_task", "_change", "_share", "_delete", "_undo"} <= set(household.done)
    assert heads == sorted(heads)


def sum_of_heads(world: World, admin: Person) -> int:
    standing = world.store.standing(admin.session.id)
    assert standing is not None
    return standing.heads
