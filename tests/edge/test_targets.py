"""Paths, methods, queries and doubled headers: refused before Connexion, or by it, and never passed on to Flask."""

from __future__ import annotations

from itertools import product

import pytest

from tests.client import Client
from tests.edge.wire import CANARY, LIMIT, Wire, assert_discreet
from tests.world import DOCUMENT, Person, World
from tracker.edge.call import Call
from tracker.edge.document import METHODS

pytestmark = pytest.mark.usefixtures("discreet")

ID = "0192f3a4-5b6c-7d8e-9f00-112233445566"
NO_SUCH_PATH = [
    "//tasks",
    "///tasks",
    f"//tasks/{ID}",
    f"/tasks//{ID}",
    "/tasks//x",
    "/me/",
    f"/tasks/{ID}/",
    f"/tasks/{ID}//status",
    f"/tasks/{ID}/status/",
    "/tasks/\0",
    f"/tasks/{ID}\0",
    "/tasks\0",
    "\0/tasks",
    "/Tasks",
    "/TASKS",
    "/tasks;x=1",
    "/tasks/../tasks",
    "/./tasks",
    "/tasks/.",
    "/tasks%2f",
    "/tasks\\",
    "\\tasks",
    "/tasks ",
    " /tasks",
    "x/tasks",
    "tasks",
    "http://localhost/tasks",
    "",
    "*",
    "/login/",
    "/token",
    "/token//refresh",
    "/docs/",
    "/docs/../tasks",
    "/docs/index.html",
    "/problems/",
    f"/problems/{CANARY}",
    "/openapi.yml",
    "/ui",
    "/swagger.json",
    "/admin",
    "/.env",
    "/static/x",
    f"/{CANARY}",
    f"/tasks/{ID}/{CANARY}",
    "/" + "a/" * 1000,
]


@pytest.mark.parametrize("path", NO_SUCH_PATH)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_a_path_the_contract_does_not_have_is_not_there_for_anybody(client: Client, path: str, method: str) -> None:
    for whoever in (client, client.as_(None)):
        refused = whoever.request(method, path, {"title": "a"})

        # One segment that could be an id is one, and is held to the contract's pattern, after the token.
        if path.count("/") == 2 and path.startswith("/tasks/") and path[7:] and "\0" not in path:
            assert refused.status in ({400} if whoever is client else {401}) | {405}
        else:
            assert (refused.status, refused.problem) == (404, "no-such-path")
        assert_discreet(refused)


@pytest.mark.parametrize(
    "task_id", ["x", CANARY, ID.upper(), ID[:-1], f"{ID}0", f" {ID}", "-1", "9" * 5000, "%2e%2e", "é"]
)
def test_an_id_in_a_path_is_a_uuid_in_lower_case(client: Client, task_id: str) -> None:
    refused = client.get(f"/tasks/{task_id}")

    assert (refused.status, set(refused.errors)) == (400, {"task_id"})
    assert_discreet(refused)


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("/tasks", "x" * 7_994, 400),  # as long as it may be, and not known
        ("/tasks", "x" * 7_995, 414),
        ("/tasks", "limit=" + "1" * 8_000, 414),
        ("/tasks/" + CANARY * 1000, "", 414),
        ("/docs", "x" * 8_000, 414),
        ("/" + "a" * 7_999, "", 404),
        ("/" + "a" * 8_000, "", 414),
    ],
)
def test_a_target_has_at_most_eight_thousand_bytes(
    world: World, ann: Person, path: str, query: str, status: int
) -> None:
    headers = {"host": "localhost", "authorization": f"Bearer {ann.token}"}
    refused = world.responder(Call("GET", path, query.encode(), headers, "id"))

    assert refused.status == status
    assert len(refused.body) <= LIMIT
    assert CANARY.encode() not in refused.body


