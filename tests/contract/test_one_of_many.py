"""Sixty-four at once with the same precondition or the same key: one of them does it, and all can tell."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from tests.databases import ON_EVERY_DATABASE, database, open_store
from tests.racing import at_once
from tests.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.client import Client, Received

MANY = 64
ROUNDS = 100


@pytest.fixture(scope="module", params=ON_EVERY_DATABASE)
def client(request: pytest.FixtureRequest) -> Iterator[Client]:
    """Somebody's client, on a store with fewer connections than there will be threads."""
    with database(request.param) as url:
        store = open_store(url, connections=MANY)
        world = World(store)
        yield world.of(world.person("ann"))
        store.close()


def test_of_many_who_change_what_they_all_saw_one_does(client: Client) -> None:
    task = client.post("/tasks", {"title": "Round 0"}).json
    for round_ in range(1, ROUNDS + 1):
        rename = partial(client.patch, f"/tasks/{task['id']}", headers={"if-match": f'"{round_}"'})

        answers = at_once(MANY, partial(_by, rename, round_))

        assert Counter(answer.status for answer in answers) == {200: 1, 412: MANY - 1}
        (made,) = (answer.json for answer in answers if answer.status == 200)
        task = client.get(f"/tasks/{task['id']}").json
        assert (task, task["version"]) == (made, round_ + 1)


def _by(rename: Callable[..., Received], round_: int, n: int) -> Received:
    return rename({"title": f"Round {round_}, by {n}"})


def test_of_many_with_one_key_one_has_an_effect_and_all_have_its_answer(client: Client) -> None:
    for round_ in range(ROUNDS):
        body = {"title": f"Round {round_}", "labels": ["raced"]}
        create = partial(client.post, "/tasks", body, headers={"idempotency-key": f"round-{round_}"})

        answers = at_once(MANY, partial(_without_number, create))

        assert {answer.status for answer in answers} == {201}
        assert len({(answer.body, answer.headers["etag"], answer.headers["location"]) for answer in answers}) == 1
        assert Counter(answer.headers.get("idempotent-replayed") for answer in answers) == {None: 1, "true": MANY - 1}
    assert sorted(item["title"] for item in every(client) if item["labels"] == ["raced"]) == sorted(
        f"Round {round_}" for round_ in range(ROUNDS)
    )


def _without_number(create: Callable[..., Received], _n: int) -> Received:
    return create()


def every(client: Client) -> list[dict[str, Any]]:
    """Return every task there is."""
    items: list[dict[str, Any]] = client.get("/tasks", query={"limit": 200}).json["items"]
    return items
