"""The gate of ``make check``: each of its rules is broken once, and what it lets through is seen to pass."""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from spec import gate
from tests.missing import unavailable
from tests.world import DOCUMENT

ROOT = Path(__file__).parents[2]
RULES = yaml.safe_load((ROOT / ".spectral.yaml").read_text(encoding="utf-8"))["rules"]
Json = dict[str, Any]
Fault = Callable[[Json], object]


@pytest.fixture(scope="module", autouse=True)
def _tools() -> None:
    if not gate.installed():
        unavailable("no Redocly and Spectral: `make check` installs them")


# The rules of the house, on a small document.

PROBLEM = {
    "description": "No.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Name"}}},
}


def refusals(*statuses: str) -> Json:
    return {status: {"$ref": "#/components/responses/Refused"} for status in statuses}


SMALL: Json = {
    "openapi": "3.0.4",
    "info": {"title": "Small", "version": "1.0.0", "description": "A document that keeps every rule."},
    "servers": [{"url": "/"}],
    "tags": [{"name": "Names"}, {"name": "Health"}],
    "security": [{"bearerAuth": []}],
    "paths": {
        "/names": {
            "post": {
                "operationId": "createName",
                "tags": ["Names"],
                "summary": "Create a name",
                "x-permission": "name:create",
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Name"}}}},
                "parameters": [{"name": "n", "in": "query", "schema": {"$ref": "#/components/schemas/Numbers"}}],
                "responses": {"204": {"description": "Done."}, **refusals("400", "401", "408", "413", "414", "429")},
            }
        },
        "/livez": {
            "get": {
                "operationId": "getLiveness",
                "tags": ["Health"],
                "summary": "Live",
                "security": [],
                "responses": {"204": {"description": "Alive."}, **refusals("400", "408", "413", "414")},
            }
        },
    },
    "components": {
        "securitySchemes": {"bearerAuth": {"type": "http", "scheme": "bearer"}},
        "responses": {"Refused": PROBLEM},
        "schemas": {
            "Name": {"type": "string", "maxLength": 9, "pattern": r"^[^\u0000]*\.[a-z.]?$", "example": "Ann."},
            "Numbers": {"type": "array", "maxItems": 2, "items": {"$ref": "#/components/schemas/Number"}},
            "Number": {"type": "integer", "format": "int32", "minimum": 0, "maximum": 9, "example": 1},
        },
    },
}


def created(document: Json) -> Json:
    operation: Json = document["paths"]["/names"]["post"]
    return operation


def alive(document: Json) -> Json:
    operation: Json = document["paths"]["/livez"]["get"]
    return operation


def schema(document: Json, name: str) -> Json:
    found: Json = document["components"]["schemas"][name]
    return found


BREAKS: list[tuple[str, Fault]] = [
    ("one-media-type-per-body", lambda d: created(d)["requestBody"]["content"].update({"text/plain": {}})),
    ("one-media-type-per-body", lambda d: d["components"]["responses"]["Refused"].update(content={})),
    ("operation-is-verb-and-noun", lambda d: created(d).update(operationId="create_name")),
    ("operation-is-verb-and-noun", lambda d: created(d).update(operationId="names")),
    ("operation-has-one-tag", lambda d: created(d).update(tags=["Names", "Health"])),
    ("operation-has-one-tag", lambda d: created(d).update(tags=[])),
    *(("every-refusal-is-listed", lambda d, s=s: alive(d)["responses"].pop(s)) for s in ("400", "408", "413", "414")),
    ("every-limit-is-listed", lambda d: created(d)["responses"].pop("429")),
    ("every-limit-is-listed", lambda d: alive(d)["responses"].update(refusals("429"))),
    ("who-may-is-said", lambda d: created(d)["responses"].pop("401")),
    ("who-may-is-said", lambda d: created(d).pop("x-permission")),
    ("who-may-is-said", lambda d: alive(d).update({"x-permission": "name:read"})),
    ("refusals-have-names", lambda d: created(d)["responses"].update({"409": deepcopy(PROBLEM)})),
    ("refusals-have-names", lambda d: created(d)["responses"].update(refusals("4XX"))),
    ("refusals-have-names", lambda d: created(d)["responses"].update(refusals("default"))),
    *(("number-is-bounded", lambda d, k=k: schema(d, "Number").pop(k)) for k in ("format", "minimum", "maximum")),
    ("number-is-bounded", lambda d: schema(d, "Number").update(type="number")),
    *(("text-is-bounded", lambda d, k=k: schema(d, "Name").pop(k)) for k in ("maxLength", "pattern")),
    *(
        ("text-is-bounded", lambda d, p=p: schema(d, "Name").update(pattern=p))
        for p in ("[a-z]", "^[a-z]", "^.$", "^[^a-z]$", r"^\S$", r"^[^\u0000].[a-z]$")
    ),
    ("list-is-bounded", lambda d: schema(d, "Numbers").pop("maxItems")),
    ("schema-has-an-example", lambda d: schema(d, "Number").pop("example")),
    ("lists-in-queries-repeat-their-name", lambda d: created(d)["parameters"][0].update(explode=False)),
]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[int, set[str]]:
    """What Spectral finds in each document, by the place of its fault in ``BREAKS``; -1 is the one without a fault."""
    folder = tmp_path_factory.mktemp("spectral")
    shutil.copy(ROOT / ".spectral.yaml", folder)
    for number, (_, fault) in enumerate([*BREAKS, ("", lambda _: None)]):
        document = deepcopy(SMALL)
        fault(document)
        (folder / f"{number}.json").write_text(json.dumps(document), encoding="utf-8")
    said = json.loads(gate.spectral(folder, "*.json", "--format=json").stdout)
    results = {
        number: {str(one["code"]) for one in said if one["source"].endswith(f"/{number}.json")}
        for number in range(len(BREAKS) + 1)
    }
    return {**results, -1: results[len(BREAKS)]}


