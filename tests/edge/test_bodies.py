"""Bodies: JSON that two parsers could read differently, and JSON that does not fit, told by place and rule alone."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.client import Client
from tests.edge.wire import CANARY, LIMIT, assert_discreet
from tests.world import World
from tracker.edge.problems import BadRequest
from tracker.edge.validation import MAX_DEPTH, strict_json

pytestmark = pytest.mark.usefixtures("discreet")

ONE_VALUE = "is one JSON value, in UTF-8 without a byte order mark"
ONCE = "names each member of an object once"
NESTED = "is nested at most 64 deep"
C = CANARY.encode()

NOT_JSON = {
    "nothing but space": b"  \n",
    "bad UTF-8": b'{"title": "' + C + b'\xff"}',
    "overlong UTF-8": b'{"title": "' + C + b'\xc0\xaf"}',
    "a surrogate in UTF-8": b'{"title": "' + C + b'\xed\xa0\x80"}',
    "UTF-16 with a mark": f'{{"title": "{CANARY}"}}'.encode("utf-16"),
    "UTF-16 without": f'{{"title": "{CANARY}"}}'.encode("utf-16-le"),
    "UTF-32": f'{{"title": "{CANARY}"}}'.encode("utf-32"),
    "UTF-7": b'{"title": "' + C + b"+AGE-",
    "a byte order mark": b'\xef\xbb\xbf{"title": "' + C + b'"}',
    "NaN": b'{"title": NaN}',
    "Infinity": b'{"title": Infinity}',
    "-Infinity": b'{"title": -Infinity}',
    "a number beyond a double": b'{"title": 1e400}',
    "a number beyond a double, below": b'{"title": -1e400}',
    "a number of 5,000 digits": b'{"title": ' + b"9" * 5000 + b"}",
    "a lone surrogate in a value": b'{"title": "' + C + b'\\ud800"}',
    "a lone low surrogate": b'{"title": "' + C + b'\\udfff"}',
    "a lone surrogate in a name": b'{"title": "a", "' + C + b'\\ud800": 1}',
    "surrogates in the wrong order": b'{"title": "' + C + b'\\udc00\\ud800"}',
    "100,000 arrays": b"[" * 100_000 + b"]" * 100_000,
    "100,000 objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "100,000 arrays that never end": b"[" * 100_000,
    "trailing data": b'{"title": "' + C + b'"} {}',
    "a trailing NUL": b'{"title": "' + C + b'"}\0',
    "a trailing comma": b'{"title": "' + C + b'",}',
    "half of it": b'{"title": "' + C,
    "single quotes": b"{'title': '" + C + b"'}",
    "no quotes": b"{title: " + C + b"}",
    "a comment": b'{"title": "' + C + b'"} // why',
    "a control character": b'{"title": "' + C + b'\n"}',
    "a NUL as it is": b'{"title": "' + C + b'\x00"}',
    "an unknown escape": b'{"title": "' + C + b'\\x41"}',
    "a leading zero": b'{"title": 01}',
    "a plus sign": b'{"title": +1}',
    "hexadecimal": b'{"title": 0x10}',
    "no digits after the point": b'{"title": 1.}',
    "Python's word": b'{"title": None}',
    "a form": b"title=" + C,
    "gzip": b"\x1f\x8b\x08\x00" + C,
}


@pytest.mark.parametrize("raw", NOT_JSON.values(), ids=NOT_JSON)
def test_what_is_not_one_json_value_is_refused_as_a_whole(client: Client, raw: bytes) -> None:
    refused = client.post("/tasks", raw=raw)

    assert (refused.status, refused.problem, refused.errors) == (400, "bad-request", {"": ONE_VALUE})
    assert_discreet(refused)


def test_a_body_that_is_missing_is_asked_for(client: Client) -> None:
    assert client.post("/tasks", raw=b"").errors == {"": "is required"}


DOUBLED = {
    "at the top": b'{"title": "a", "title": "' + C + b'"}',
    "with the same value": b'{"title": "a", "title": "a"}',
    "further in": b'{"title": "a", "due": {"date": "2026-12-01", "date": "' + C + b'"}}',
    "in an array": b'{"title": "a", "labels": [{"x": 1, "x": "' + C + b'"}]}',
    "in another spelling": b'{"title": "a", "\\u0074itle": "' + C + b'"}',
    "beside a colon": b'{"title": "a: b", "title": "' + C + b'"}',
    "with all that is in it": b'{"title": "a", "due": {"date": "2026-12-01"}, "due": {"date": "' + C + b'"}}',
    "an empty one": b'{"title": "a", "due": {}, "due": {"date": "' + C + b'"}}',
    "a null first": b'{"title": null, "title": "' + C + b'"}',
    "not known at all": b'{"title": "a", "role": 1, "role": "' + C + b'"}',
}


@pytest.mark.parametrize("raw", DOUBLED.values(), ids=DOUBLED)
def test_a_member_named_twice_is_refused(client: Client, raw: bytes) -> None:
    refused = client.post("/tasks", raw=raw)

    assert (refused.status, refused.errors) == (400, {"": ONCE})
    assert_discreet(refused)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(codec="utf-8")),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
        max_leaves=20,
    )
)
def test_what_names_its_members_once_is_read_as_it_is(value: object) -> None:
    assert strict_json(json.dumps(value, ensure_ascii=False).encode()) == value


def nested(depth: int, opening: bytes, inner: bytes, closing: bytes) -> bytes:
    return opening * depth + inner + closing * depth


@pytest.mark.parametrize(
    ("opening", "inner", "closing"),
    [(b"[", b"", b"]"), (b"[", b"1", b"]"), (b'{"a":', b"1", b"}"), (b"[1,", b"2", b"]")],
)
def test_json_may_be_nested_sixty_four_deep_and_no_deeper(opening: bytes, inner: bytes, closing: bytes) -> None:
    assert MAX_DEPTH == 64
    strict_json(nested(64, opening, inner, closing))
    for depth in (65, 66, 1000):
        with pytest.raises(BadRequest) as refused:
            strict_json(nested(depth, opening, inner, closing))
        assert refused.value.errors == [{"pointer": "", "rule": NESTED}]


def test_width_is_not_depth() -> None:
    assert strict_json(b"[" + b"[],{}," * 1000 + b"1]")[0] == []


def test_what_is_nested_too_deep_is_told_so_and_not_what_it_should_have_been(client: Client) -> None:
    as_deep_as_may_be = b'{"title": ' + nested(63, b"[", b"1", b"]") + b"}"
    too_deep = b'{"title": ' + nested(64, b"[", b"1", b"]") + b"}"

    assert client.post("/tasks", raw=as_deep_as_may_be).errors == {"/title": "is of type string"}
    assert client.post("/tasks", raw=too_deep).errors == {"": NESTED}


@pytest.mark.parametrize("raw", [b"null", b"true", b"1", b"-0", b'"' + C + b'"', b"[]", b'[{"title": "a"}]'])
def test_a_body_is_an_object(client: Client, raw: bytes) -> None:
    refused = client.post("/tasks", raw=raw)

    assert refused.errors == {"": "is of type object"}
    assert_discreet(refused)


NO_NUL = "matches ^[^\\u0000]*$"
DOES_NOT_FIT = [
    ("/tasks", {"title": f"{CANARY}\0"}, "/title", NO_NUL),
    ("/tasks", {"title": "a", "description": f"{CANARY}\0"}, "/description", NO_NUL),
    ("/tasks", {"title": "a", "labels": ["b", f"{CANARY}\0"]}, "/labels/1", NO_NUL),
    ("/tasks", {"title": ""}, "/title", "has at least 1 characters"),
    ("/tasks", {"title": CANARY * 100}, "/title", "has at most 200 characters"),
    ("/tasks", {"title": 1}, "/title", "is of type string"),
    ("/tasks", {"title": None}, "/title", "is of type string"),
    ("/tasks", {"title": {CANARY: CANARY}}, "/title", "is of type string"),
    ("/tasks", {"description": CANARY}, "/title", "is required"),
    ("/tasks", {"title": "a", "status": CANARY}, "/status", "is one of: todo, in_progress, blocked, done, cancelled"),
    ("/tasks", {"title": "a", "status": "TODO"}, "/status", "is one of: todo, in_progress, blocked, done, cancelled"),
    ("/tasks", {"title": "a", "priority": [CANARY]}, "/priority", "is one of: none, low, medium, high, urgent"),
    ("/tasks", {"title": "a", "labels": [CANARY, CANARY]}, "/labels", "names nothing twice"),
    ("/tasks", {"title": "a", "labels": [f"{CANARY}{n}" for n in range(21)]}, "/labels", "has at most 20 items"),
    ("/tasks", {"title": "a", "labels": CANARY}, "/labels", "is of type array"),
    ("/tasks", {"title": "a", "due": CANARY}, "/due", "is of type object"),
    ("/tasks", {"title": "a", "due": {}}, "/due/date", "is required"),
    ("/tasks", {"title": "a", "due": {"date": CANARY}}, "/due/date", None),
    ("/tasks", {"title": "a", "due": {"date": "2026-12-01", "time": CANARY}}, "/due/time", None),
    ("/tasks", {"title": "a", "due": {"date": "2026-12-01", "timezone": f"../{CANARY}"}}, "/due/timezone", None),
    ("/tasks", {"title": "a", "assignee_id": CANARY}, "/assignee_id", None),
    ("/tasks", {"title": "a", "project_id": CANARY}, "/project_id", None),
    ("/register", {"username": "x y", "email": "a@example.com", "password": f"{CANARY}"}, "/username", None),
    ("/register", {"username": "ann2", "email": CANARY, "password": "correct horse"}, "/email", None),
    ("/register", {"username": "ann2", "email": "a@example.com", "password": CANARY[:7]}, "/password", None),
    ("/register", {"username": "ann2", "email": "a@example.com", "password": CANARY * 12}, "/password", None),
    ("/register", {"username": "ann2", "email": "a@example.com", "password": "x" * 8, "role": CANARY}, "/role", None),
    ("/login", {"email": "a@example.com", "password": f"{CANARY}\0"}, "/password", NO_NUL),
    ("/login", {"password": CANARY}, "", "has at least 2 members"),
    ("/login", {"username": "ann", "email": "a@example.com", "password": CANARY}, "", "has at most 2 members"),
    ("/token/refresh", {"refresh_token": CANARY}, "/refresh_token", None),
]


@pytest.mark.parametrize(("path", "body", "pointer", "rule"), DOES_NOT_FIT)
def test_what_does_not_fit_is_told_by_place_and_rule_and_never_repeated(
    client: Client, path: str, body: object, pointer: str, rule: str | None
) -> None:
    refused = client.as_(None).post(path, body) if path != "/tasks" else client.post(path, body)

    assert (refused.status, refused.problem) == (400, "bad-request")
    assert pointer in refused.errors
    assert rule is None or refused.errors[pointer] == rule
    assert_discreet(refused)


@pytest.mark.parametrize(
    "member", ["id", "number", "created_by", "version", "created_at", "completed_at", "archived_at"]
)
def test_what_the_server_decides_cannot_be_sent(client: Client, member: str) -> None:
    assert client.post("/tasks", {"title": "a", member: CANARY}).errors == {f"/{member}": "is not known here"}


@pytest.mark.parametrize("member", ["password_hash", "status", "id", "inbox_id", "is_admin"])
def test_nobody_registers_with_more_than_the_contract_has(client: Client, member: str) -> None:
    body = {"username": "eve", "email": "eve@example.com", "password": "correct horse", member: CANARY}
    assert f"/{member}" in client.as_(None).post("/register", body).errors


@pytest.mark.parametrize(
    ("body", "pointer", "near"),
    [
        ({"title": "a", "titel": CANARY}, "/titel", "title"),
        ({"title": "a", "assignee": CANARY}, "/assignee", "assignee_id"),
        ({"title": "a", "due": {"date": "2026-12-01", "tiem": CANARY}}, "/due/tiem", "time"),
    ],
)
def test_an_unknown_member_is_named_with_the_nearest_known_one(
    client: Client, body: object, pointer: str, near: str
) -> None:
    refused = client.post("/tasks", body)

    assert refused.errors == {pointer: f"is not known here; did you mean {near}?"}
    assert_discreet(refused)


@pytest.mark.parametrize(
    "name", [f"{CANARY}\n", f"{CANARY} {CANARY}", f"{CANARY}\u202e", CANARY * 20, f"<b>{CANARY}", ""]
)
def test_an_unknown_name_that_cannot_be_spoken_is_not(client: Client, name: str) -> None:
    refused = client.post("/tasks", {"title": "a", name: 1})

    assert refused.errors == {"/(a name)": "is not known here"}
    assert_discreet(refused)


def test_names_that_mean_something_elsewhere_mean_nothing_here(client: Client) -> None:
    refused = client.post("/tasks", {"title": "a", "__proto__": {"role": "admin"}, "$ne": None, "constructor": 1})

    assert set(refused.errors) == {"/__proto__", "/$ne", "/constructor"}


@pytest.mark.parametrize(
    "body",
    [
        {"title": "a", "labels": [CANARY * 5] * 15_000},
        {"title": "a", "labels": [f"{n}\0" for n in range(50_000)]},
        {"title": "a", "labels": list(range(100_000))},
        {"title": "a", **{f"{'member' * 10}{n}": 1 for n in range(10_000)}},
        {"title": CANARY * 90_000},
    ],
    ids=["long labels", "labels with NUL", "numbers", "10,000 unknown members", "a title of a megabyte"],
)
def test_however_much_is_wrong_the_answer_is_short(client: Client, body: object) -> None:
    refused = client.post("/tasks", body)

    assert refused.status == 400
    assert 1 <= len(refused.json["errors"]) <= 20
    assert_discreet(refused)


def test_a_list_that_is_too_long_is_not_looked_into(client: Client) -> None:
    """Each item is an error: before, a megabyte of them took one request eleven seconds of everybody's time."""
    too_long: list[list[Any]] = [[1] * 21, [{}] * 1000, [f"{n}\0" for n in range(21)], list(range(100_000))]
    for items in too_long:
        assert client.post("/tasks", {"title": "a", "labels": items}).errors == {"/labels": "has at most 20 items"}
    assert set(client.post("/tasks", {"title": "a", "labels": [1, 2]}).errors) == {"/labels/0", "/labels/1"}


