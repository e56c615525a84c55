"""Connexion and Flask in one thread: built once, never waiting, fed by the contract alone, and pinned."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from importlib.metadata import version
from threading import Barrier
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from connexion.apps.flask import FlaskApi, FlaskASGIApp
from connexion.middleware import ConnexionMiddleware
from connexion.middleware.abstract import ROUTING_CONTEXT, SpecMiddleware
from connexion.middleware.security import SecurityAPI, SecurityOperation
from connexion.security import NO_VALUE, BearerSecurityHandler

from tests.world import DOCUMENT, NOON, Person, World
from tracker import app
from tracker.api.reply import Reply
from tracker.domain.refusals import Unauthenticated
from tracker.edge import flask_in_place
from tracker.edge import stack as stack_module
from tracker.edge.call import CALL, Answer, Call
from tracker.edge.commits import Carrier, Misfit
from tracker.edge.document import Document, Operation, document_bytes
from tracker.edge.flask_in_place import FlaskInPlace
from tracker.edge.idempotency import Records
from tracker.edge.problems import BadRequest, NoSuchPath
from tracker.edge.security import Actors, Bearer
from tracker.edge.stack import Contract, Stack
from tracker.edge.tokens import AccessTokens
from tracker.keys import KeyRing, secret_key

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE = 60
ID = "0192f3a4-5b6c-7d8e-9f00-112233445566"


def stack_of(world: World) -> Stack:
    stack = world.responder._stack
    assert isinstance(stack, Stack)
    return stack


def a_call(method: str = "GET", path: str = "/livez", **members: Any) -> Call:
    return Call(method, path, b"", {"host": "localhost"}, "id", **members)


# Nothing that Connexion did not route reaches Flask.


@pytest.mark.parametrize(
    "path",
    ["//tasks", "//livez", "///livez", f"//tasks/{ID}", "/nowhere", "livez", "/tasks/a/b", "/openapi.json", "/ui/"],
)
def test_the_stack_by_itself_takes_no_path_that_connexion_did_not_route(world: World, ann: Person, path: str) -> None:
    for headers in ({}, {"authorization": f"Bearer {ann.token}"}):
        with pytest.raises(NoSuchPath):
            stack_of(world)(Call("GET", path, b"", headers, "id"))


@pytest.mark.parametrize("routing", [{}, {ROUTING_CONTEXT: {}}, {ROUTING_CONTEXT: {"operation_id": None}}])
def test_what_was_not_routed_is_stopped_before_flask(routing: dict[str, Any]) -> None:
    async def flask(*_: object) -> None:
        raise AssertionError("Flask was asked")

    scope = {"extensions": {CALL: a_call(), **routing}, "path_params": {}}
    with pytest.raises(NoSuchPath):
        asyncio.run(Contract(flask, {})(scope, flask, flask))  # type: ignore[arg-type]  # neither is asked


def test_flask_goes_where_connexion_routed_and_asks_no_router_of_its_own(world: World) -> None:
    """Werkzeug alone would take //livez for /livez; what Connexion did not route has no way through Flask."""
    flask = stack_of(world)._owner.app
    assert isinstance(flask, FlaskInPlace)
    context = flask.app.request_context(flask_in_place._environ({"extensions": {CALL: a_call(path="//livez")}}))
    with pytest.raises(KeyError):
        contextvars.copy_context().run(context.push)


@pytest.mark.parametrize("operation", DOCUMENT.operations, ids=lambda operation: operation.id)
def test_what_the_guard_has_found_is_where_connexion_goes_by_itself(operation: Operation) -> None:
    def endpoint(at: str) -> Callable[[Call], Answer]:
        return lambda call: Answer(200, (), f"{at} {call.claims} {call.arguments}".encode())

    bearer = _Anybody(AccessTokens(KeyRing(secret_key("k" * 40)), lifetime=timedelta(minutes=10)), lambda: NOON)
    stack = Stack(DOCUMENT, {o.id: endpoint(o.id) for o in DOCUMENT.operations}, bearer)
    answers = []
    for found in (None, operation):
        call = a_call(operation.method, _with_ids(operation.path), body=b"{}", operation=found)
        try:
            answers.append(stack(call).body)
        except BadRequest as refused:  # the body is not what the contract asks for, or nothing is asked
            answers.append(str(refused.errors).encode())
    assert answers[0] == answers[1]


def test_what_the_guard_would_mistake_goes_the_long_way(world: World) -> None:
    mistaken = next(o for o in DOCUMENT.operations if o.id == "getMe")
    assert stack_of(world)(a_call(operation=mistaken)).status == 200
    with pytest.raises(NoSuchPath):
        stack_of(world)(a_call(path="/nowhere", operation=mistaken))


