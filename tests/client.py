"""A client that holds every answer it gets to ``spec/openapi.yaml``: one the contract does not have fails a test."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol
from urllib.parse import urlencode

import orjson
from jsonschema_rs import Draft202012Validator

from tests.canaries.watch import WATCH, look_at_exchange
from tracker.edge.call import Answer, Call
from tracker.edge.document import Document
from tracker.edge.validation import compiled

Responder = Callable[[Call], Answer]


class Answered(Protocol):
    """An answer, however it came; the names of its headers are in lower case."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def body(self) -> bytes: ...


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
        WATCH.keep(token)
        self._promises = Promises(document, request_ids=False)

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
        look_at_exchange(json or body, answer.status, answer.body)
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
    """What the document says of answers; without ``request_ids``, of those that have not been through the front yet."""

    _validators: ClassVar[dict[int, Draft202012Validator]] = {}

    def __init__(self, document: Document, *, request_ids: bool = True) -> None:
        self._document, self._request_ids = document, request_ids
        paths = sorted(document.root["paths"].items(), key=lambda path: path[0].count("{"))  # "/tasks/bulk" is no id
        self._paths = [(re.compile(re.sub(r"\{[^}]*\}", "[^/]+", path)), item) for path, item in paths]

    def hold(self, method: str, target: str, answer: Answered) -> None:
        """Fail unless the answer is one the document declares: its status, its headers, its media type, its body."""
        path = target.partition("?")[0]
        item: dict[str, Any] = next((item for pattern, item in self._paths if pattern.fullmatch(path)), {})
        operation = item.get(method.lower())
        if operation is not None:
            self._hold_operation(operation, answer)
        elif answer.status >= 400 and method != "HEAD":
            self._hold_refusal(answer)

    def _hold_operation(self, operation: dict[str, Any], answer: Answered) -> None:
        declared = operation["responses"].get(str(answer.status))
        assert declared is not None, f"{operation['operationId']} does not declare {answer.status}: {answer.body!r}"
        response = self._document.resolved(declared)
        self._hold_headers(response, answer)
        self._hold_body(response, answer)

    def _hold_refusal(self, answer: Answered) -> None:
        """Fail unless what is no operation is refused as operations refuse."""
        self._hold_body(self._document.root["components"]["responses"]["NotFound"], answer)

    def _hold_headers(self, response: dict[str, Any], answer: Answered) -> None:
        for name, node in response.get("headers", {}).items():
            header = self._document.resolved(node)
            value = answer.headers.get(name.lower())
            if self._request_ids or name != "X-Request-Id":
                assert value is not None or not header.get("required"), f"{name} is missing"
            if value is not None and header["schema"]["type"] == "string":
                assert self._validator(header["schema"]).is_valid(value), f"{name}: {value}"

    def _hold_body(self, response: dict[str, Any], answer: Answered) -> None:
        content = response.get("content")
        if not content:
            assert answer.body == b""
            return
        media_type = answer.headers["content-type"].removesuffix("; charset=utf-8")
        assert media_type in content, media_type
        body = answer.body.decode() if media_type.startswith("text/") else orjson.loads(answer.body)
        errors = [error.message for error in self._validator(content[media_type]["schema"]).iter_errors(body)]
        assert not errors, errors

    def _validator(self, schema: dict[str, Any]) -> Draft202012Validator:
        known = self._validators.get(id(schema))
        if known is None:
            known = self._validators[id(schema)] = compiled(self._document.inlined(schema))
        return known
