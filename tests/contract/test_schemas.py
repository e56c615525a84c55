"""What the contract says of values: each is bounded, its examples are true, and the domain says the same."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.parts import CONTENTS, EVERY_SCHEMA, NODES, ROOT, SCHEMAS, every_operation, schemas
from tests.world import DOCUMENT
from tracker.api.representations import Filters
from tracker.domain.notification import NotificationKind
from tracker.domain.project import ProjectKind, ProjectRole
from tracker.domain.query import DEFAULT_LIMIT, Archived, Order, SortKey, TaskFilter
from tracker.domain.reminder import ReminderKind
from tracker.domain.task import Priority, Status
from tracker.domain.user import Role, UserStatus
from tracker.edge.document import Operation
from tracker.edge.problems import KINDS
from tracker.edge.validation import compiled
from tracker.store.records import LOGGED

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    of_others = {"exportTasks 200": "text/csv", "getCalendar 200": "text/calendar"}
    assert list(content) == ["application/problem+json" if status >= 400 else of_others.get(where, "application/json")]


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
    if "oneOf" in schema:
        return _from_members(schema["oneOf"][0])
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


def test_a_value_that_is_no_name_has_one_for_sdks() -> None:
    enums = [schema for schema in EVERY_SCHEMA.values() if "enum" in schema and schema["enum"] != [None]]
    for schema in enums:
        names = schema.get("x-enum-varnames", schema["enum"])
        assert all(re.fullmatch("[A-Za-z][A-Za-z0-9 _-]*", name) for name in names), names
        assert len(set(names)) == len(schema["enum"])


def test_a_kind_of_problem_is_called_what_its_page_is() -> None:
    kinds = SCHEMAS["Problem"]["properties"]["type"]
    slugs = [kind.removeprefix("/problems/") for kind in kinds["enum"]]
    assert kinds["x-enum-varnames"] == [slug.upper().replace("-", "_") for slug in slugs]


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
        (ReminderKind, SCHEMAS["ReminderKind"]),
        (NotificationKind, SCHEMAS["NotificationKind"]),
    ],
)
def test_the_words_of_the_domain_are_the_words_of_the_contract(enum: Any, schema: dict[str, Any]) -> None:
    assert [str(member) for member in enum] == schema["enum"]


KINDS_OF_CHANGE = SCHEMAS["Change"]["discriminator"]["mapping"]


def kind_of_change(entity: str) -> dict[str, Any]:
    """Return the schema that the discriminator names for an entity."""
    schema: dict[str, Any] = SCHEMAS[KINDS_OF_CHANGE[entity].rpartition("/")[2]]
    return schema


def test_each_kind_of_thing_that_is_logged_has_a_kind_of_change_in_the_contract() -> None:
    assert set(KINDS_OF_CHANGE) == set(LOGGED)
    assert [kind["$ref"] for kind in SCHEMAS["Change"]["oneOf"]] == list(KINDS_OF_CHANGE.values())


@pytest.mark.parametrize("entity", KINDS_OF_CHANGE)
def test_a_kind_of_change_names_its_entity_and_nothing_else(entity: str) -> None:
    assert kind_of_change(entity)["properties"]["entity"]["enum"] == [entity]


def test_the_kinds_of_change_differ_in_what_changed_alone() -> None:
    kinds = [kind_of_change(entity) for entity in KINDS_OF_CHANGE]
    own = {"entity", "entity_id", "before", "after"}
    common = [{name: part for name, part in kind["properties"].items() if name not in own} for kind in kinds]
    assert all(part == common[0] for part in common)
    assert all(kind["required"] == list(kind["properties"]) for kind in kinds)


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("entity", KINDS_OF_CHANGE)
def test_what_is_in_a_change_is_of_its_kind_and_no_other(side: str, entity: str) -> None:
    record = kind_of_change(entity)["example"]["after"]
    sides = {name: kind_of_change(name)["properties"][side] for name in KINDS_OF_CHANGE}
    assert [name for name, way in sides.items() if compiled(DOCUMENT.inlined(way)).is_valid(record)] == [entity]


def test_a_page_is_as_long_by_itself_as_the_domain_says() -> None:
    assert ROOT["components"]["parameters"]["Limit"]["schema"]["default"] == DEFAULT_LIMIT
    assert SCHEMAS["TaskPage"]["properties"]["items"]["maxItems"] == 200
    assert ROOT["components"]["parameters"]["Limit"]["schema"]["maximum"] == 200


def test_a_task_can_be_made_of_and_changed_in_the_same_members() -> None:
    made = SCHEMAS["TaskCreation"]["properties"]
    assert set(made) == set(SCHEMAS["TaskPatch"]["properties"])
    assert SCHEMAS["TaskPatch"]["properties"] == SCHEMAS["TaskReplacement"]["properties"]
    assert all(SCHEMAS["Task"]["properties"][name] == member for name, member in made.items())


def test_tasks_are_filtered_and_sorted_by_what_the_contract_names() -> None:
    listing = next(operation for operation in DOCUMENT.operations if operation.id == "listTasks")
    asked = {parameter.name: parameter.schema for parameter in listing.parameters if parameter.place == "query"}
    assert set(Filters.__annotations__) == set(asked) - {"sort", "limit", "cursor"}
    table = next(operation for operation in DOCUMENT.operations if operation.id == "exportTasks")
    assert {parameter.name for parameter in table.parameters if parameter.place == "query"} == {*asked} - {
        "limit",
        "cursor",
    }
    orders = [Order.named(name) for name in asked["sort"]["enum"]]
    assert sorted(orders, key=str) == sorted((Order(k, d) for k in SortKey for d in (False, True)), key=str)
    assert Order.named(asked["sort"]["default"]) == Order()
    assert asked["archived"]["enum"] == list(Archived)
    assert Archived(asked["archived"]["default"]) is TaskFilter().archived