def test_nothing_is_registered_that_flask_would_run_around_an_operation() -> None:
    """Our Flask does not look for any of it: whatever were registered would never run."""
    made = Stack(DOCUMENT, {o.id: _answers for o in DOCUMENT.operations}, _bearer())
    flask = made._owner.app.app
    assert not flask.url_value_preprocessors
    assert not flask.before_request_funcs
    assert not flask.after_request_funcs
    assert not flask.teardown_request_funcs
    assert not flask.teardown_appcontext_funcs
    assert not any(inspect.iscoroutinefunction(view) for view in flask.view_functions.values())


class _Anybody(Bearer):
    def claims(self, _call: Call) -> dict[str, Any] | None:
        return {"sub": "somebody"}


def _with_ids(path: str) -> str:
    return re.sub(r"{\w+}", ID, path)


# The chain runs to its end in one thread.


def test_a_middleware_that_would_wait_is_caught(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    chain = stack_of(world)._chain

    async def waits(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(0)
        await chain(scope, receive, send)

    monkeypatch.setattr(stack_of(world), "_chain", waits)
    with pytest.raises(RuntimeError, match="waited"):
        stack_of(world)(a_call())
    assert world.responder(a_call()).status == 500
    monkeypatch.undo()
    assert world.responder(a_call()).status == 200


def test_nobody_in_the_chain_reads_the_body() -> None:
    with pytest.raises(RuntimeError, match="in the call"):
        asyncio.run(stack_module._nothing_to_receive())


def test_what_one_request_leaves_behind_is_not_there_for_the_next(world: World) -> None:
    """Granian gives all requests of a process one ``extensions`` dict, where Connexion keeps who asks for what."""
    one, other = world.person("one-after"), world.person("the-other")
    assert world.of(one).get("/me").json["username"] == "one-after"
    assert world.client.get("/me").status == 401
    assert world.of(other).get("/me").json["username"] == "the-other"


@pytest.mark.parametrize("operation", DOCUMENT.operations, ids=lambda operation: operation.id)
def test_no_operation_waits_whoever_asks_and_whatever_they_send(world: World, operation: Operation) -> None:
    path = operation.path.replace("{task_id}", ID)
    for client in (world.client, world.client.as_("bad"), world.of(world.person(f"somebody-{operation.id}"))):
        for raw in (b"", b"{}", b'{"title": "a"}', b"{"):
            # logout ends a session: the rest of the round is refused, which is an answer too
            assert client.request(operation.method, path, raw=raw).status < 500


def test_a_bug_in_a_handler_is_a_500_that_tells_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(_: object) -> Answer:
        raise LookupError("a secret of the house")

    monkeypatch.setattr(world.responder, "_stack", fails)
    answer = world.responder(a_call())

    assert answer.status == 500
    assert b"secret" not in answer.body
    assert "request id failed" in caplog.text
    assert "a secret of the house" in caplog.text


def test_the_chain_is_built_once_and_is_ready_for_many_first_requests() -> None:
    made = Stack(Document(document_bytes()), {o.id: _answers for o in DOCUMENT.operations}, _bearer())
    chain, ready = made._chain, Barrier(32, timeout=PATIENCE)

    def ask(_: int) -> int:
        ready.wait()
        return made(a_call()).status

    with ThreadPoolExecutor(32) as threads:
        assert list(threads.map(ask, range(32))) == [200] * 32
    assert made._chain is chain


def test_two_stacks_of_a_document_share_the_chain_and_neither_endpoints_nor_tokens() -> None:
    refused = Bearer(AccessTokens(KeyRing(secret_key("x" * 40)), lifetime=timedelta(minutes=10)), lambda: NOON)
    one = Stack(DOCUMENT, {o.id: _answers for o in DOCUMENT.operations}, _bearer())
    other = Stack(DOCUMENT, {o.id: _answers_otherwise for o in DOCUMENT.operations}, refused)

    assert one._chain is other._chain
    assert (one(a_call()).status, other(a_call()).status) == (200, 202)


def test_one_call_sees_nothing_of_another(world: World) -> None:
    people = [world.person(f"person-{n}") for n in range(8)]
    ready = Barrier(len(people), timeout=PATIENCE)

    def ask(person: Person) -> bool:
        ready.wait()
        mine = world.of(person)
        return all(mine.get("/me").json["username"] == person.user.username for _ in range(20))

    with ThreadPoolExecutor(len(people)) as threads:
        assert all(threads.map(ask, people))


# The contract and the code fit each other, or nothing starts.


def _answers(_: Call) -> Answer:
    return Answer(200, ((b"content-type", b"application/json"),), b"{}")


def _answers_otherwise(_: Call) -> Answer:
    return Answer(202, ((b"content-type", b"application/json"),), b"{}")


def _bearer() -> Bearer:
    return Bearer(AccessTokens(KeyRing(secret_key("k" * 40)), lifetime=timedelta(minutes=10)), lambda: NOON)


def carrier(world: World, operation_id: str, handler: Callable[..., Reply], **collaborators: Any) -> Carrier:
    operation = next(o for o in DOCUMENT.operations if o.id == operation_id)
    return Carrier(
        operation,
        handler,
        store=world.store,
        actors=Actors(world.store, world.clock),
        clock=world.clock,
        records=Records("k" * 40),
        collaborators=collaborators,
    )


def forgets_the_body(task_id: str) -> Reply:
    return Reply()


def asks_for_more(task_id: str, body: object, colour: str) -> Reply:
    return Reply()


def spells_it_otherwise(taskId: str, body: object) -> Reply:  # noqa: N803 - that is the mistake
    return Reply()


@pytest.mark.parametrize(
    ("handler", "named"),
    [(forgets_the_body, "body"), (asks_for_more, "colour"), (spells_it_otherwise, "taskId, task_id")],
)
def test_a_handler_takes_what_the_contract_declares_and_nothing_else(
    world: World, handler: Callable[..., Reply], named: str
) -> None:
    with pytest.raises(Misfit, match=f"updateTask: {named} is not both declared and taken"):
        carrier(world, "updateTask", handler)


def test_a_handler_may_take_what_the_edge_hands_over(world: World) -> None:
    def takes_all(task_id: str, body: object, actor: object, store: object) -> Reply:
        return Reply()

    carrier(world, "updateTask", takes_all, tokens=object())


def altered(change: Callable[[dict[str, Any]], object]) -> bytes:
    root = yaml.safe_load(document_bytes())
    change(root)
    return yaml.safe_dump(root).encode()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda root: root["paths"]["/tasks"]["get"].pop("x-permission"), "listTasks names no x-permission"),
        (lambda root: root["paths"]["/me"]["get"].update({"x-permission": "account:rule"}), "account:rule"),
        (lambda root: root["paths"]["/me"]["get"].update(operationId="getThee"), "getThee has no handler get_thee"),
        (lambda root: root["paths"]["/me"]["get"].update(tags=["Mirrors"]), "getMe has no handler get_me"),
        (
            lambda root: root["paths"]["/me"]["get"].update(parameters=[{"$ref": "#/components/parameters/Limit"}]),
            "limit",
        ),
    ],
    ids=["no permission", "an unknown permission", "no handler", "no module", "a parameter nobody takes"],
)
def test_a_contract_the_code_does_not_keep_stops_the_start_up(
    world: World, monkeypatch: pytest.MonkeyPatch, change: Callable[[dict[str, Any]], object], named: str
) -> None:
    monkeypatch.setattr(app, "contract", lambda: Document(altered(change)))
    with pytest.raises((Misfit, ValueError), match=named):
        app.responder(world.settings, world.store)