QUERIES = [
    ("limit=1&limit=2", {"limit": "is given once"}),
    ("limit=1&limit=1", {"limit": "is given once"}),
    ("limit=2&cursor=a&cursor=b", {"cursor": "is given once"}),
    ("lim%69t=1&limit=1", {"limit": "is given once"}),
    ("limit=%D9%A1", {"limit": "is an integer"}),  # an Arabic one
    ("limit=%EF%BC%91", {"limit": "is an integer"}),  # a wide one
    ("limit=%2B5", {"limit": "is an integer"}),
    ("limit=+5", {"limit": "is an integer"}),  # a space
    ("limit=1_0", {"limit": "is an integer"}),
    ("limit=1.0", {"limit": "is an integer"}),
    ("limit=1e1", {"limit": "is an integer"}),
    ("limit=0x10", {"limit": "is an integer"}),
    ("limit=--1", {"limit": "is an integer"}),
    ("limit=true", {"limit": "is an integer"}),
    ("limit=null", {"limit": "is an integer"}),
    ("limit=None", {"limit": "is an integer"}),
    ("limit=", {"limit": "is an integer"}),
    ("limit", {"limit": "is an integer"}),
    ("limit=%00", {"limit": "is an integer"}),
    ("limit=5%00", {"limit": "is an integer"}),
    ("limit=5%0A", {"limit": "is an integer"}),
    ("limit=" + "9" * 5000, {"limit": "is an integer"}),
    ("limit=" + "9" * 19, {"limit": "is at most 200"}),
    ("limit=201", {"limit": "is at most 200"}),
    ("limit=0", {"limit": "is at least 1"}),
    ("limit=-1", {"limit": "is at least 1"}),
    ("limit=1&limit=" + CANARY, {"limit": "is given once"}),
    ("limit=" + CANARY, {"limit": "is an integer"}),
    ("cursor=", {"cursor": "has at least 1 characters"}),
    ("cursor=" + "a" * 513, {"cursor": "has at most 512 characters"}),
    ("cursor=a%00b", {"cursor": "matches ^[A-Za-z0-9_-]+$"}),
    ("cursor=" + CANARY + "%zz", {"cursor": "matches ^[A-Za-z0-9_-]+$"}),
    ("limti=1", {"limti": "is not known here; did you mean limit?"}),
    ("Limit=1", {"Limit": "is not known here; did you mean limit?"}),
    ("cursors=" + CANARY, {"cursors": "is not known here; did you mean cursor?"}),
    ("limit%00=1", {"(a name)": "is not known here; did you mean limit?"}),
    ("limit[]=1", {"limit[]": "is not known here; did you mean limit?"}),
    ("limit[$gt]=1", {"limit[$gt]": "is not known here; did you mean limit?"}),
    ("=1", {"(a name)": "is not known here"}),
    ("dry", {"dry": "is not known here"}),
    ("z=" + CANARY, {"z": "is not known here"}),
    ("limit=1;cursor=a", {"limit": "is an integer"}),
    ("limit=1?limit=2", {"limit": "is an integer"}),
    ("limit=%", {"limit": "is an integer"}),
    ("limit=%zz", {"limit": "is an integer"}),
    ("limit=%FF", {"query": "is percent-encoded UTF-8, with at most 100 parts"}),
    ("%FF=1", {"query": "is percent-encoded UTF-8, with at most 100 parts"}),
    ("cursor=%C0%AF", {"query": "is percent-encoded UTF-8, with at most 100 parts"}),
    ("cursor=%ED%A0%80", {"query": "is percent-encoded UTF-8, with at most 100 parts"}),
    ("limit=1" + "&x=1" * 100, {"query": "is percent-encoded UTF-8, with at most 100 parts"}),
]


@pytest.mark.parametrize(("query", "errors"), QUERIES)
def test_a_query_says_each_thing_once_and_as_the_contract_has_it(
    client: Client, query: str, errors: dict[str, str]
) -> None:
    refused = client.get("/tasks", query=query)

    assert (refused.status, refused.problem, refused.errors) == (400, "bad-request", errors)
    assert_discreet(refused)


def test_a_query_is_ascii(world: World, ann: Person) -> None:
    headers = {"host": "localhost", "authorization": f"Bearer {ann.token}"}
    assert world.responder(Call("GET", "/tasks", "limit=\u0661".encode(), headers, "id")).status == 400


@pytest.mark.parametrize("query", ["limit=1", "limit=200", "limit=007", "lim%69t=1", "&limit=1&", ""])
def test_other_spellings_of_the_same_query_are_the_same_query(client: Client, query: str) -> None:
    assert client.get("/tasks", query=query).status == 200


def test_an_operation_without_parameters_takes_none(client: Client) -> None:
    for path in ("/me", "/livez", "/readyz", f"/tasks/{ID}"):
        assert client.get(path, query="limit=1").errors == {"limit": "is not known here"}


def test_of_many_unknown_parameters_twenty_are_told(client: Client) -> None:
    refused = client.get("/tasks", query="&".join(f"{'n' * 60}{n}=1" for n in range(99)))

    assert len(refused.json["errors"]) == 20
    assert_discreet(refused)


