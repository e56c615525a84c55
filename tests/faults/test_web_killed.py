"""A web process dies just after each write of a commit, on a MongoDB: what it left is in agreement, or made so.

A process that dies cannot undo anything. So each request is sent once for each write that it makes, in a process that
dies after that one; then another process starts, and the client sends the request again, as clients do.
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from tests.databases import database, open_store
from tests.faults.dying import DEAD
from tests.faults.server import ROOT
from tests.replay import gapless, listed, read_on, replayed
from tests.world import World
from tracker.domain.project import ProjectRole
from tracker.domain.user import Role
from tracker.store.mongo import modes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.client import Client, Received
    from tests.world import Person
    from tracker.domain.project import Project

pytestmark = pytest.mark.mongodb

KEY = {"idempotency-key": "only-once"}
MOST_WRITES = 30


@dataclass(frozen=True)
class Place:
    """What there is before the request."""

    world: World
    ann: Person
    bob: Person
    root: Person
    kitchen: Project
    garden: Project
    tasks: list[dict[str, Any]]


@dataclass(frozen=True)
class Ask:
    """A request, and how often what it does has to be seen afterwards: once."""

    method: str
    path: str
    body: Any
    is_done: Callable[[Client], bool]


def titled(client: Client, *titles: str) -> bool:
    return sorted(task["title"] for task in listed(client)) == sorted(titles)


ACTS: dict[str, Callable[[Place], Ask]] = {
    "create": lambda place: Ask(
        "POST", "/tasks", {"title": "new", "project_id": place.kitchen.id}, lambda c: titled(c, "a", "b", "c", "new")
    ),
    "rename": lambda place: Ask(
        "PATCH", f"/tasks/{place.tasks[0]['id']}", {"title": "other"}, lambda c: titled(c, "b", "c", "other")
    ),
    "move": lambda place: Ask(
        "PATCH",
        f"/tasks/{place.tasks[0]['id']}",
        {"project_id": place.garden.id},
        lambda c: c.get(f"/tasks/{place.tasks[0]['id']}").json["project_id"] == place.garden.id,
    ),
    "delete": lambda place: Ask("DELETE", f"/tasks/{place.tasks[0]['id']}", None, lambda c: titled(c, "b", "c")),
    "change several": lambda place: Ask(
        "POST",
        "/tasks/bulk",
        {"ids": [task["id"] for task in place.tasks], "patch": {"title": "same"}},
        lambda c: titled(c, "same", "same", "same"),
    ),
    "new project": lambda _place: Ask(
        "POST",
        "/projects",
        {"name": "Shed"},
        lambda c: [project["name"] for project in c.get("/projects").json["items"]].count("Shed") == 1,
    ),
    "take in": lambda place: Ask(
        "PUT",
        f"/projects/{place.kitchen.id}/members/{place.bob.id}",
        {"role": "editor"},
        lambda c: place.bob.id in members(c, place.kitchen.id),
    ),
    "delete project": lambda place: Ask(
        "DELETE",
        f"/projects/{place.kitchen.id}",
        None,
        lambda c: c.get(f"/projects/{place.kitchen.id}").status == 404 and titled(c, "c"),
    ),
}


@pytest.fixture(scope="module")
def mortal() -> Iterator[subprocess.Popen[str]]:
    """Whoever makes processes that die."""
    command = [sys.executable, "-m", "tests.faults.dying"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


def dies(mortal: subprocess.Popen[str], asked: dict[str, Any]) -> bool:
    """Have a process do it; return whether it died before it had answered."""
    assert mortal.stdin is not None
    assert mortal.stdout is not None
    mortal.stdin.write(f"{json.dumps(asked)}\n")
    mortal.stdin.flush()
    ended = json.loads(mortal.stdout.readline())
    assert ended in {DEAD, 0}, "it was refused"
    return bool(ended == DEAD)


def placed(world: World) -> Place:
    ann, bob, root = world.person("ann"), world.person("bob"), world.person("root", Role.ADMIN)
    kitchen, garden = (world.project({ann: ProjectRole.OWNER}) for _ in range(2))
    places = [("a", kitchen), ("b", kitchen), ("c", garden)]
    tasks = [world.of(ann).post("/tasks", {"title": title, "project_id": p.id}).json for title, p in places]
    return Place(world, ann, bob, root, kitchen, garden, tasks)


def members(client: Client, project_id: str) -> dict[str, str]:
    found = client.get(f"/projects/{project_id}/members").json["items"]
    return {member["user_id"]: member["role"] for member in found}


def assert_in_agreement(client: Client) -> None:
    """Hold every project to its log, read from the beginning by somebody who sees them all."""
    projects = client.get("/projects", query={"archived": "include"}).json["items"]
    tasks = list(listed(client))
    assert {task["project_id"] for task in tasks} <= {project["id"] for project in projects}
    for project in projects:
        log = list(read_on(client, project["id"]))
        assert gapless(log)
        assert replayed(log) == {task["id"]: task for task in tasks if task["project_id"] == project["id"]}
        assert members_in(log) == members(client, project["id"])
        (last,) = [change["after"] for change in log if change["entity"] == "project"][-1:]
        assert last["name"] == project["name"]
        assert client.get(f"/projects/{project['id']}/changes").json["head"] == max(change["head"] for change in log)


def members_in(log: list[dict[str, Any]]) -> dict[str, str]:
    """Return the members who are left when every change is made in turn."""
    found: dict[str, str] = {}
    for change in (change for change in log if change["entity"] == "membership"):
        thing = change["after"] or change["before"]
        found.pop(thing["user_id"], None)
        if change["after"]:
            found[thing["user_id"]] = thing["role"]
    return found


def died_after(mortal: subprocess.Popen[str], url: str, writes: int, act: str) -> tuple[Place, Ask, bool]:
    """Make an installation, and have a process die at work on it after so many writes, if it makes as many."""
    with closing(open_store(url, connections=2)) as store:
        place = placed(World(store))
        ask = ACTS[act](place)
        request = {"method": ask.method, "path": ask.path, "body": ask.body, "token": place.ann.token}
        died = dies(mortal, {**request, "url": url, "writes": writes, "key": KEY["idempotency-key"]})
    return place, ask, died


@pytest.fixture(autouse=True)
def _no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take over from who is dead after a moment: nobody here is only slow."""
    monkeypatch.setattr(modes, "LEASE", 0.3)


