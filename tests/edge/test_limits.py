"""Rate limits through the whole application: who is counted as whom, what is counted, what is told."""

from __future__ import annotations

import re
from functools import partial
from itertools import count
from typing import TYPE_CHECKING

import orjson
import pytest

from tests.client import Received
from tests.databases import database
from tests.edge.limiting import HOME, PROXY, WORK, by, limited, posted, refused_after
from tests.world import DOCUMENT, Person, World
from tracker import app
from tracker.edge.document import Document
from tracker.edge.limits import UnknownPolicy
from tracker.store.sql.store import SqlStore

if TYPE_CHECKING:
    from collections.abc import Iterator

ID = "0192f3a4-5b6c-7d8e-9f00-112233445566"
PASSWORD = "correct horse battery"


@pytest.fixture
def store() -> Iterator[SqlStore]:
    with database("sqlite") as url:
        store = SqlStore.open(url, connections=8)
        yield store
        store.close()


# What is told.


def test_every_answer_says_what_is_left_until_nothing_is(store: SqlStore) -> None:
    with limited(store, rate_limit="3/minute") as (world, wire):
        ask = partial(wire.send, "GET", "/tasks", headers=by(world.person("ann")), peer=HOME)
        answers = [ask() for _ in range(4)]
        refused = answers[-1]

        assert [a.status for a in answers] == [200, 200, 200, 429]
        assert {a.headers["ratelimit-policy"] for a in answers} == {'"default";q=3;w=60'}
        left = [re.fullmatch(r'"default";r=(\d+);t=(\d+)', a.headers["ratelimit"]) for a in answers]
        assert [match and match[1] for match in left] == ["2", "1", "0", "0"]
        assert left[3]
        assert refused.headers["retry-after"] == left[3][2]
        assert 1 <= int(refused.headers["retry-after"]) <= 61
        assert [("retry-after" in a.headers) for a in answers] == [False] * 3 + [True]
        assert refused.problem == "too-many-requests"

        world.clock.advance(seconds=int(refused.headers["retry-after"]))
        assert ask().status == 200


def test_each_policy_is_told_by_its_own_name(store: SqlStore) -> None:
    rates = {"rate_limit_login": "7/hour", "rate_limit_register": "5/day", "rate_limit_refresh": "9/minute"}
    with limited(store, **rates) as (_, wire):
        told = [
            posted(wire, "/login", username="ann", password="x"),
            posted(wire, "/login", nonsense=1),
            posted(wire, "/register", username="a"),
            posted(wire, "/token/refresh", refresh_token="q" * 43),
        ]
    assert [answer.headers["ratelimit-policy"] for answer in told] == [
        '"login";q=7;w=3600',
        '"login-address";q=70;w=3600',
        '"register";q=5;w=86400',
        '"refresh";q=9;w=60',
    ]


def test_where_limits_are_off_nothing_is_counted_and_nothing_told(store: SqlStore) -> None:
    with limited(store, rate_limit_login="off") as (_, wire):
        answers = [posted(wire, "/login", username="ann", password="x") for _ in range(12)]
    assert {answer.status for answer in answers} == {401}
    assert not {"ratelimit", "ratelimit-policy", "retry-after"} & set(answers[-1].headers)


# What is counted.


@pytest.mark.parametrize(
    ("method", "target", "headers", "status"),
    [
        ("GET", "/tasks", {}, 401),
        ("GET", "/tasks", {"authorization": "Bearer a.b.c"}, 401),
        ("GET", "/tasks", {"authorization": "Basic YTpi"}, 401),
        ("GET", "/nowhere", {}, 404),
        ("GET", "//tasks", {}, 404),
        ("TRACE", "/tasks", {}, 405),
        ("POST", "/tasks", {"content-type": "text/plain"}, 415),
        ("GET", "/tasks", {"authorization": "a", "Authorization": "b"}, 400),
        ("GET", "/tasks", {"host": "evil.example"}, 400),
        ("GET", "/tasks?" + "a" * 9000, {}, 414),
        ("GET", "/.well-known/jwks.json", {}, 200),
    ],
)
def test_what_an_address_asks_without_a_good_token_is_counted_whatever_comes_of_it(
    store: SqlStore, method: str, target: str, headers: dict[str, str], status: int
) -> None:
    with limited(store, rate_limit="3/minute") as (_, wire):
        ask = partial(wire.send, method, target, headers=headers)
        assert [ask(peer=HOME).status for _ in range(5)] == [status] * 3 + [429] * 2
        assert ask(peer=WORK).status == status


