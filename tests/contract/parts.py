"""The parts of the contract that its tests go through: operations, schemas, bodies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.world import DOCUMENT

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: dict[str, Any] = DOCUMENT.root
SCHEMAS: dict[str, Any] = ROOT["components"]["schemas"]
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
