"""Replies and refusals as HTTP: the only place where statuses, headers and bytes are made."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

import orjson
from flask import Response

from tracker.domain import refusals
from tracker.edge.call import Answer, Call
from tracker.edge.problems import BadRequest, ContentTooLarge, InvalidToken, MethodNotAllowed, RequestTimeout, kind_of

if TYPE_CHECKING:
    from tracker.api.reply import Body, Reply
    from tracker.domain.refusals import Refusal


class WholeResponse(Response):
    """A response with the headers it is given: Flask names a content type for every one, also for nothing."""

    default_mimetype = None


def response_to(reply: Reply, body: Body | None, call: Call) -> Response:
    """Return a handler's reply and its body as Flask sends them."""
    # Answers are for whoever holds the token: a cache in between may keep them only if it asks first.
    headers = [("Cache-Control", "no-store" if reply.secret else "private, no-cache")]
    if reply.location is not None:
        headers.append(("Location", reply.location))
    if reply.next is not None:
        headers.append(("Link", f'<{_with_cursor(call, reply.next)}>; rel="next"'))
    if body is None:
        return WholeResponse(None, reply.status, headers)
    if "version" in body:
        headers.append(("ETag", f'"{body["version"]}"'))
    encoded = orjson.dumps(body)
    headers += [("Content-Type", "application/json"), ("Content-Length", str(len(encoded)))]
    return WholeResponse(encoded, reply.status, headers)


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
        case refusals.Unavailable():
            return ((b"retry-after", str(refusal.retry_after).encode()),)
        case RequestTimeout() | ContentTooLarge():
            return ((b"connection", b"close"),)
        case _:
            return ()