def test_an_operation_without_an_endpoint_stops_the_start_up() -> None:
    endpoints = {o.id: _answers for o in DOCUMENT.operations if o.id != "getMe"}
    with pytest.raises(KeyError, match="getMe"):
        Stack(DOCUMENT, endpoints, _bearer())


def test_an_operation_that_needs_a_token_never_runs_without_one(world: World) -> None:
    for operation in DOCUMENT.operations:
        if not operation.public:
            path = operation.path.replace("{task_id}", ID)
            with pytest.raises(Unauthenticated):
                stack_of(world)(a_call(operation.method, path, body=b"{}"))


# What is private to Connexion, and may change with any version of it.


def test_the_versions_are_the_ones_whose_insides_are_known() -> None:
    assert (version("connexion"), version("starlette"), version("flask")) == ("3.3.0", "1.10.0", "3.1.3")


def test_the_private_names_the_stack_is_built_on_are_there() -> None:
    assert ROUTING_CONTEXT == "connexion_routing"
    assert list(inspect.signature(ConnexionMiddleware._build_middleware_stack).parameters) == ["self"]
    assert list(inspect.signature(FlaskApi.make_operation).parameters) == ["self", "operation"]
    assert issubclass(FlaskASGIApp, SpecMiddleware)
    assert issubclass(Contract, SpecMiddleware)
    assert list(inspect.signature(BearerSecurityHandler.get_fn).parameters)[1:] == [
        "security_scheme",
        "required_scopes",
    ]
    assert NO_VALUE is not None
    assert list(inspect.signature(SecurityAPI.make_operation).parameters) == ["self", "operation"]
    assert inspect.signature(SecurityOperation.from_operation).parameters.keys() == {
        "operation",
        "next_app",
        "security_handler_factory",
    }


def test_only_the_middlewares_that_are_asked_for_are_in_the_chain(world: World) -> None:
    owner = stack_of(world)._owner
    assert [getattr(made, "func", made).__name__ for made in owner.middlewares] == [
        "RoutingMiddleware",
        "_Security",
        "Contract",
    ]
