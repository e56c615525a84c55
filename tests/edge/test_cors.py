"""Pages of other origins: who may read an answer, and who is told what to send."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.client import Received
from tests.edge.wire import Wire
from tests.world import Person, World
from tracker.edge.cors import Cors
from tracker.edge.front import Front

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracker.store.sql.store import SqlStore

APP, OTHER = "https://app.example.com", "https://evil.example"


@contextmanager
def serving(store: SqlStore, *origins: str) -> Iterator[Wire]:
    world = World(store, cors_origins=origins)
    with Wire.to(Front(world.responder, threads=1, cors=Cors(origins))) as wire:
        yield wire


@pytest.fixture
def app(store: SqlStore) -> Iterator[Wire]:
    """A server that one origin may call."""
    with serving(store, APP, "http://localhost:5173") as wire:
        yield wire


def preflight(wire: Wire, path: str, origin: str = APP, **headers: str) -> Received:
    asked = {"origin": origin, "access-control-request-method": "PATCH", **headers}
    return wire.send("OPTIONS", path, headers=asked)


def listed(received: Received, header: str) -> set[str]:
    return set(received.headers[header].split(", "))


@pytest.mark.parametrize("path", ["/tasks/0192f3a4-5b6c-7d8e-9f00-112233445566", "/tasks", "/login"])
def test_a_page_that_may_call_is_told_what_it_may_send(app: Wire, path: str) -> None:
    told = preflight(app, path)
    allowed = app.send("TRACE", path).headers["allow"]

    assert (told.status, told.body) == (204, b"")
    assert told.headers["access-control-allow-origin"] == APP
    assert told.headers["access-control-allow-methods"] == told.headers["allow"] == allowed
    assert {"Authorization", "Content-Type", "If-Match", "If-None-Match", "Idempotency-Key", "X-Request-Id"} == listed(
        told, "access-control-allow-headers"
    )
    assert int(told.headers["access-control-max-age"]) > 0
    assert told.headers["vary"] == "Origin"
    assert "access-control-allow-credentials" not in told.headers


@pytest.mark.parametrize("origin", [OTHER, f"{APP}/", "https://app.example.com:8443", "http://app.example.com", "null"])
def test_any_other_page_is_told_nothing(app: Wire, origin: str) -> None:
    refused = preflight(app, "/tasks", origin)
    assert (refused.status, refused.problem) == (405, "method-not-allowed")
    assert refused.headers["allow"] == "GET, HEAD, POST"
    assert not any(name.startswith("access-control-") for name in refused.headers)


def test_a_plain_options_request_is_no_preflight(app: Wire) -> None:
    assert app.send("OPTIONS", "/tasks", headers={"origin": APP}).status == 405
    assert app.send("OPTIONS", "/tasks", headers={"access-control-request-method": "GET"}).status == 405


def test_a_preflight_for_what_is_not_there_is_a_404_that_the_page_can_read(app: Wire) -> None:
    lost = preflight(app, "/nowhere")
    assert (lost.status, lost.headers["access-control-allow-origin"]) == (404, APP)


def test_a_preflight_for_a_foreign_host_is_refused(app: Wire) -> None:
    assert preflight(app, "/tasks", host="evil.example").status == 400


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/livez", 200),
        ("GET", "/tasks", 401),
        ("GET", "/nowhere", 404),
        ("TRACE", "/tasks", 405),
        ("GET", "/openapi.json", 200),
        ("GET", "/tasks?" + "a" * 9000, 414),
    ],
)
def test_a_page_that_may_call_can_read_every_answer(app: Wire, method: str, path: str, status: int) -> None:
    answer = app.send(method, path, headers={"origin": APP})

    assert answer.status == status
    assert answer.headers["access-control-allow-origin"] == APP
    assert answer.headers["vary"] == "Origin"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert {"ETag", "Link", "Location", "Retry-After", "RateLimit", "RateLimit-Policy", "X-Request-Id"} <= listed(
        answer, "access-control-expose-headers"
    )


def test_a_body_that_is_too_large_is_refused_in_a_way_that_the_page_can_read(app: Wire) -> None:
    refused = app.send("POST", "/tasks", b"x" * 300_000, headers={"origin": APP})
    assert (refused.status, refused.headers["access-control-allow-origin"]) == (413, APP)


@pytest.mark.parametrize("headers", [{"origin": OTHER}, {}])
def test_caches_are_told_that_the_answer_depends_on_the_page(app: Wire, headers: dict[str, str]) -> None:
    answer = app.send("GET", "/livez", headers=headers)
    assert answer.headers["vary"] == "Origin"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert not any(name.startswith("access-control-") for name in answer.headers)


def test_with_a_star_every_page_may_call_and_none_with_credentials(store: SqlStore) -> None:
    with serving(store, "*") as wire:
        answer, told = wire.send("GET", "/livez", headers={"origin": OTHER}), preflight(wire, "/tasks", "null")
    for received in (answer, told):
        assert received.headers["access-control-allow-origin"] == "*"
        assert "vary" not in received.headers
        assert "access-control-allow-credentials" not in received.headers
    assert told.status == 204


def test_by_itself_the_api_is_for_pages_of_its_own_origin(wire: Wire) -> None:
    answer = wire.send("GET", "/livez", headers={"origin": APP})
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert not {"vary", "access-control-allow-origin"} & set(answer.headers)
    assert preflight(wire, "/tasks").status == 405


def test_a_preflight_counts_on_no_limit(store: SqlStore) -> None:
    world = World(store, cors_origins=[APP], rate_limit="1/minute")
    with Wire.to(Front(world.responder, threads=1, cors=Cors([APP]))) as wire:
        assert [preflight(wire, "/tasks").status for _ in range(3)] == [204] * 3
        assert wire.send("GET", "/tasks").status == 401


def test_a_page_can_write_with_a_token(app: Wire, ann: Person) -> None:
    headers = {"origin": APP, "authorization": f"Bearer {ann.token}"}
    created = app.send("POST", "/tasks", b'{"title": "a"}', headers={**headers, "content-type": "application/json"})
    assert (created.status, created.headers["access-control-allow-origin"]) == (201, APP)
