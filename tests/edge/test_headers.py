"""What every answer carries, whoever made it: an id, and what keeps a browser from making more of it than it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.client import Received
from tests.edge.wire import Wire, exchange, live, pieces, scope
from tests.world import World
from tracker.domain.identity import new_id
from tracker.edge import front as module
from tracker.edge.addresses import Proxies
from tracker.edge.bodies import MAX_BODY
from tracker.edge.call import Answer
from tracker.edge.front import Front

ALWAYS = {"x-content-type-options": "nosniff", "referrer-policy": "no-referrer"}
PROXY, CLIENT = "10.0.0.1", "198.51.100.7"


def assert_carries_what_every_answer_does(received: Received) -> None:
    assert received.headers.items() >= ALWAYS.items()
    assert "frame-ancestors 'none'" in received.headers["content-security-policy"]
    assert "default-src 'none'" in received.headers["content-security-policy"]
    assert received.headers["cross-origin-resource-policy"] == "same-origin"
    assert received.headers["x-request-id"]
    assert "strict-transport-security" not in received.headers
    assert not {"server", "x-powered-by"} & received.headers.keys()


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("GET", "/tasks", 200),
        ("HEAD", "/tasks", 200),
        ("GET", "/docs", 200),
        ("GET", "/", 307),
        ("GET", "/livez", 200),
        ("GET", "/tasks?limit=0", 400),
        ("GET", "/nowhere", 404),
        ("TRACE", "/tasks", 405),
        ("GET", "/tasks?" + "a" * 9000, 414),
        ("POST", "/logout", 204),
    ],
)
def test_an_answer_carries_them_whatever_was_asked(world: World, method: str, target: str, status: int) -> None:
    with Wire.to(Front(world.responder, threads=1), token=world.person(f"ann{new_id()}").token) as wire:
        answer = wire.send(method, target)
    assert answer.status == status
    assert_carries_what_every_answer_does(answer)


def test_refusals_carry_them_too(wire: Wire) -> None:
    unknown = wire.send("GET", "/tasks", anonymous=True)
    too_large = wire.send("POST", "/tasks", b"x" * (MAX_BODY + 1))
    no_json = wire.send("POST", "/tasks", b"x", headers={"content-type": "text/plain"})
    assert [answer.status for answer in (unknown, too_large, no_json)] == [401, 413, 415]
    for answer in (unknown, too_large, no_json):
        assert_carries_what_every_answer_does(answer)


def test_a_body_that_never_comes_is_refused_with_them(world: World) -> None:
    async def never() -> AsyncIterator[dict[str, Any]]:
        await asyncio.Event().wait()
        yield {}

    front = Front(world.responder, threads=1, body_deadline=0.01)
    refused = asyncio.run(exchange(front, scope("POST", "/tasks", [b""]), never()))
    asyncio.run(live(front, "shutdown"))
    assert refused.status == 408
    assert_carries_what_every_answer_does(refused)


def test_whoever_is_told_to_come_again_is_told_with_them(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_IN_FLIGHT", 0)
    with Wire.to(Front(world.responder, threads=1)) as wire:
        refused = wire.send("GET", "/tasks")
    assert refused.status == 503
    assert_carries_what_every_answer_does(refused)


def test_a_bug_is_answered_with_them(world: World, caplog: pytest.LogCaptureFixture) -> None:
    responder = World(world.store).responder
    responder._stack = lambda _: Answer(1 // 0)
    with Wire.to(Front(responder, threads=1)) as wire:
        broken = asyncio.run(exchange(wire.front, scope("GET", "/tasks"), pieces(None)))
    assert (broken.status, broken.problem) == (500, "internal-error")
    assert "ZeroDivisionError" in caplog.text
    assert_carries_what_every_answer_does(broken)


def test_whoever_is_refused_for_asking_too_often_is_so_with_them(world: World) -> None:
    with Wire.to(Front(World(world.store, rate_limit="1/hour").responder, threads=1)) as wire:
        wire.send("GET", "/tasks")
        refused = wire.send("GET", "/tasks")
    assert refused.status == 429
    assert_carries_what_every_answer_does(refused)


@pytest.mark.parametrize(
    ("peer", "said", "asked"), [(PROXY, "https", True), (PROXY, "http", False), (CLIENT, "https", False)]
)
def test_a_browser_is_told_to_stay_with_tls_where_it_came_by_tls(
    world: World, peer: str, said: str, *, asked: bool
) -> None:
    with Wire.to(Front(world.responder, threads=1, proxies=Proxies([PROXY]))) as wire:
        for target in ("/livez", "/docs", "/nowhere"):
            answer = wire.send("GET", target, headers={"x-forwarded-proto": said}, peer=peer)
            assert (answer.headers.get("strict-transport-security") == "max-age=31536000") is asked
