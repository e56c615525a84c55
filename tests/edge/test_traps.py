"""What breaks the stack that ours is made of (docs/decisions): each a short 4xx, and the next request is answered.

Here they go all the way, through the front; the files beside this one take them one by one.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.edge.wire import CANARY, Wire, assert_discreet

C = CANARY.encode()
JSON = "application/json"
TASK = b'{"title": "' + C + b'"}'
Trap = tuple[int, str, str, Any, str | None]
TRAPS: dict[str, Trap] = {
    "Application/JSON": (415, "POST", "/tasks", TASK, "Application/JSON"),
    "APPLICATION/JSON": (415, "POST", "/tasks", TASK, "APPLICATION/JSON"),
    "a charset that decodes escapes": (415, "POST", "/tasks", TASK, "application/json;charset=unicode_escape"),
    "a charset nobody knows": (415, "POST", "/tasks", TASK, "application/json;charset=bogus"),
    "a form": (415, "POST", "/tasks", b"title=" + C, "application/x-www-form-urlencoded"),
    "a multipart form without a boundary": (415, "POST", "/tasks", TASK, "multipart/form-data"),
    "a NUL": (400, "POST", "/tasks", b'{"title": "' + C + b'\\u0000"}', JSON),
    "a lone surrogate": (400, "POST", "/tasks", b'{"title": "' + C + b'\\ud800"}', JSON),
    "NaN": (400, "POST", "/tasks", b'{"title": "' + C + b'", "x": NaN}', JSON),
    "1e400": (400, "POST", "/tasks", b'{"title": "' + C + b'", "x": 1e400}', JSON),
    "bad UTF-8": (400, "POST", "/tasks", b'{"title": "' + C + b'\xff"}', JSON),
    "UTF-16": (400, "POST", "/tasks", TASK.decode().encode("utf-16"), JSON),
    "duplicate keys": (400, "POST", "/tasks", b'{"title": "a", "title": "' + C + b'"}', JSON),
    "100,000 nested arrays": (400, "POST", "/tasks", b"[" * 100_000 + b"]" * 100_000, JSON),
    "a number of 5,000 digits": (400, "POST", "/tasks", b'{"title": ' + b"9" * 5000 + b"}", JSON),
    "a path of 5,000 digits": (400, "GET", "/tasks/" + "9" * 5000, None, None),
    "no body": (400, "POST", "/tasks", b"", JSON),
    "two slashes": (404, "GET", "//tasks", None, None),
    "two slashes further in": (404, "GET", "/tasks//x", None, None),
    "a slash too many": (404, "GET", "/me/", None, None),
    "a NUL in the path": (404, "GET", "/tasks/\0", None, None),
    "an unknown parameter": (400, "GET", f"/tasks?x={CANARY}", None, None),
    "a parameter twice": (400, "GET", f"/tasks?limit=1&limit={CANARY}", None, None),
    "an Arabic digit": (400, "GET", "/tasks?limit=%D9%A1", None, None),
    "OPTIONS": (405, "OPTIONS", "/tasks", None, None),
    "TRACE": (405, "TRACE", "/tasks", None, None),
    "2 MiB": (413, "POST", "/tasks", b'{"title": "' + C * (2 * 1024 * 1024 // len(C)) + b'"}', JSON),
    "2 MiB in chunks": (413, "POST", "/tasks", [C * 1000] * 200, JSON),
}


@pytest.mark.parametrize("trap", TRAPS.values(), ids=TRAPS)
@pytest.mark.usefixtures("discreet")
def test_a_trap_is_a_refusal_and_the_next_request_is_answered(wire: Wire, trap: Trap) -> None:
    status, method, target, body, media_type = trap
    refused = wire.send(method, target, body, headers={"content-type": media_type} if media_type else {})

    assert refused.status == status
    assert_discreet(refused)
    assert wire.send("GET", "/tasks?limit=1").status == 200
    assert wire.send("POST", "/tasks", b'{"title": "Water the plants"}').status == 201


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", ["//tasks", "///tasks", "/tasks//", "//me"])
def test_two_slashes_lead_nowhere_with_a_token_or_without(wire: Wire, method: str, path: str) -> None:
    for anonymous in (False, True):
        assert wire.send(method, path, b'{"title": "a"}', anonymous=anonymous).problem == "no-such-path"


def test_a_trap_without_a_token_is_a_401_where_the_way_leads_to_an_operation(wire: Wire) -> None:
    refused = wire.send("POST", "/tasks", b"[" * 100_000, anonymous=True)

    assert (refused.status, refused.headers["www-authenticate"]) == (401, 'Bearer realm="tracker"')
