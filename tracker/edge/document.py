"""The contract as data: its own bytes to hand out, and its operations to build the edge from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any

import orjson
import yaml

METHODS = frozenset({"get", "put", "post", "delete", "patch"})

Json = dict[str, Any]


def document_bytes() -> bytes:
    """Return ``spec/openapi.yaml`` as it stands: from the package when installed, else from the checkout."""
    packaged = Path(str(files("tracker"))) / "openapi.yaml"
    checkout = Path(__file__).parents[2] / "spec" / "openapi.yaml"
    return (packaged if packaged.exists() else checkout).read_bytes()


@dataclass(frozen=True)
class Parameter:
    """A path or query parameter with its schema, references resolved."""

    name: str
    place: str
    required: bool
    schema: Json


@dataclass(frozen=True)
class Operation:
    """What the document says of one operation. ``method`` is upper case; ``body`` is the schema of its JSON body."""

    id: str
    method: str
    path: str
    tag: str
    permission: str | None
    public: bool
    parameters: tuple[Parameter, ...]
    body: Json | None
    rate_limit: str | None = None


class Document:
    """A parsed contract."""

    def __init__(self, yaml_bytes: bytes) -> None:
        """Parse the bytes of an OpenAPI 3.0 document in YAML."""
        self.yaml_bytes = yaml_bytes
        self.root: Json = yaml.load(yaml_bytes, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe loaders, the first is written in C

    @cached_property
    def json_bytes(self) -> bytes:
        """The same document as JSON."""
        return orjson.dumps(self.root, option=orjson.OPT_INDENT_2)

    @cached_property
    def operations(self) -> tuple[Operation, ...]:
        """Every operation, in the document's order."""
        return tuple(
            self._operation(path, method, operation)
            for path, item in self.root["paths"].items()
            for method, operation in item.items()
            if method in METHODS
        )

    def resolved(self, node: Any) -> Any:
        """Return what a node refers to: itself, or the target of its ``$ref``."""
        while isinstance(node, dict) and "$ref" in node:
            target: Any = self.root
            for step in node["$ref"].removeprefix("#/").split("/"):
                target = target[step]
            node = target
        return node

    def inlined(self, node: Any) -> Any:
        """Return a node with every reference in it replaced by its target. The contract has no cycles."""
        node = self.resolved(node)
        if isinstance(node, dict):
            return {key: self.inlined(value) for key, value in node.items()}
        if isinstance(node, list):
            return [self.inlined(value) for value in node]
        return node

    def _operation(self, path: str, method: str, operation: Json) -> Operation:
        security = operation.get("security", self.root.get("security", []))
        return Operation(
            id=operation["operationId"],
            method=method.upper(),
            path=path,
            tag=operation["tags"][0],
            permission=operation.get("x-permission"),
            public=not security or {} in security,
            parameters=tuple(self._parameter(node) for node in operation.get("parameters", [])),
            body=self._body(operation),
            rate_limit=operation.get("x-rate-limit"),
        )

    def _parameter(self, node: Json) -> Parameter:
        parameter = self.resolved(node)
        schema = self.inlined(parameter["schema"])
        return Parameter(parameter["name"], parameter["in"], parameter.get("required", False), schema)

    def _body(self, operation: Json) -> Json | None:
        content = self.resolved(operation.get("requestBody", {})).get("content", {})
        schema: Json | None = self.inlined(content["application/json"]["schema"]) if content else None
        return schema


@cache
def contract() -> Document:
    """Return the contract of this installation."""
    return Document(document_bytes())