def test_a_document_that_keeps_the_rules_passes(found: dict[int, set[str]]) -> None:
    assert found[-1] == set()


@pytest.mark.parametrize("number", range(len(BREAKS)), ids=[f"{n}-{rule}" for n, (rule, _) in enumerate(BREAKS)])
def test_a_document_that_breaks_a_rule_of_the_house_is_found(found: dict[int, set[str]], number: int) -> None:
    assert BREAKS[number][0] in found[number]


def test_each_rule_of_the_house_is_broken_once() -> None:
    assert {rule for rule, _ in BREAKS} == {name for name, rule in RULES.items() if rule != "off"}


# What clients have been promised, on the document itself.


class Copy:
    """The document with its baseline, in a folder of its own, to take things out of."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def change(self, fault: Fault, version: str | None = None) -> None:
        document = deepcopy(DOCUMENT.root)
        fault(document)
        document["info"]["version"] = version or document["info"]["version"]
        text = yaml.dump(document, Dumper=yaml.CSafeDumper, sort_keys=False)
        (self.folder / "spec" / "openapi.yaml").write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the document as it is, and the baseline it makes."""
    folder = tmp_path_factory.mktemp("original")
    (folder / "spec").mkdir()
    for name in (".spectral.yaml", "redocly.yaml", ".redocly.lint-ignore.yaml", "spec/openapi.yaml"):
        shutil.copy(ROOT / name, folder / name)
    assert gate.move(folder) == []
    return folder


@pytest.fixture
def copy(original: Path, tmp_path: Path) -> Copy:
    return Copy(shutil.copytree(original, tmp_path / "copy"))


def operation(document: Json, method: str, path: str) -> Json:
    node: Json = document["paths"][path][method]
    return node


def parameter(name: str, *, required: bool) -> Json:
    return {"name": name, "in": "query", "required": required, "schema": {"type": "boolean"}}


def drop_property(document: Json, name: str, member: str) -> None:
    node = schema(document, name)
    del node["properties"][member]
    node["required"] = [one for one in node.get("required", []) if one != member] or ["id"]


TAKEN_BACK: dict[str, Fault] = {
    "a status": lambda d: operation(d, "patch", "/tasks/{task_id}")["responses"].pop("409"),
    "a property of an answer": lambda d: drop_property(d, "Task", "number"),
    "a property of a request": lambda d: schema(d, "TaskCreation")["properties"].pop("labels"),
    "a value of an enum": lambda d: schema(d, "Status")["enum"].remove("blocked"),
    "a path": lambda d: d["paths"].pop("/me"),
    "an operation": lambda d: d["paths"]["/tasks"].pop("post"),
    "a parameter": lambda d: operation(d, "get", "/tasks")["parameters"].pop(0),
    "a longer text": lambda d: schema(d, "Title").update(maxLength=10),
    "a call without a parameter": lambda d: operation(d, "get", "/tasks")["parameters"].append(
        parameter("now", required=True)
    ),
    "a header": lambda d: operation(d, "get", "/tasks")["responses"]["200"]["headers"].pop("Link"),
    "that a header is always there": lambda d: d["components"]["headers"]["RequestId"].pop("required"),
    "a name": lambda d: operation(d, "get", "/tasks").update(operationId="getTasks"),
    "a class of an SDK": lambda d: operation(d, "get", "/tasks").update(tags=["Me"]),
    "a call without a token": lambda d: operation(d, "post", "/login").pop("security"),
    "who may": lambda d: operation(d, "get", "/tasks").update({"x-permission": "task:delete"}),
    "a default": lambda d: d["components"]["parameters"]["Limit"]["schema"].update(default=10),
}
KEPT: dict[str, Fault] = {
    "nothing": lambda _: None,
    "prose": lambda d: operation(d, "get", "/tasks").update(summary="Another", description="Other words."),
    "an example": lambda d: schema(d, "Title").update(example="Another"),
}
ADDED: dict[str, Fault] = {
    "a path": lambda d: d["paths"].update({"/more": d["paths"]["/me"]}),
    "a parameter": lambda d: operation(d, "get", "/tasks")["parameters"].append(parameter("more", required=False)),
    "a property": lambda d: schema(d, "Task")["properties"].update(more={"type": "boolean"}),
}


