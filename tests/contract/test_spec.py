"""The contract by itself, and in step with the code: what is said twice is compared here."""

from __future__ import annotations

import inspect
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator

from tests.world import DOCUMENT
from tracker import app
from tracker.api.representations import Filters
from tracker.domain.access import ACCESS, Permission, always
from tracker.domain.project import ProjectKind, ProjectRole
from tracker.domain.query import DEFAULT_LIMIT, Archived, Order, SortKey, TaskFilter
from tracker.domain.task import Priority, Status
from tracker.domain.user import Role, UserStatus
from tracker.edge.document import METHODS, Operation, document_bytes
from tracker.edge.front import LIVENESS
from tracker.edge.guard import PROBES
from tracker.edge.problems import KINDS
from tracker.edge.validation import compiled

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: dict[str, Any] = DOCUMENT.root
SCHEMAS: dict[str, Any] = ROOT["components"]["schemas"]
MODULES = app._MODULES
NODES = {o.id: ROOT["paths"][o.path][o.method.lower()] for o in DOCUMENT.operations}
NOT_A_SCHEMA = ("securitySchemes/bearerAuth", "/properties")
every_operation = pytest.mark.parametrize("operation", DOCUMENT.operations, ids=lambda operation: operation.id)


def schemas(node: Any, where: str = "#") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each schema there is in a part of the document, with the place where it stands; examples are none."""
    if isinstance(node, dict) and isinstance(node.get("type"), str) and not where.endswith(NOT_A_SCHEMA):
        yield where, node
    parts = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, part in parts:
        if key not in {"example", "examples", "enum", "links"}:
            yield from schemas(part, f"{where}/{key}")


EVERY_SCHEMA = dict(schemas(ROOT))


def contents() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each body of a request and an answer, with its place."""
    for name, node in NODES.items():
        if "requestBody" in node:
            yield f"{name} request", node["requestBody"]["content"]
        for status, response in node["responses"].items():
            if content := DOCUMENT.resolved(response).get("content"):
                yield f"{name} {status}", content


CONTENTS = dict(contents())


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
    elif operation.id not in {"logout", "resetUserPassword", "undoOperation"}:  # the path says it all
        assert NODES[operation.id]["requestBody"]["required"] is True


@every_operation
def test_every_answer_of_an_operation_carries_the_headers_that_are_promised(operation: Operation) -> None:
    required = {"401": "WWW-Authenticate", "429": "Retry-After", "503": "Retry-After", "201": "ETag"}
    for status, node in NODES[operation.id]["responses"].items():
        headers = DOCUMENT.resolved(node).get("headers", {})
        assert "X-Request-Id" in headers
        if (operation.id, status) != ("resetUserPassword", "201"):  # a secret: nobody is to ask for it again
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
    assert {LIVENESS} <= PROBES == {o.path for o in DOCUMENT.operations if o.tag == "Health"}


# Every value is bounded.


@pytest.mark.parametrize(
    ("where", "schema"), [(w, s) for w, s in EVERY_SCHEMA.items() if s["type"] in {"integer", "number"}]
)
def test_a_number_is_bounded_on_both_sides(where: str, schema: dict[str, Any]) -> None:
    assert schema["type"] == "integer"
    assert schema["minimum"] <= schema["maximum"]
    bits = {"int32": 31, "int64": 63}[schema["format"]]
    assert -(2**bits) <= schema["minimum"]
    assert schema["maximum"] < 2**bits
    assert schema["maximum"] < 2**53  # what a JavaScript client can hold


@pytest.mark.parametrize(("where", "schema"), [(w, s) for w, s in EVERY_SCHEMA.items() if s["type"] == "string"])
def test_a_text_is_bounded_and_says_what_it_is_made_of(where: str, schema: dict[str, Any]) -> None:
    if "enum" in schema:
        return
    assert schema["maxLength"] >= schema.get("minLength", 0)
    assert schema["pattern"].startswith("^")
    assert schema["pattern"].endswith("$")
    assert not compiled(schema).is_valid("\0" * schema.get("minLength", 1)), "takes a NUL"


