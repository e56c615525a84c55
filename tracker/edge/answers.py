"""Replies and refusals as HTTP: the only place where statuses, headers and bytes are made."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, urlencode

import orjson

from tracker.api.reply import Text
from tracker.domain import refusals
from tracker.edge.call import Answer, Call
from tracker.edge.conditions import tag_of
from tracker.edge.problems import (
    BadRequest,
    ContentTooLarge,
    InvalidToken,
    MethodNotAllowed,
    RequestTimeout,
    TooManyRequests,
    kind_of,
)

if TYPE_CHECKING:
    from tracker.api.reply import Body, Reply
    from tracker.domain.refusals import Refusal
    from tracker.edge.call import Headers


# A query that can stand in a header as it was sent, and in which every name is written as it is read.
_PLAIN_QUERY = re.compile(r"[A-Za-z0-9_.~=&:,-]*", re.ASCII)
_PRIVATE = (b"cache-control", b"private, no-cache")
_NO_STORE = (b"cache-control", b"no-store")
_JSON = ((b"content-type", b"application/json"),)
_DEPRECATED = (b"deprecation", b"@1795219200")  # 2026-11-21, as RFC 9745 writes it


def answer_to(
    reply: Reply, body: Body | Text | None, call: Call, *, tag: str | None = None, operation_id: str | None = None
) -> Answer:
    """Return a handler's reply and its body as they leave; the ETag is ``tag``, or what the body says.

    ``operation_id`` is that of the commit that made it true, where there was one.
    """
    headers = _beginning(reply, operation_id)
    if links := _links(reply, body, call):
        headers.append((b"link", ", ".join(links).encode()))
    if body is None:
        return Answer(reply.status, tuple(headers))
    encoded = body.content.encode() if isinstance(body, Text) else orjson.dumps(body)
    if not reply.secret:
        headers.append((b"etag", (tag or tag_of(body, encoded)).encode()))
    return Answer(reply.status, (*headers, *_kind(body), (b"content-length", str(len(encoded)).encode())), encoded)


def _beginning(reply: Reply, operation_id: str | None) -> list[tuple[bytes, bytes]]:
    # Answers are for whoever holds the token: a cache in between may keep them only if it asks first.
    headers = [_NO_STORE if reply.secret else _PRIVATE]
    if reply.location is not None:
        headers.append((b"location", reply.location.encode()))
    if reply.successor is not None:
        headers.append(_DEPRECATED)
    if operation_id is not None:
        headers.append((b"operation-id", operation_id.encode()))
    return headers


def _kind(body: Body | Text) -> Headers:
    if not isinstance(body, Text):
        return _JSON
    kind = (b"content-type", f"{body.media_type}; charset=utf-8".encode())
    saved = f'attachment; filename="{body.filename}"'
    return (kind,) if body.filename is None else (kind, (b"content-disposition", saved.encode()))


def _links(reply: Reply, body: Body | Text | None, call: Call) -> list[str]:
    following = body.get("next") if isinstance(body, dict) else None
    successor = [f'<{reply.successor}>; rel="successor-version"'] if reply.successor else []
    return [*successor, f'<{_with_cursor(call, following)}>; rel="next"'] if following else successor


def not_modified(tag: str) -> Answer:
    """Return that somebody has it already."""
    return Answer(304, (_PRIVATE, (b"etag", tag.encode())))


def _with_cursor(call: Call, cursor: str) -> str:
    query = call.query.decode("ascii")
    if "cursor" in query or not _PLAIN_QUERY.fullmatch(query):
        query = urlencode([pair for pair in parse_qsl(query) if pair[0] != "cursor"])
    return f"{quote(call.path)}?{query}{'&' if query else ''}cursor={cursor}"


def problem_of(refusal: Refusal, request_id: str) -> Answer:
    """Return a refusal as a problem (RFC 9457), with the headers its status asks for."""
    kind = kind_of(refusal)
    problem: dict[str, object] = {
        "type": kind.type,
        "title": kind.title,
        "status": kind.status,
        "detail": refusal.detail,
        "request_id": request_id,
    }
    if isinstance(refusal, BadRequest) and refusal.errors:
        problem["errors"] = refusal.errors
    headers = ((b"content-type", b"application/problem+json"), _NO_STORE, *_headers(refusal))
    return Answer(kind.status, headers, orjson.dumps(problem))


def _headers(refusal: Refusal) -> Headers:
    match refusal:
        case InvalidToken():
            return ((b"www-authenticate", b'Bearer realm="tracker", error="invalid_token"'),)
        case refusals.Unauthenticated():
            return ((b"www-authenticate", b'Bearer realm="tracker"'),)
        case MethodNotAllowed():
            return ((b"allow", ", ".join(refusal.allow).encode()),)
        case refusals.Unavailable() | TooManyRequests():
            return ((b"retry-after", str(refusal.retry_after).encode()),)
        case RequestTimeout() | ContentTooLarge():
            return ((b"connection", b"close"),)
        case _:
            return ()
