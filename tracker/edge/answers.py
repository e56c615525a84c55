"""Replies and refusals as HTTP: the only place where statuses, headers and bytes are made."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

import orjson
from flask import Response

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


_PRIVATE = "private, no-cache"
_DEPRECATED = "@1795219200"  # 2026-11-21, as RFC 9745 writes it


class WholeResponse(Response):
    """A response with the headers it is given: Flask names a content type for every one, also for nothing."""

    default_mimetype = None
    automatically_set_content_length = False


def response_to(reply: Reply, body: Body | Text | None, call: Call, tag: str | None = None) -> Response:
    """Return a handler's reply and its body as Flask sends them; its ETag is ``tag``, or what the body says."""
    # Answers are for whoever holds the token: a cache in between may keep them only if it asks first.
    headers = [("Cache-Control", "no-store" if reply.secret else _PRIVATE)]
    if reply.location is not None:
        headers.append(("Location", reply.location))
    if reply.successor is not None:
        headers.append(("Deprecation", _DEPRECATED))
    if links := _links(reply, body, call):
        headers.append(("Link", ", ".join(links)))
    if body is None:
        return WholeResponse(None, reply.status, headers)
    encoded = body.content.encode() if isinstance(body, Text) else orjson.dumps(body)
    if not reply.secret:
        headers.append(("ETag", tag or tag_of(body, encoded)))
    headers += [*_kind(body), ("Content-Length", str(len(encoded)))]
    return WholeResponse(encoded, reply.status, headers)


def _kind(body: Body | Text) -> list[tuple[str, str]]:
    if not isinstance(body, Text):
        return [("Content-Type", "application/json")]
    kind = ("Content-Type", f"{body.media_type}; charset=utf-8")
    saved = f'attachment; filename="{body.filename}"'
    return [kind] if body.filename is None else [kind, ("Content-Disposition", saved)]


def _links(reply: Reply, body: Body | Text | None, call: Call) -> list[str]:
    following = body.get("next") if isinstance(body, dict) else None
    successor = [f'<{reply.successor}>; rel="successor-version"'] if reply.successor else []
    return [*successor, f'<{_with_cursor(call, following)}>; rel="next"'] if following else successor


def not_modified(tag: str) -> Response:
    """Return that somebody has it already."""
    return WholeResponse(None, 304, [("Cache-Control", _PRIVATE), ("ETag", tag)])


def _with_cursor(call: Call, cursor: str) -> str:
    asked = [(name, value) for name, value in parse_qsl(call.query.decode("ascii")) if name != "cursor"]
    return f"{call.path}?{urlencode([*asked, ('cursor', cursor)])}"


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
    headers = ((b"content-type", b"application/problem+json"), (b"cache-control", b"no-store"), *_headers(refusal))
    return Answer(kind.status, headers, orjson.dumps(problem))


def _headers(refusal: Refusal) -> tuple[tuple[bytes, bytes], ...]:
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