@pytest.mark.parametrize("starts", [True, False], ids=["next start", "retry elsewhere"])
@pytest.mark.parametrize("act", ACTS)
def test_what_is_left_of_a_request_is_made_whole_by_the_next_start_or_by_the_retry(
    mortal: subprocess.Popen[str], act: str, *, starts: bool
) -> None:
    for writes in count(1):
        with database("mongodb") as url:
            place, ask, died = died_after(mortal, url, writes, act)
            with closing(open_store(url, connections=2)) as store:  # as another process does
                world = World(store)
                seen_by_all, anns = world.of(place.root), world.of(place.ann)
                if starts:
                    store.migrate()
                    assert_in_agreement(seen_by_all)
                first = again(anns, ask)
                assert_in_agreement(seen_by_all)
                assert ask.is_done(seen_by_all)
                assert same(again(anns, ask)) == same(first)
                assert_in_agreement(seen_by_all)
                assert ask.is_done(seen_by_all)
        if not died:
            break
        assert writes < MOST_WRITES
    assert writes > 2, "it died after no write: this shows nothing"
    print(f"\n{act}: {writes - 1} writes")


def again(client: Client, ask: Ask) -> Received:
    answer = client.request(ask.method, ask.path, ask.body, headers=KEY)
    assert 200 <= answer.status < 300, answer.body
    return answer


def same(answer: Received) -> tuple[int, bytes, str]:
    return answer.status, answer.body, answer.headers["operation-id"]