def test_every_place_that_is_wrong_is_told_at_once(client: Client) -> None:
    wrong = client.post("/tasks", {"titel": "a", "priority": "top", "labels": [1]})

    assert set(wrong.errors) == {"/titel", "/title", "/priority", "/labels/0"}


@pytest.mark.parametrize(
    "title",
    [
        "\U0001f3db" * 200,  # as many characters as there may be, each four bytes
        "e" + "\u0301" * 199,
        "\u202ereversed",
        "' OR 1=1; --",
        '{"$ne": null}',
        "<script>alert(1)</script>",
        "100% _literal_ \\",
        "\ufeffmark",
        "\u0001\u001b[31m\u007f",
        "\U0010ffff",
    ],
)
def test_any_text_but_nul_is_kept_as_it_came(client: Client, title: str) -> None:
    created = client.post("/tasks", {"title": title})

    assert (created.status, created.json["title"]) == (201, title)
    assert client.get(created.headers["location"]).json["title"] == title


def test_numbers_that_fit_nowhere_are_refused_where_they_stand(client: Client) -> None:
    raw = b'{"title": 18446744073709551616, "priority": 1E2}'
    assert set(client.post("/tasks", raw=raw).errors) == {"/title", "/priority"}


def test_a_body_where_none_is_declared_is_not_read(client: Client) -> None:
    assert client.get("/tasks", raw=b"\xff not json").status == 200


def test_what_was_refused_did_not_happen(world: World) -> None:
    bob = world.of(world.person("bob"))
    for raw in (*NOT_JSON.values(), *DOUBLED.values()):
        assert bob.post("/tasks", raw=raw).status == 400
    assert bob.get("/tasks").json["items"] == []


def test_a_problem_is_json_and_no_longer_than_promised(client: Client) -> None:
    refused = client.post("/tasks", raw=b"{")
    assert orjson.loads(refused.body)["status"] == 400
    assert len(refused.body) <= LIMIT
