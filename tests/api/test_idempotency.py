"""Idempotency-Key and dry_run: a request that is sent again happens once, one that is only tried does not happen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.builders import AT
from tracker.edge.call import Call
from tracker.edge.idempotency import Records
from tracker.store.contract import Claimed

if TYPE_CHECKING:
    from tests.client import Client, Received
    from tests.world import Person, World

KEY = {"idempotency-key": "5f2c9a1e"}


def same(answer: Received) -> tuple[int, bytes, dict[str, str]]:
    kept = {name: value for name, value in answer.headers.items() if name != "idempotent-replayed"}
    return answer.status, answer.body, kept


def titles(client: Client) -> list[str]:
    return sorted(item["title"] for item in client.get("/tasks").json["items"])


def test_a_request_that_is_sent_again_happens_once_and_answers_the_same(client: Client) -> None:
    first = client.post("/tasks", {"title": "Water the plants"}, headers=KEY)
    again = client.post("/tasks", {"title": "Water the plants"}, headers=KEY)

    assert first.status == 201
    assert same(again) == same(first)
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert titles(client) == ["Water the plants"]


def test_the_first_answer_is_given_also_when_the_thing_has_changed_since(client: Client) -> None:
    task = client.post("/tasks", {"title": "One"}).json
    first = client.patch(f"/tasks/{task['id']}", {"title": "Two"}, headers=KEY)
    client.patch(f"/tasks/{task['id']}", {"title": "Three"})

    assert same(client.patch(f"/tasks/{task['id']}", {"title": "Two"}, headers=KEY)) == same(first)
    assert titles(client) == ["Three"]


def test_a_deletion_that_is_sent_again_is_still_done(client: Client) -> None:
    task = client.post("/tasks", {"title": "One"}).json

    assert client.delete(f"/tasks/{task['id']}", headers=KEY).status == 204
    assert client.delete(f"/tasks/{task['id']}", headers=KEY).status == 204
    assert client.delete(f"/tasks/{task['id']}").status == 404


def test_a_request_that_changed_nothing_is_answered_the_same_too(client: Client) -> None:
    task = client.post("/tasks", {"title": "One"}).json
    first = client.patch(f"/tasks/{task['id']}", {}, headers=KEY)
    client.patch(f"/tasks/{task['id']}", {"title": "Two"})

    assert same(client.patch(f"/tasks/{task['id']}", {}, headers=KEY)) == same(first)


@pytest.mark.parametrize(
    ("path", "body", "query"),
    [
        ("/tasks", {"title": "Another"}, ""),
        ("/tasks", {"title": "Water the plants "}, ""),
        ("/tasks", {"title": "Water the plants"}, "dry_run=false"),
        ("/logout", None, ""),
    ],
)
def test_another_request_with_the_key_is_refused(client: Client, path: str, body: Any, query: str) -> None:
    client.post("/tasks", {"title": "Water the plants"}, headers=KEY)

    refused = client.post(path, body, headers=KEY, query=query)

    assert (refused.status, refused.problem) == (409, "idempotency-key-reused")
    assert titles(client) == ["Water the plants"]


def test_what_was_refused_may_be_tried_again_with_the_same_key(client: Client, world: World) -> None:
    body = {"title": "Water the plants", "assignee_id": world.person("bob").id}
    assert client.post("/tasks", body, headers=KEY).status == 404

    assert client.post("/tasks", {"title": "Water the plants"}, headers=KEY).status == 201


def test_keys_of_others_are_none_of_ours(client: Client, world: World) -> None:
    bob = world.of(world.person("bob"))
    client.post("/tasks", {"title": "Hers"}, headers=KEY)

    answer = bob.post("/tasks", {"title": "Hers"}, headers=KEY)

    assert (answer.status, "idempotent-replayed" in answer.headers) == (201, False)
    assert (titles(client), titles(bob)) == (["Hers"], ["Hers"])


def test_a_key_is_kept_for_a_day(client: Client, world: World, ann: Person) -> None:
    client.post("/tasks", {"title": "Again"}, headers=KEY)
    world.clock.advance(hours=23, minutes=59)
    client = world.of(world.log_in(ann.user))
    client.post("/tasks", {"title": "Again"}, headers=KEY)
    assert titles(client) == ["Again"]
    world.clock.advance(minutes=1)
    client = world.of(world.log_in(ann.user))

    answer = client.post("/tasks", {"title": "Other"}, headers=KEY)

    assert (answer.status, titles(client)) == (201, ["Again", "Other"])


def test_what_is_kept_tells_nobody_who_reads_the_database_what_was_answered(
    client: Client, world: World, ann: Person
) -> None:
    client.post("/tasks", {"title": "canary in the answer"}, headers=KEY)

    kept = world.store.claimed(ann.id, KEY["idempotency-key"])

    assert kept is not None
    assert "canary" not in kept.answer


def test_a_registration_that_is_sent_again_registers_once(world: World) -> None:
    body = {"username": "eve", "email": "eve@example.com", "password": "correct horse battery"}

    first = world.client.post("/register", body, headers=KEY)
    again = world.client.post("/register", body, headers=KEY)
    other = world.client.post("/register", {**body, "username": "mia", "email": "mia@example.com"}, headers=KEY)

    assert (first.status, same(again)) == (201, same(first))
    assert other.status == 201, "whoever has no account yet has no keys that could be anybody else's"


def test_a_refresh_that_is_sent_again_gives_the_same_tokens_and_ends_nothing(world: World) -> None:
    body = {"username": "eve", "email": "eve@example.com", "password": "correct horse battery"}
    world.client.post("/register", body)
    tokens = world.client.post("/login", {"username": "eve", "password": body["password"]}).json
    asked = {"refresh_token": tokens["refresh_token"]}

    first = world.client.post("/token/refresh", asked, headers=KEY)
    again = world.client.post("/token/refresh", asked, headers=KEY)

    assert (first.status, same(again)) == (200, same(first))
    assert world.client.as_(again.json["access_token"]).get("/me").status == 200
    assert again.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("key", ["", "x" * 256, "with space", "ümlaut"])
def test_a_key_that_is_none_is_named(client: Client, key: str) -> None:
    answer = client.post("/tasks", {"title": "One"}, headers={"idempotency-key": key})

    assert (answer.status, list(answer.errors)) == (400, ["Idempotency-Key"])
    assert titles(client) == []


# dry_run


def test_a_dry_run_answers_as_if_and_nothing_happens(client: Client) -> None:
    tried = client.post("/tasks", {"title": "Water the plants"}, query="dry_run=true")
    made = client.post("/tasks", {"title": "Water the plants"})

    assert (tried.status, tried.json["number"], tried.json["title"]) == (201, 1, "Water the plants")
    assert "operation-id" not in tried.headers
    assert client.get(f"/tasks/{tried.json['id']}").status == 404
    assert made.json["number"] == 1
    assert titles(client) == ["Water the plants"]


def test_a_dry_run_of_a_change_shows_what_it_would_make(client: Client) -> None:
    task = client.post("/tasks", {"title": "One"}).json

    tried = client.patch(f"/tasks/{task['id']}", {"title": "Two"}, query="dry_run=true")
    gone = client.delete(f"/tasks/{task['id']}", query="dry_run=true")

    assert (tried.json["title"], tried.json["version"], gone.status) == ("Two", 2, 204)
    assert client.get(f"/tasks/{task['id']}").json == task


def test_a_dry_run_refuses_what_the_real_one_would(client: Client, world: World) -> None:
    task = client.post("/tasks", {"title": "One"}).json
    body = {"username": "ANN", "email": "other@example.com", "password": "correct horse battery"}

    assert client.patch(f"/tasks/{task['id']}", {"title": ""}, query="dry_run=true").status == 400
    assert (
        client.patch(f"/tasks/{task['id']}", {"title": "x"}, query="dry_run=true", headers={"if-match": '"2"'}).status
        == 412
    )
    assert world.client.post("/register", body, query="dry_run=true").problem == "taken"


def test_a_dry_run_uses_up_no_key(client: Client) -> None:
    client.post("/tasks", {"title": "One"}, query="dry_run=true", headers=KEY)

    assert client.post("/tasks", {"title": "One"}, headers=KEY).status == 201
    assert titles(client) == ["One"]


@pytest.mark.parametrize("asked", ["dry_run=1", "dry_run=True", "dry_run=", "dry_run=true&dry_run=true"])
def test_a_dry_run_is_asked_for_in_so_many_words(client: Client, asked: str) -> None:
    assert client.post("/tasks", {"title": "One"}, query=asked).status == 400
    assert titles(client) == []


def test_what_an_earlier_version_has_kept_is_answered_as_it_is_now() -> None:
    """It kept the names of headers as Werkzeug wrote them; here a name has no capitals."""
    records = Records("k" * 40)
    call = Call("POST", "/tasks", b"", {"idempotency-key": "one"}, "id")
    attempt = records.attempt(call, None)
    assert attempt is not None
    kept = records._seal.encrypt(b'[201,[["Content-Type","application/json"],["ETag","\\"1\\""]],"{}"]').decode()

    again = records.replay(attempt, Claimed(attempt.fingerprint, AT, kept))
    assert again.status == 201
    assert dict(again.headers) == {
        b"content-type": b"application/json",
        b"etag": b'"1"',
        b"idempotent-replayed": b"true",
    }
    assert again.body == b"{}"