@pytest.mark.parametrize("fault", TAKEN_BACK.values(), ids=TAKEN_BACK)
def test_what_was_promised_is_not_taken_back_without_a_word(copy: Copy, fault: Fault) -> None:
    copy.change(fault)

    assert "This breaks clients" in "\n".join(gate.taken_back(copy.folder))


def test_a_document_that_takes_something_back_does_not_pass_the_gate_and_does_not_move_the_baseline(copy: Copy) -> None:
    copy.change(TAKEN_BACK["a status"])
    baseline = (copy.folder / "spec" / "baseline.yaml").read_bytes()

    assert "This breaks clients" in "\n".join(gate.faults(copy.folder))
    assert gate.move(copy.folder) != []
    assert (copy.folder / "spec" / "baseline.yaml").read_bytes() == baseline


def test_what_was_promised_can_be_taken_back_with_another_version(copy: Copy) -> None:
    copy.change(TAKEN_BACK["a status"], version="1.0.0")

    assert gate.taken_back(copy.folder) == []
    assert gate.move(copy.folder) == []
    assert gate.not_written_down(copy.folder) == []


@pytest.mark.parametrize("fault", KEPT.values(), ids=KEPT)
def test_what_promises_the_same_in_other_words_passes(copy: Copy, fault: Fault) -> None:
    copy.change(fault)

    assert [*gate.taken_back(copy.folder), *gate.not_written_down(copy.folder)] == []


@pytest.mark.parametrize("fault", ADDED.values(), ids=ADDED)
def test_what_is_added_is_written_down_before_it_passes(copy: Copy, fault: Fault) -> None:
    copy.change(fault)

    assert gate.taken_back(copy.folder) == []
    assert gate.not_written_down(copy.folder) != []
    assert gate.move(copy.folder) == []
    assert gate.not_written_down(copy.folder) == []


@pytest.mark.parametrize(
    ("before", "after", "allowed"),
    [
        ("0.1.0", "0.1.1", False),
        ("0.1.9", "0.2.0", True),
        ("0.9.0", "0.10.0", True),
        ("0.9.0", "1.0.0", True),
        ("1.0.0", "1.1.0", False),
        ("1.9.0", "2.0.0", True),
    ],
)
def test_which_version_takes_something_back(copy: Copy, before: str, after: str, *, allowed: bool) -> None:
    baseline = copy.folder / "spec" / "baseline.yaml"
    text = re.sub(r"(?m)^  version: .*$", f"  version: {before}", baseline.read_text(encoding="utf-8"), count=1)
    baseline.write_text(text, encoding="utf-8")
    copy.change(TAKEN_BACK["a value of an enum"], version=after)

    assert (gate.taken_back(copy.folder) == []) is allowed


def test_a_version_does_not_go_back(copy: Copy) -> None:
    copy.change(KEPT["nothing"], version="0.0.1")

    assert gate.taken_back(copy.folder) != []


def test_a_document_that_is_not_well_made_is_found(copy: Copy) -> None:
    copy.change(lambda d: operation(d, "get", "/tasks")["parameters"].append({"$ref": "#/components/parameters/No"}))

    assert "no-unresolved-refs" in "\n".join(gate.faults(copy.folder))


def test_only_the_path_of_the_founding_clients_ends_with_a_slash(copy: Copy) -> None:
    copy.change(lambda d: d["paths"].update({"/me/": d["paths"].pop("/me")}))

    (redocly, spectral) = [line for line in gate.faults(copy.folder) if "slash" in line]

    assert "/tasks/" not in redocly + spectral


# What goes with it.


def test_the_document_the_package_and_the_changelog_are_of_one_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (newest, *_) = re.findall(r"(?m)^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))

    assert project["version"] == DOCUMENT.root["info"]["version"] == newest


def test_the_tools_are_pinned_and_the_lock_says_what_to_install_and_never_where_from() -> None:
    wanted = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))["devDependencies"]
    lock = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    packages = [package for where, package in lock.items() if where]

    assert lock[""]["devDependencies"] == wanted
    assert all(re.fullmatch(r"[0-9]+\.[0-9]+\.[0-9]+", version) for version in wanted.values())
    assert all("resolved" not in package for package in packages)
    assert all(package["integrity"].startswith("sha512-") for package in packages)


def test_make_check_runs_the_gate() -> None:
    (recipe,) = re.findall(r"(?m)^check:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(encoding="utf-8"))

    assert "\t$(BIN)/python -m spec.gate\n" in recipe