def test_whatever_a_user_is_answered_is_counted(store: SqlStore) -> None:
    with limited(store, rate_limit="6/minute") as (world, wire):
        mine = by(world.person("ann"))
        task = wire.send("POST", "/tasks", b'{"title": "a"}', headers=mine)
        wire.send("GET", task.headers["location"], headers=mine)
        unchanged = wire.send("GET", task.headers["location"], headers={**mine, "if-none-match": task.headers["etag"]})
        answers = [
            unchanged,
            wire.send("GET", f"/tasks/{ID}", headers=mine),
            wire.send("GET", "/tasks?nonsense=1", headers=mine),
            wire.send("DELETE", task.headers["location"], headers=mine),
            wire.send("GET", "/tasks", headers=mine),
        ]
    assert [answer.status for answer in answers] == [304, 404, 400, 204, 429]
    assert [answer.headers["ratelimit"].split(";")[1] for answer in answers] == ["r=3", "r=2", "r=1", "r=0", "r=0"]


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_the_probes_are_never_refused(store: SqlStore, path: str) -> None:
    with limited(store, rate_limit="1/hour") as (_, wire):
        answers = [wire.send(method, path, peer=HOME) for method in ("GET", "TRACE") * 3]
        assert [answer.status for answer in answers] == [200, 405] * 3
        assert not any("ratelimit" in answer.headers for answer in answers)
        assert wire.send("GET", "/nowhere", peer=HOME).status == 404


def test_whoever_is_refused_can_still_read_why(store: SqlStore) -> None:
    with limited(store, rate_limit="1/hour") as (_, wire):
        wire.send("GET", "/tasks", peer=HOME)
        refused = wire.send("GET", "/tasks", peer=HOME)
        assert (refused.status, wire.send("GET", refused.json["type"], peer=HOME).status) == (429, 200)


# Who is counted as whom.


def test_a_user_is_counted_wherever_they_are_and_by_themselves(store: SqlStore) -> None:
    with limited(store, rate_limit="4/minute") as (world, wire):
        ann, bob = world.person("ann"), world.person("bob")
        again = world.log_in(ann.user)
        for mine, peer in ((ann, HOME), (ann, WORK), (again, HOME), (again, WORK)):
            assert wire.send("GET", "/tasks", headers=by(mine), peer=peer).status == 200
        assert wire.send("GET", "/tasks", headers=by(again), peer="192.0.2.1").status == 429
        assert wire.send("GET", "/tasks", headers=by(bob), peer=HOME).status == 200
        assert wire.send("GET", "/tasks", peer=HOME).status == 401


@pytest.mark.parametrize("header", ["x-forwarded-for", "X-Real-IP", "forwarded", "x_forwarded_for"])
def test_nobody_escapes_by_saying_they_are_somebody_else(store: SqlStore, header: str) -> None:
    numbers = count(1)
    with limited(store, PROXY, rate_limit="3/minute") as (_, wire):
        said = (f"192.0.2.{number}" for number in numbers)
        assert refused_after(lambda: wire.send("GET", "/x", headers={header: next(said)}, peer=HOME)) == 3


def test_nobody_escapes_behind_a_proxy_by_saying_more_than_the_proxy_does(store: SqlStore) -> None:
    numbers = count(1)
    with limited(store, PROXY, rate_limit="3/minute") as (_, wire):

        def ask(client: str = HOME) -> Received:
            forwarded = f"192.0.2.{next(numbers)}, {client}"
            return wire.send("GET", "/nowhere", headers={"x-forwarded-for": forwarded}, peer=PROXY)

        assert refused_after(ask) == 3
        assert ask(WORK).status == 404