PATHS = {
    path: {method.upper() for method in item if method in METHODS} for path, item in DOCUMENT.root["paths"].items()
}
UNUSUAL = ("OPTIONS", "TRACE", "CONNECT", "QUERY", "PROPFIND", "HEAD", "G\0T", "")
UNLISTED = [
    (path, method)
    for path, methods in PATHS.items()
    for method in (*map(str.upper, sorted(METHODS)), *UNUSUAL)
    if method not in methods
]


@pytest.mark.parametrize(("path", "method"), UNLISTED)
def test_a_method_that_is_not_declared_is_refused_with_all_that_are(client: Client, path: str, method: str) -> None:
    refused = client.request(method, path.replace("{task_id}", ID))

    assert (refused.status, refused.problem) == (405, "method-not-allowed")
    declared = PATHS[path] | ({"HEAD"} if "GET" in PATHS[path] else set())
    assert sorted(refused.headers["allow"].split(", ")) == sorted(declared)


@pytest.mark.parametrize("method", ["get", "Get", "post"])
def test_methods_are_compared_as_they_are_written(world: World, method: str) -> None:
    assert world.responder(Call(method, "/tasks", b"", {"host": "localhost"}, "id")).status == 405


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("path", ["/docs", "/openapi.json", "/problems", "/"])
def test_pages_are_only_read(client: Client, path: str, method: str) -> None:
    refused = client.request(method, path)

    assert (refused.status, refused.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize(
    "path",
    ["/tasks", "/tasks?limit=1", f"/tasks/{ID}", "/me", "/livez", "/readyz", "/docs", "/openapi.yaml", "/nowhere"],
)
def test_head_answers_what_get_does_without_the_body(wire: Wire, path: str) -> None:
    got, head = wire.send("GET", path), wire.send("HEAD", path)

    assert (head.status, head.body) == (got.status, b"")
    assert head.headers["content-length"] == str(len(got.body))
    same = set(got.headers) - {"x-request-id"}
    assert {name: head.headers[name] for name in same} == {name: got.headers[name] for name in same}


@pytest.mark.parametrize("path", ["/login", "/logout", f"/tasks/{ID}/status"])
def test_head_is_not_for_what_cannot_be_read(wire: Wire, path: str) -> None:
    refused = wire.send("HEAD", path)

    assert (refused.status, refused.body) == (405, b"")
    assert "HEAD" not in refused.headers["allow"]


@pytest.mark.parametrize(
    "name", ["host", "authorization", "content-type", "content-length", "content-encoding", "transfer-encoding"]
)
@pytest.mark.parametrize("path", ["/tasks", "/docs", "/readyz", "/nowhere"])
def test_a_header_that_decides_something_is_sent_once(wire: Wire, name: str, path: str) -> None:
    doubled = [(name, CANARY), (name, CANARY)]
    refused = wire.send("GET", path, headers=doubled, anonymous=name == "authorization")

    assert (refused.status, refused.errors) == (400, {name: "is sent once"})
    assert_discreet(refused)


def test_a_method_cannot_be_smuggled_in_a_header(client: Client) -> None:
    headers = {"x-http-method-override": "DELETE", "x-method-override": "DELETE"}
    task = client.post("/tasks", {"title": "a"}).headers["location"]

    assert client.get(task, headers=headers).status == 200
    assert client.get(task).status == 200


@pytest.mark.parametrize("body", [b"not json", b"{}", b"{" * 100_000])
@pytest.mark.parametrize("token", [None, "not.a.token"])
def test_who_is_not_known_is_not_told_what_the_contract_says(client: Client, token: str | None, body: bytes) -> None:
    stranger = client.as_(token)

    for refused in (
        stranger.post("/tasks", raw=body),
        stranger.patch("/tasks/x/status", raw=body),
        stranger.get("/tasks", query="limit=x&nonsense=1"),
        stranger.get("/tasks/x"),
    ):
        assert refused.status == 401
        assert refused.headers["www-authenticate"].startswith("Bearer ")
        assert "errors" not in refused.json


@pytest.mark.parametrize(
    ("path", "method"), [pair for pair in product(PATHS, map(str.upper, sorted(METHODS))) if pair[1] in PATHS[pair[0]]]
)
def test_every_operation_that_is_not_public_asks_who_it_is(client: Client, path: str, method: str) -> None:
    operation = next(o for o in DOCUMENT.operations if (o.path, o.method) == (path, method))
    answer = client.as_(None).request(method, path.replace("{task_id}", ID), {})

    assert (answer.status == 401) == (not operation.public)
    if not operation.public:
        assert answer.headers["www-authenticate"] == 'Bearer realm="tracker"'
