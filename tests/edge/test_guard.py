"""The guard by itself: hosts, paths, and what it lets through."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.world import DOCUMENT, World
from tracker.edge.call import Call
from tracker.edge.guard import MAX_TARGET, Guard
from tracker.edge.problems import BadRequest, MethodNotAllowed, NoSuchPath, UriTooLong

ID = "0192f3a4-5b6c-7d8e-9f00-112233445566"


def guard(*hosts: str) -> Guard:
    return Guard(DOCUMENT.operations, hosts=hosts or ("*",))


def a_call(method: str = "GET", path: str = "/tasks", query: bytes = b"", **headers: str) -> Call:
    return Call(method, path, query, {"host": "localhost", **headers}, "id")


@pytest.mark.parametrize(
    ("known", "host"),
    [
        ("localhost", "localhost"),
        ("localhost", "localhost:8000"),
        ("localhost", "LOCALHOST"),
        ("127.0.0.1", "127.0.0.1:80"),
        ("[::1]", "[::1]"),
        ("[::1]", "[::1]:8000"),
        ("*.example.com", "a.example.com"),
        ("*.example.com", "a.b.EXAMPLE.com:443"),
        ("*", "anything.at.all"),
        ("*", "[2001:db8::1]:8000"),
    ],
)
def test_a_host_that_is_served_is_let_through(known: str, host: str) -> None:
    guard("other.example.org", known).check_target(a_call(host=host))


@pytest.mark.parametrize(
    ("known", "host"),
    [
        ("localhost", ""),
        ("localhost", "evil.example"),
        ("localhost", "localhost.evil.example"),
        ("localhost", "notlocalhost"),
        ("localhost", "localhost:"),
        ("localhost", "localhost:80:80"),
        ("localhost", "localhost:123456"),
        ("localhost", "localhost:x"),
        ("localhost", "localhost, evil.example"),
        ("localhost", "localhost@evil.example"),
        ("localhost", "user@localhost"),
        ("localhost", "localhost/"),
        ("localhost", " localhost"),
        ("localhost", "localhost\0"),
        ("localhost", "localhost:\u0661"),
        ("*.example.com", "example.com"),
        ("*.example.com", "evilexample.com"),
        ("*.example.com", "a.example.com.evil"),
        ("*", ""),
    ],
)
def test_a_host_that_is_not_is_refused_without_naming_it(known: str, host: str) -> None:
    with pytest.raises(BadRequest) as refused:
        guard(known).check_target(a_call(host=host))
    assert refused.value.errors == [{"parameter": "host", "rule": "is sent once and names a host this server serves"}]


def test_a_request_without_a_host_is_refused() -> None:
    with pytest.raises(BadRequest):
        guard("*").check_target(Call("GET", "/tasks", b"", {}, "id"))


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_a_probe_knows_the_process_by_an_address_of_its_own(world: World, path: str) -> None:
    assert world.client.get(path, headers={"host": "10.1.2.3:8000"}).status == 200
    assert world.client.get(path, headers={"host": ""}).status == 200


@pytest.mark.parametrize("path", ["/tasks", "/me", "/docs", "/openapi.yaml", "/", "/problems/not-found", "/nowhere"])
def test_everything_else_is_for_the_hosts_that_are_allowed(world: World, path: str) -> None:
    refused = world.client.get(path, headers={"host": "evil.example"})

    assert (refused.status, set(refused.errors)) == (400, {"host"})
    assert "evil" not in refused.body.decode()


@pytest.mark.parametrize("operation", DOCUMENT.operations, ids=lambda operation: operation.id)
def test_every_operation_is_found_by_its_path_and_method(operation: object) -> None:
    wanted = next(o for o in DOCUMENT.operations if o == operation)
    call = a_call(wanted.method, wanted.path.replace("{task_id}", ID))
    call.headers["content-type"] = "application/json"

    assert guard().admit(call) == wanted


def test_a_path_that_is_spelled_out_goes_before_one_with_a_parameter() -> None:
    spelled, parametrised = DOCUMENT.operations[0], replace(DOCUMENT.operations[0], path="/{anything}")
    assert spelled.path == "/tasks"
    for order in ((spelled, parametrised), (parametrised, spelled)):
        assert Guard(order, hosts=("*",)).admit(a_call()) is spelled


@pytest.mark.parametrize(
    "path", ["", "*", "tasks", "x/tasks", "//tasks", "/login/", "/tasks//x", "/tasks/a\0b", f"/{ID}"]
)
def test_a_path_is_compared_segment_by_segment_from_its_first_slash(path: str) -> None:
    for method in ("GET", "OPTIONS"):
        with pytest.raises(NoSuchPath):
            guard().admit(a_call(method, path))


def test_a_method_that_is_not_there_is_answered_with_those_that_are() -> None:
    with pytest.raises(MethodNotAllowed) as refused:
        guard().admit(a_call("TRACE", f"/tasks/{ID}"))
    assert refused.value.allow == ("DELETE", "GET", "HEAD", "PATCH", "PUT")


def test_the_length_of_a_target_is_counted_with_its_query() -> None:
    path = "/" + "a" * 3999
    guard().check_target(a_call(path=path, query=b"x" * (MAX_TARGET - 4000)))
    with pytest.raises(UriTooLong):
        guard().check_target(a_call(path=path, query=b"x" * (MAX_TARGET - 3999)))


@pytest.mark.parametrize("coding", ["gzip, chunked", "identity", "chunked, chunked", "xchunked", "chunked\x0b", ""])
def test_a_body_is_transferred_in_chunks_or_with_a_length(world: World, coding: str) -> None:
    refused = world.client.post("/tasks", {"title": "a"}, headers={"transfer-encoding": coding})
    assert (refused.status, set(refused.errors)) == (400, {"transfer-encoding"})