def test_nobody_escapes_by_taking_another_address_of_their_own_network(store: SqlStore) -> None:
    numbers = count(1)
    with limited(store, rate_limit="3/minute") as (_, wire):
        assert refused_after(lambda: wire.send("GET", "/x", peer=f"2001:db8::{next(numbers):x}:1")) == 3
        assert wire.send("GET", "/x", peer="2001:db8:0:1::1").status == 404


# Logging in, registering, refreshing.


def test_one_name_is_tried_so_often_from_one_address_however_it_is_written(store: SqlStore) -> None:
    forms = ["zoë@example.com", "ZOË@example.com", "zoe\u0308@example.com", "Zoe\u0308@EXAMPLE.com"]
    with limited(store, rate_limit_login="4/15 minutes") as (_, wire):
        tried = [posted(wire, "/login", email=form, password="x").status for form in forms * 2]
        assert [status == 429 for status in tried] == [False] * 4 + [True] * 4
        assert posted(wire, "/login", email=forms[0], password="x", peer=WORK).status != 429
        assert posted(wire, "/login", email="ann@example.com", password="x").status == 401


def test_one_name_is_tried_ten_times_as_often_from_all_addresses(store: SqlStore) -> None:
    with limited(store, rate_limit_login="1/15 minutes") as (_, wire):
        tried = [posted(wire, "/login", f"198.51.100.{n}", username="ann", password="x") for n in range(12)]
        assert [answer.status for answer in tried] == [401] * 10 + [429] * 2
        assert tried[-1].headers["ratelimit-policy"] == '"login-account";q=10;w=900'
        assert posted(wire, "/login", "198.51.100.11", username="bob", password="x").status == 401


def test_one_address_tries_ten_times_as_often_whatever_the_names(store: SqlStore) -> None:
    numbers = count()
    with limited(store, rate_limit_login="1/15 minutes") as (_, wire):
        assert refused_after(lambda: posted(wire, "/login", username=f"u{next(numbers)}x", password="x")) == 10
        assert posted(wire, "/login", WORK, username="u1x", password="x").status == 401


def test_one_address_alone_cannot_lock_a_name_for_all_the_others(store: SqlStore) -> None:
    with limited(store, rate_limit_login="2/15 minutes") as (_, wire):
        for _ in range(40):
            posted(wire, "/login", username="ann", password="x")
        assert posted(wire, "/login", WORK, username="ann", password="x").status == 401


def test_a_decoy_beside_the_name_hides_nothing(store: SqlStore) -> None:
    numbers = count()
    with limited(store, rate_limit_login="2/15 minutes") as (_, wire):
        decoy = partial(posted, wire, "/login", username="ann", password="x")
        assert refused_after(lambda: decoy(email=f"{next(numbers)}@example.com")) == 2


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"username": ["ann"]}', b'{"username": "a\\ud800"}'])
def test_a_body_that_names_nobody_is_counted_by_its_address(store: SqlStore, body: bytes) -> None:
    with limited(store, rate_limit_login="1/15 minutes") as (_, wire):
        assert refused_after(lambda: wire.send("POST", "/login", body, peer=HOME)) == 10


def test_limits_tell_nobody_which_names_there_are(store: SqlStore) -> None:
    with limited(store, rate_limit_login="3/15 minutes") as (_, wire):
        assert posted(wire, "/register", username="ann", email="ann@example.com", password=PASSWORD).status == 201
        known, unknown = (
            [posted(wire, "/login", peer, username=name, password="wrong") for _ in range(4)]
            for name, peer in (("ann", HOME), ("eve", WORK))
        )
    for one, other in zip(known, unknown, strict=True):
        assert one.status == other.status
        assert {name: v for name, v in one.headers.items() if name != "x-request-id"} == {
            name: v for name, v in other.headers.items() if name != "x-request-id"
        }