@pytest.mark.parametrize(("where", "schema"), [(w, s) for w, s in EVERY_SCHEMA.items() if s["type"] == "array"])
def test_a_list_is_bounded(where: str, schema: dict[str, Any]) -> None:
    assert schema["maxItems"] >= 1
    assert schema["items"]


def test_nothing_is_of_a_type_that_has_no_bounds() -> None:
    assert {schema["type"] for schema in EVERY_SCHEMA.values()} <= {"object", "array", "string", "integer", "boolean"}


def test_what_is_not_a_reference_has_a_type() -> None:
    for where, schema in EVERY_SCHEMA.items():
        for name, member in schema.get("properties", {}).items():
            assert "$ref" in member or "type" in member or "oneOf" in member, f"{where}/{name}"


def objects(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for _, node in schemas(schema):
        if node["type"] == "object" and "enum" not in node:
            yield node


@pytest.mark.parametrize("name", [o.id for o in DOCUMENT.operations if o.body])
def test_a_request_body_takes_no_member_that_is_not_declared(name: str) -> None:
    body = next(operation.body for operation in DOCUMENT.operations if operation.id == name)
    assert body is not None
    found = list(objects(body))
    assert found
    assert all(node["additionalProperties"] is False for node in found)


def test_a_parameter_is_of_a_plain_type_or_a_list_of_one_and_never_null() -> None:
    for operation in DOCUMENT.operations:
        for parameter in operation.parameters:
            assert parameter.place in {"path", "query", "header"}
            item = parameter.schema["items"] if parameter.schema["type"] == "array" else parameter.schema
            assert item["type"] in {"string", "integer", "boolean"}
            assert not {"nullable"} & {*parameter.schema, *item}


def test_a_parameter_is_written_in_the_one_way_that_is_read() -> None:
    nodes = [DOCUMENT.resolved(node) for item in NODES.values() for node in item.get("parameters", [])]
    assert [node["name"] for node in nodes if {"style", "explode", "allowReserved", "content"} & set(node)] == []


# One media type a body; examples that are true.


@pytest.mark.parametrize(("where", "content"), CONTENTS.items())
def test_a_body_has_one_media_type(where: str, content: dict[str, Any]) -> None:
    status = int(where.rpartition(" ")[2]) if where[-1].isdigit() else 200
    assert list(content) == ["application/problem+json" if status >= 400 else "application/json"]


@pytest.mark.parametrize(("where", "content"), CONTENTS.items())
def test_a_body_is_a_named_schema_so_that_a_client_has_a_name_for_it(where: str, content: dict[str, Any]) -> None:
    (media,) = content.values()
    assert set(media["schema"]) == {"$ref"}


@pytest.mark.parametrize(("name", "schema"), SCHEMAS.items())
def test_a_schema_has_an_example_that_fits_it(name: str, schema: dict[str, Any]) -> None:
    example = schema["example"] if "example" in schema else _from_members(schema)
    errors = [error.message for error in compiled(DOCUMENT.inlined(schema)).iter_errors(example)]
    assert errors == []


def _from_members(schema: dict[str, Any]) -> Any:
    """Return the example that tools make of the examples of its members, for a schema that has none itself."""
    schema = DOCUMENT.resolved(schema)
    if "example" in schema:
        return schema["example"]
    if schema["type"] == "array":
        return [_from_members(schema["items"])]
    return {name: _from_members(member) for name, member in schema["properties"].items()}


def examples() -> Iterator[tuple[str, Any, dict[str, Any]]]:
    """Yield each example of the document, with its place and its schema."""
    media = [(where, media) for where, content in CONTENTS.items() for media in content.values()]
    parts = [(name, node) for kind in ("parameters", "headers") for name, node in ROOT["components"][kind].items()]
    for where, node in (
        *media,
        *parts,
        *((where, {**schema, "schema": schema}) for where, schema in EVERY_SCHEMA.items()),
    ):
        if "example" in node:
            yield where, node["example"], node["schema"]
        for named in node.get("examples", {}).values():
            yield where, named["value"], node["schema"]


@pytest.mark.parametrize(
    ("where", "example", "schema"), list(examples()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_an_example_fits_what_it_is_an_example_of(where: str, example: Any, schema: dict[str, Any]) -> None:
    errors = [error.message for error in compiled(DOCUMENT.inlined(schema)).iter_errors(example)]
    assert errors == []


def problem_examples() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, response in ROOT["components"]["responses"].items():
        for media_type, media in response.get("content", {}).items():
            if media_type == "application/problem+json":
                yield name, media["example"]


@pytest.mark.parametrize(("name", "problem"), list(problem_examples()))
def test_an_example_of_a_problem_is_one_of_the_catalogue(name: str, problem: dict[str, Any]) -> None:
    kind = next(kind for kind in KINDS.values() if kind.type == problem["type"])
    assert (problem["title"], problem["status"]) == (kind.title, kind.status)


@every_operation
def test_a_declared_problem_has_the_status_it_stands_under(operation: Operation) -> None:
    for status, node in NODES[operation.id]["responses"].items():
        for media_type, media in DOCUMENT.resolved(node).get("content", {}).items():
            if media_type == "application/problem+json":
                assert media["example"]["status"] == int(status)


def test_the_kinds_of_problems_are_those_of_the_catalogue() -> None:
    assert set(SCHEMAS["Problem"]["properties"]["type"]["enum"]) == {kind.type for kind in KINDS.values()}


# What the domain says too.


@pytest.mark.parametrize(
    ("enum", "schema"),
    [
        (Status, SCHEMAS["Status"]),
        (Priority, SCHEMAS["Priority"]),
        (Role, SCHEMAS["Role"]),
        (UserStatus, SCHEMAS["UserStatus"]),
        (ProjectKind, SCHEMAS["ProjectKind"]),
        (ProjectRole, SCHEMAS["ProjectRole"]),
    ],
)
def test_the_words_of_the_domain_are_the_words_of_the_contract(enum: Any, schema: dict[str, Any]) -> None:
    assert [str(member) for member in enum] == schema["enum"]


def test_a_page_is_as_long_by_itself_as_the_domain_says() -> None:
    assert ROOT["components"]["parameters"]["Limit"]["schema"]["default"] == DEFAULT_LIMIT
    assert SCHEMAS["TaskPage"]["properties"]["items"]["maxItems"] == 200
    assert ROOT["components"]["parameters"]["Limit"]["schema"]["maximum"] == 200


def test_a_task_can_be_made_of_and_changed_in_the_same_members() -> None:
    made = SCHEMAS["NewTask"]["properties"]
    assert set(made) == set(SCHEMAS["TaskPatch"]["properties"])
    assert SCHEMAS["TaskPatch"]["properties"] == SCHEMAS["TaskReplacement"]["properties"]
    assert all(SCHEMAS["Task"]["properties"][name] == member for name, member in made.items())


def test_tasks_are_filtered_and_sorted_by_what_the_contract_names() -> None:
    listing = next(operation for operation in DOCUMENT.operations if operation.id == "listTasks")
    asked = {parameter.name: parameter.schema for parameter in listing.parameters if parameter.place == "query"}
    assert set(Filters.__annotations__) == set(asked) - {"sort", "limit", "cursor"}
    orders = [Order.named(name) for name in asked["sort"]["enum"]]
    assert sorted(orders, key=str) == sorted((Order(k, d) for k in SortKey for d in (False, True)), key=str)
    assert Order.named(asked["sort"]["default"]) == Order()
    assert asked["archived"]["enum"] == list(Archived)
    assert Archived(asked["archived"]["default"]) is TaskFilter().archived
