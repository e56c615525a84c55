"""A client that holds every answer it gets to ``spec/openapi.yaml``: one the contract does not have fails a test."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import urlencode

import orjson
from jsonschema_rs import Draft202012Validator

from tracker.edge.call import Answer, Call
from tracker.edge.document import Document
from tracker.edge.validation import compiled

Responder = Callable[[Call], Answer]


@dataclass(frozen=True)
class Received:
    """An answer as a client sees it."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)

    @property
    def problem(self) -> str:
        """The last part of the problem's type."""
        assert self.headers["content-type"] == "application/problem+json", self.headers
        return str(self.json["type"]).removeprefix("/problems/")

    @property
    def errors(self) -> dict[str, str]:
        """Each place that is wrong, with its rule."""
        return {error.get("pointer", error.get("parameter")): error["rule"] for error in self.json["errors"]}


class Client:
    """Sends whole requests to a responder, as somebody or as nobody."""

    def __init__(self, respond: Responder, document: Document, token: str | None = None) -> None:
        self._respond, self._document, self._token = respond, document, token
        self._promises = Promises(document)

    def as_(self, token: str | None) -> Client:
        """Return the same client with another token, or with none."""
        return Client(self._respond, self._document, token)

    def request(  # noqa: PLR0913 - a request has that many parts
        self,
        method: str,
        path: str,
        json: object = None,
        *,
        raw: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, object] | str = "",
    ) -> Received:
        sent = {"host": "localhost"}
        body = raw
        if json is not None:
            body = orjson.dumps(json)
        if body is not None:
            sent |= {"content-type": "application/json", "content-length": str(len(body))}
        if self._token is not None:
            sent["authorization"] = f"Bearer {self._token}"
        sent |= headers or {}
        asked = query if isinstance(query, str) else urlencode(query)
        answer = self._respond(Call(method, path, asked.encode(), sent, "test-request", body=body or b""))
        received = Received(answer.status, {n.decode(): v.decode() for n, v in answer.headers}, answer.body)
        self._promises.hold(method, path, received)
        return received

    def get(self, path: str, **how: Any) -> Received:
        return self.request("GET", path, **how)

    def post(self, path: str, json: object = None, **how: Any) -> Received:
        return self.request("POST", path, json, **how)

    def put(self, path: str, json: object = None, **how: Any) -> Received:
        return self.request("PUT", path, json, **how)

    def patch(self, path: str, json: object = None, **how: Any) -> Received:
        return self.request("PATCH", path, json, **how)

    def delete(self, path: str, **how: Any) -> Received:
        return self.request("DELETE", path, **how)


class Promises:
    """What the document says of answers."""

    _validators: ClassVar[dict[int, Draft202012Validator]] = {}

    def __init__(self, document: Document) -> None:
        self._document = document
        self._paths = [
            (re.compile(re.sub(r"\{[^}]*\}", "[^/]+", path)), item) for path, item in document.root["paths"].items()
        ]

    def hold(self, method: str, path: str, received: Received) -> None:
        """Fail unless the answer is one the document declares: its status, its headers, its media type, its body."""
        fitting = (item for pattern, item in self._paths if pattern.fullmatch(path))
        item: dict[str, Any] = self._document.root["paths"].get(path) or next(fitting, {})
        operation = item.get(method.lower())
        if operation is None:
            return
        declared = operation["responses"].get(str(received.status))
        assert declared is not None, f"{operation['operationId']} does not declare {received.status}: {received.body!r}"
        response = self._document.resolved(declared)
        self._hold_headers(response, received)
        self._hold_body(response, received)

    def _hold_headers(self, response: dict[str, Any], received: Received) -> None:
        for name, node in response.get("headers", {}).items():
            header = self._document.resolved(node)
            value = received.headers.get(name.lower())
            if name != "X-Request-Id":  # the front adds it, to every answer
                assert value is not None or not header.get("required"), f"{name} is missing"
            if value is not None and header["schema"]["type"] == "string":
                assert self._validator(header["schema"]).is_valid(value), f"{name}: {value}"

    def _hold_body(self, response: dict[str, Any], received: Received) -> None:
        content = response.get("content")
        if not content:
            assert received.body == b""
            return
        media_type = received.headers["content-type"]
        assert media_type in content, media_type
        errors = [e.message for e in self._validator(content[media_type]["schema"]).iter_errors(received.json)]
        assert not errors, errors

    def _validator(self, schema: dict[str, Any]) -> Draft202012Validator:
        known = self._validators.get(id(schema))
        if known is None:
            known = self._validators[id(schema)] = compiled(self._document.inlined(schema))
        return known
