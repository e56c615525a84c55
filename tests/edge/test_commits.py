"""One operation carried out by many at once: each decides again on what the one before left."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import TYPE_CHECKING

import pytest

from tests.client import Client
from tests.databases import ON_EVERY_DATABASE, database, open_store
from tests.world import DOCUMENT, NOON, World
from tracker.api.reply import Body, Reply
from tracker.api.representations import task_json
from tracker.domain.access import Actor, Permission
from tracker.domain.changes import Change
from tracker.domain.clock import Clock
from tracker.domain.refusals import Conflict
from tracker.edge.commits import Carrier
from tracker.edge.idempotency import Records
from tracker.edge.responder import Responder
from tracker.edge.security import Actors, Bearer
from tracker.edge.stack import Stack
from tracker.store.contract import Reader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MANY = 32
PATIENCE = 60


@pytest.fixture(scope="module", params=ON_EVERY_DATABASE)
def everywhere(request: pytest.FixtureRequest) -> Iterator[World]:
    with database(request.param) as url:
        store = open_store(url, connections=MANY)
        yield World(store)
        store.close()


def with_handler(world: World, operation_id: str, handler: Callable[..., Reply]) -> Responder:
    """Return the world's application with another handler for one operation."""
    operation = next(o for o in DOCUMENT.operations if o.id == operation_id)
    actors = Actors(world.store, world.clock)
    carrier = Carrier(
        operation,
        handler,
        store=world.store,
        actors=actors,
        clock=world.clock,
        records=Records("k" * 40),
        collaborators={},
    )
    endpoints = {o.id: carrier.carry_out for o in DOCUMENT.operations}
    responder = world.responder
    return Responder(responder._guard, responder._pages, Stack(DOCUMENT, endpoints, bearer_of(world)))


def bearer_of(world: World) -> Bearer:
    from tracker import app  # noqa: PLC0415 - the composition root, for its tokens alone

    return Bearer(app.tokens(world.settings), world.clock)


def count_up(task_id: str, body: Body, actor: Actor, store: Reader, clock: Clock) -> Reply:
    """Add one to the number that the title is."""
    task = actor.may(Permission.CHANGE_TASK, store.task(task_id))
    changed = task.changed(at=clock(), title=str(int(task.title) + 1))
    return Reply(task_json(changed, NOON), changes=[Change(task, changed)])


def test_thirty_two_who_each_add_one_to_a_title_at_once_add_thirty_two(everywhere: World) -> None:
    ann = everywhere.person("ann")
    task = everywhere.of(ann).post("/tasks", {"title": "0"}).json
    client = Client(with_handler(everywhere, "updateTask", count_up), DOCUMENT, ann.token)
    ready = Barrier(MANY, timeout=PATIENCE)

    def add(_: int) -> tuple[int, str]:
        ready.wait()
        answer = client.patch(f"/tasks/{task['id']}", {})
        return answer.status, answer.json["title"]

    with ThreadPoolExecutor(MANY) as threads:
        answers = list(threads.map(add, range(MANY)))

    assert sorted(answers) == sorted((200, str(n)) for n in range(1, MANY + 1))
    left = everywhere.of(ann).get(f"/tasks/{task['id']}").json
    assert (left["title"], left["version"]) == (str(MANY), MANY + 1)


def test_a_refusal_that_carries_changes_makes_them_true(everywhere: World) -> None:
    def refuse(task_id: str, body: Body, actor: Actor, store: Reader, clock: Clock) -> Reply:
        task = actor.may(Permission.CHANGE_TASK, store.task(task_id))
        changed = task.changed(at=clock(), description="somebody tried")
        raise Conflict("Not today.", changes=(Change(task, changed),))

    bob = everywhere.person("bob")
    task = everywhere.of(bob).post("/tasks", {"title": "0"}).json
    client = Client(with_handler(everywhere, "updateTask", refuse), DOCUMENT, bob.token)
    refused = client.patch(f"/tasks/{task['id']}", {})

    assert (refused.status, refused.json["detail"]) == (409, "Not today.")
    assert everywhere.of(bob).get(f"/tasks/{task['id']}").json["description"] == "somebody tried"


def test_who_is_always_beaten_is_told_so_and_changes_nothing(everywhere: World) -> None:
    eve = everywhere.person("eve")
    task = everywhere.of(eve).post("/tasks", {"title": "0"}).json

    def beaten(task_id: str, body: Body, actor: Actor, store: Reader, clock: Clock) -> Reply:
        seen = actor.may(Permission.CHANGE_TASK, store.task(task_id))
        rival = replace(seen, description=f"version {seen.version + 1}", version=seen.version + 1)
        everywhere.commit(Change(seen, rival))  # strikes between our read and our write, each time
        changed = seen.changed(at=clock(), title="mine")
        return Reply(task_json(changed, NOON), changes=[Change(seen, changed)])

    client = Client(with_handler(everywhere, "updateTask", beaten), DOCUMENT, eve.token)
    refused = client.patch(f"/tasks/{task['id']}", {})

    assert (refused.status, refused.problem) == (409, "contended")
    left = everywhere.of(eve).get(f"/tasks/{task['id']}").json
    assert (left["title"], left["version"]) == ("0", 6)
