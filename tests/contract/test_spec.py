"""The contract by itself, and in step with the code: what is said twice is compared here."""

from __future__ import annotations

import inspect
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator

from tests.contract.parts import NODES, ROOT, every_operation
from tests.world import DOCUMENT
from tracker import app
from tracker.domain.access import ACCESS, Permission, always
from tracker.domain.user import Role
from tracker.edge.document import METHODS, Operation, document_bytes
from tracker.edge.guard import PROBES

if TYPE_CHECKING:
    pass

MODULES = app._MODULES
WHERE_THE_PATH_SAYS_IT_ALL = {
    "logout", "resetUserPassword", "createCalendarFeed", "undoOperation", "archiveTask", "unarchiveTask"
}  # fmt: skip
SECRETS = {("resetUserPassword", "201"), ("createCalendarFeed", "201")}  # nobody is to ask for them again


# The document is one that others can read.


def test_the_document_is_openapi_3_0_4() -> None:
    assert ROOT["openapi"] == "3.0.4"
    OpenAPIV30SpecValidator(ROOT).validate()


def test_the_file_is_the_document_that_is_served() -> None:
    assert (Path(__file__).parents[2] / "spec" / "openapi.yaml").read_bytes() == document_bytes()


def test_names_of_operations_are_camel_case_and_used_once() -> None:
    names = Counter(operation.id for operation in DOCUMENT.operations)
    assert [name for name, count in names.items() if count > 1] == []
    assert all(re.fullmatch(r"[a-z]+([A-Z][a-z]+)*", name) for name in names)


def test_nothing_stands_in_the_document_that_nothing_refers_to() -> None:
    text = document_bytes().decode()
    unused = [
        f"{kind}/{name}"
        for kind, components in ROOT["components"].items()
        if kind != "securitySchemes"
        for name in components
        if f"#/components/{kind}/{name}" not in text
    ]
    assert unused == []


def test_parameters_belong_to_operations_and_not_to_paths() -> None:
    assert all(set(item) <= METHODS for item in ROOT["paths"].values())


# Every operation has its handler, its permission, its answers.


@every_operation
def test_an_operation_says_what_it_is_and_who_handles_it(operation: Operation) -> None:
    node = NODES[operation.id]

    assert node["summary"] or node["description"]
    assert node["tags"] == [operation.tag]
    assert operation.tag in {tag["name"] for tag in ROOT["tags"]}
    assert app.handler_of(operation.id, operation.tag).__module__ == MODULES[operation.tag].__name__


@every_operation
def test_an_operation_names_a_permission_of_the_access_table_or_is_public(operation: Operation) -> None:
    if operation.public:
        assert operation.permission is None
    else:
        assert operation.permission in set(ACCESS)


def snake(name: str) -> str:
    return re.sub(r"[A-Z]", lambda letter: f"_{letter[0].lower()}", name)


@pytest.mark.parametrize(("tag", "module"), MODULES.items())
def test_every_public_function_of_a_module_is_an_operation_of_its_tag(tag: str, module: Any) -> None:
    functions = {
        name
        for name, function in vars(module).items()
        if inspect.isfunction(function) and function.__module__ == module.__name__ and not name.startswith("_")
    }
    assert functions == {snake(operation.id) for operation in DOCUMENT.operations if operation.tag == tag}
    assert all("Reply" in str(inspect.signature(getattr(module, name)).return_annotation) for name in functions)


def test_every_permission_is_asked_for_by_an_operation_or_a_handler() -> None:
    by_operations = {operation.permission for operation in DOCUMENT.operations}
    by_handlers = set(re.findall(r"Permission\.(\w+)", "".join(inspect.getsource(m) for m in MODULES.values())))
    assert [p for p in Permission if p not in by_operations and p.name not in by_handlers] == []


@every_operation
def test_a_handler_asks_for_the_permission_its_operation_names(operation: Operation) -> None:
    source = inspect.getsource(app.handler_of(operation.id, operation.tag))
    asked = {Permission[name].value for name in re.findall(r"actor\.\w+\(Permission\.(\w+)", source)}
    assert asked <= {operation.permission, Permission.MAKE_ADMIN.value}


def brought_by_the_permission(operation: Operation) -> set[str]:
    """Return 403 where a role lacks it, or its condition can fail on what one sees (else that is a 404)."""
    if operation.permission is None:
        return set()
    conditions, writes = ACCESS[Permission(operation.permission)], operation.method != "GET"
    sure = operation.permission.endswith(":read") or set(conditions.values()) == {always}
    missing = {"403"} if set(conditions) != set(Role) or not sure else set()
    return missing | ({"409"} if writes else set())


@every_operation
def test_an_operation_declares_the_refusals_that_what_it_has_brings(operation: Operation) -> None:
    declared = set(NODES[operation.id]["responses"])
    expected = {"400"}  # a host that is not served, a parameter nobody knows
    if operation.body is not None:
        expected |= {"408", "413", "415"}
    if not operation.public or operation.id == "registerUser":
        expected |= {"401"}
    if any(parameter.place == "path" for parameter in operation.parameters):
        expected |= {"404"}
    if operation.id != "getLiveness":  # asks nothing of anything else
        expected |= {"503"}
    expected |= brought_by_the_permission(operation)
    assert expected <= declared
    assert not {"422", "500", "default"} & declared


@every_operation
def test_an_operation_succeeds_in_one_way_unless_it_puts_what_may_be_there_already(operation: Operation) -> None:
    successes = sorted(status for status in NODES[operation.id]["responses"] if status.startswith("2"))
    assert len(successes) == 1 or (operation.method == "PUT" and successes == ["200", "201"])


@every_operation
def test_only_writing_operations_have_bodies(operation: Operation) -> None:
    if operation.method in {"GET", "DELETE"}:
        assert operation.body is None
    elif operation.id not in WHERE_THE_PATH_SAYS_IT_ALL:
        assert NODES[operation.id]["requestBody"]["required"] is True


@every_operation
def test_every_answer_of_an_operation_carries_the_headers_that_are_promised(operation: Operation) -> None:
    required = {"401": "WWW-Authenticate", "429": "Retry-After", "503": "Retry-After", "201": "ETag"}
    for status, node in NODES[operation.id]["responses"].items():
        headers = DOCUMENT.resolved(node).get("headers", {})
        assert "X-Request-Id" in headers
        if (operation.id, status) not in SECRETS:
            assert required.get(status, "X-Request-Id") in headers


@every_operation
def test_an_operation_can_be_asked_too_often_unless_it_is_a_probe(operation: Operation) -> None:
    assert ("429" in NODES[operation.id]["responses"]) is (operation.path not in PROBES)


@every_operation
def test_what_anybody_may_write_has_a_rate_limit_of_its_own(operation: Operation) -> None:
    if operation.public and operation.method not in {"GET", "HEAD"}:
        assert operation.rate_limit in {"login", "register", "refresh", "password"}


def test_a_new_task_says_where_it_is() -> None:
    assert "Location" in NODES["createTask"]["responses"]["201"]["headers"]


def test_the_probes_are_paths_of_the_contract() -> None:
    assert {o.path for o in DOCUMENT.operations if o.tag == "Health"} == PROBES
