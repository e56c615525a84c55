"""Nothing that a client sends is an operator, a path or a pattern to the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.client import Client
    from tests.world import World

OPERATORS: list[Any] = [{"$ne": None}, {"$gt": ""}, {"$where": "true"}, {"$regex": ".*"}, ["$ne"]]
TEXTS = ['{"$ne": null}', "$where", "$set.title", "title.0", "^.*$", "$$ROOT"]


@pytest.mark.parametrize("operator", OPERATORS)
def test_an_object_is_no_text(client: Client, world: World, operator: object) -> None:
    task = client.post("/tasks", {"title": "Water the plants"}).json
    credentials = {"username": "ann", "password": "correct horse battery"}

    assert client.post("/tasks", {"title": operator}).status == 400
    assert client.patch(f"/tasks/{task['id']}", {"description": operator}).status == 400
    for name in credentials:
        assert world.client.post("/login", {**credentials, name: operator}).status == 400
    assert client.get(f"/tasks/{task['id']}").json == task


@pytest.mark.parametrize("name", ["title[$ne]", "project_id[$gt]", "$where", "status[]", "q[$regex]"])
def test_a_parameter_with_an_operator_in_its_name_is_unknown(client: Client, name: str) -> None:
    assert client.get("/tasks", query={name: "x"}).status == 400


@pytest.mark.parametrize("text", TEXTS)
def test_text_is_kept_and_found_to_the_letter(client: Client, text: str) -> None:
    created = client.post("/tasks", {"title": text, "description": text, "labels": [text[:50]]}).json
    client.post("/tasks", {"title": "other", "labels": ["other"]})

    assert client.get(f"/tasks/{created['id']}").json["title"] == text
    assert [task["id"] for task in client.get("/tasks", query={"label": text}).json["items"]] == [created["id"]]


@pytest.mark.parametrize("q", [".*", "ot[h]er", "oth.r", "$ne", '{"$ne":""}', "(a+)+$"])
def test_a_search_is_for_words(client: Client, q: str) -> None:
    client.post("/tasks", {"title": "other"})

    answer = client.get("/tasks", query={"q": q})

    assert (answer.status, answer.json["items"]) == (200, [])


@pytest.mark.parametrize("key", ["$ne", "a.b", "$where.x", "{$gt:}"])
def test_a_key_that_looks_like_an_operator_is_a_key(client: Client, key: str) -> None:
    body, headers = {"title": "Once"}, {"idempotency-key": key}

    first, again = (client.post("/tasks", body, headers=headers) for _ in range(2))
    other = client.post("/tasks", body, headers={"idempotency-key": "another"})

    assert again.json == first.json != other.json