def test_one_address_registers_so_many_and_one_name_is_registered_so_often(store: SqlStore) -> None:
    with limited(store, rate_limit_register="3/hour") as (_, wire):

        def register(name: str, peer: str) -> int:
            return posted(wire, "/register", peer, username=name, email=f"{name}@example.com", password="short").status

        assert [register(f"user{n}", HOME) for n in range(4)] == [400] * 3 + [429]
        assert register("user9", WORK) == 400
        assert [register("ann", f"192.0.2.{n}") for n in range(4)] == [400] * 3 + [429]


def test_one_token_is_tried_so_often_and_one_address_tries_so_often(store: SqlStore) -> None:
    with limited(store, rate_limit_refresh="3/minute") as (_, wire):

        def refresh(token: str, peer: str) -> int:
            return posted(wire, "/token/refresh", peer, refresh_token=token * 43).status

        assert [refresh("a", f"192.0.2.{n}") for n in range(4)] == [401] * 3 + [429]
        assert refresh("b", "192.0.2.9") == 401
        assert [refresh(token, HOME) for token in "cdef"] == [401] * 3 + [429]


def test_a_user_guesses_at_their_password_so_often_and_an_address_at_a_secret(store: SqlStore) -> None:
    with limited(store, rate_limit_password="3/minute") as (world, wire):
        ann, bob = world.person("ann"), world.person("bob")
        guess = orjson.dumps({"current_password": "wrong", "new_password": PASSWORD})

        def change(person: Person, peer: str) -> int:
            return wire.send("POST", "/me/password", guess, headers=by(person), peer=peer).status

        def redeem(secret: str, peer: str) -> int:
            return posted(wire, "/password/reset", peer, secret=secret * 43, new_password=PASSWORD).status

        assert [change(ann, f"192.0.2.{n}") == 429 for n in range(4)] == [False] * 3 + [True]
        assert change(bob, HOME) != 429
        assert [redeem("a", f"192.0.2.{n}") == 429 for n in range(4)] == [False] * 3 + [True]
        assert [redeem(secret, HOME) == 429 for secret in "bcde"] == [False] * 3 + [True]


def test_what_a_policy_counts_does_not_count_on_another(store: SqlStore) -> None:
    rates = {"rate_limit": "2/minute", "rate_limit_login": "2/minute", "rate_limit_refresh": "2/minute"}
    with limited(store, **rates) as (_, wire):
        for _ in range(5):
            posted(wire, "/login", username="ann", password="x")
            posted(wire, "/token/refresh", refresh_token="q" * 43)
        assert wire.send("GET", "/tasks", peer=HOME).status == 401


def test_a_bad_token_beside_a_login_is_still_of_no_interest(store: SqlStore) -> None:
    with limited(store, rate_limit="9/minute", rate_limit_login="9/minute") as (_, wire):
        posted(wire, "/register", username="ann", email="ann@example.com", password=PASSWORD)
        body = orjson.dumps({"username": "ann", "password": PASSWORD})
        assert wire.send("POST", "/login", body, headers={"authorization": "Bearer a.b.c"}).status == 200


def test_where_tokens_are_not_needed_addresses_are_counted(store: SqlStore) -> None:
    with limited(store, rate_limit="2/minute", auth_enable=False) as (_, wire):
        assert refused_after(lambda: wire.send("GET", "/tasks", peer=HOME)) == 2
        assert wire.send("GET", "/tasks", peer=WORK).status == 200


# The contract.


def test_a_policy_that_there_is_not_stops_the_start(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    misspelt = DOCUMENT.yaml_bytes.replace(b"x-rate-limit: login", b"x-rate-limit: lgoin")
    monkeypatch.setattr(app, "contract", lambda: Document(misspelt))
    with pytest.raises(UnknownPolicy, match="lgoin"):
        app.responder(World(store).settings, store)
