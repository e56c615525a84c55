"""Pages for people: whole, cached well, and asking no other machine for anything."""

from __future__ import annotations

import re
from importlib.resources import files

import orjson
import pytest
import yaml

from tests.client import Client
from tests.edge.wire import Wire
from tests.world import DOCUMENT, World
from tracker.edge.document import document_bytes
from tracker.edge.problems import KINDS
from tracker.store.contract import Store

POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data:",
    "connect-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}
PAGES = {
    "/docs": "text/html; charset=utf-8",
    "/docs/docs.js": "text/javascript; charset=utf-8",
    "/docs/contract.js": "text/javascript; charset=utf-8",
    "/docs/ids.js": "text/javascript; charset=utf-8",
    "/docs/session.js": "text/javascript; charset=utf-8",
    "/docs/logins.json": "application/json",
    "/docs/docs.css": "text/css; charset=utf-8",
    "/docs/layout.css": "text/css; charset=utf-8",
    "/docs/swagger-ui.css": "text/css; charset=utf-8",
    "/docs/swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "/docs/favicon-32x32.png": "image/png",
    "/favicon.ico": "image/png",
    "/reference": "text/html; charset=utf-8",
    "/reference/reference.js": "text/javascript; charset=utf-8",
    "/reference/scalar.js": "text/javascript; charset=utf-8",
    "/openapi.yaml": "application/yaml",
    "/openapi.json": "application/json",
    "/problems": "text/html; charset=utf-8",
    **{kind.type: "text/html; charset=utf-8" for kind in KINDS.values()},
}


@pytest.fixture
def nobody(client: Client) -> Client:
    return client.as_(None)


@pytest.mark.parametrize(("path", "content_type"), PAGES.items())
def test_every_page_answers_whoever_asks(nobody: Client, path: str, content_type: str) -> None:
    page = nobody.get(path)

    assert (page.status, page.headers["content-type"]) == (200, content_type)
    assert page.body


@pytest.mark.parametrize("path", PAGES)
def test_a_page_may_load_from_here_and_be_framed_nowhere(wire: Wire, path: str) -> None:
    headers = wire.send("GET", path).headers
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))

    assert policy == POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


def test_an_answer_that_is_no_page_may_load_nothing(wire: Wire) -> None:
    for path in ("/tasks", "/nowhere", "/livez"):
        headers = wire.send("GET", path).headers
        assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", PAGES)
def test_who_has_a_page_already_is_not_sent_it_again(wire: Wire, path: str) -> None:
    first = wire.send("GET", path)
    again = wire.send("GET", path, headers={"if-none-match": first.headers["etag"]})
    other = wire.send("GET", path, headers={"if-none-match": '"another"'})

    assert (again.status, again.body, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert again.headers["cache-control"] == first.headers["cache-control"] == "no-cache"
    assert "content-length" not in again.headers  # RFC 9110, section 8.6: that of the page, or none
    assert (other.status, other.body) == (200, first.body)


def test_two_pages_have_two_etags(nobody: Client) -> None:
    bodies = {path: nobody.get(path) for path in PAGES}
    tags = {page.headers["etag"]: page.body for page in bodies.values()}
    assert len(tags) == len({page.body for page in bodies.values()})


REFERENCE = re.compile(r"""(?:src|href|url|from|fetch|read|post)\s*[=:(]?\s*["']([^"'\s>]+)""")
OURS = [
    path
    for path, content_type in PAGES.items()
    if content_type.startswith("text/") and path not in {"/docs/swagger-ui.css", "/docs/swagger-ui-bundle.js"}
]


def test_what_is_ours_refers_to_nothing_that_is_not_here(nobody: Client) -> None:
    texts = {path: nobody.get(path).body.decode() for path in OURS if path != "/reference/scalar.js"}
    referred = {target for text in texts.values() for target in REFERENCE.findall(text)} - {"#content"}

    assert {"/docs/swagger-ui-bundle.js", "/docs/session.js", "/reference/scalar.js", "/openapi.json"} <= referred
    for target in referred:
        assert nobody.get(target).status in {200, 405}, target
    assert not any("://" in text or '"//' in text for text in texts.values())


def test_every_file_of_ours_is_served(nobody: Client) -> None:
    folder = files("tracker.edge") / "static"
    served = {nobody.get(path).body for path in OURS}
    whole = [file for file in folder.iterdir() if not file.name.endswith(".html")]  # those are parts of pages

    assert whole
    assert all(file.read_bytes() in served for file in whole)


def test_the_page_opens_with_what_the_document_says_first_of_itself(nobody: Client) -> None:
    info = DOCUMENT.root["info"]
    page = nobody.get("/docs").body.decode()

    assert f"<p>{info['description'].partition(chr(10) * 2)[0]}</p>" in page
    assert info["version"] in page


def test_logins_are_offered_on_a_demo_alone(store: Store) -> None:
    demo = World(store, demo_logins=("ann:correct: horse",))

    assert orjson.loads(demo.client.get("/docs/logins.json").body) == [{"name": "ann", "password": "correct: horse"}]
    assert orjson.loads(World(store).client.get("/docs/logins.json").body) == []


def test_the_style_sheet_loads_nothing_from_elsewhere(nobody: Client) -> None:
    sheet = nobody.get("/docs/swagger-ui.css").body.decode()
    assert "@import" not in sheet
    assert all(target.startswith(("data:", "#")) for target in re.findall(r"url\(\s*[\"']?([^\"')]+)", sheet))


def test_swagger_ui_asks_nobody_and_keeps_no_token(nobody: Client) -> None:
    start = nobody.get("/docs/docs.js").body.decode()

    assert len(nobody.get("/docs/swagger-ui-bundle.js").body) > 1_000_000
    assert "validatorUrl: null" in start  # it would ask a server of its makers about the document
    assert "persistAuthorization: false" in start  # it would keep tokens in localStorage


def test_the_document_is_the_file_itself(nobody: Client) -> None:
    assert nobody.get("/openapi.yaml").body == document_bytes()
    assert orjson.loads(nobody.get("/openapi.json").body) == yaml.safe_load(document_bytes()) == DOCUMENT.root


def test_the_front_door_leads_to_the_docs(nobody: Client) -> None:
    door = nobody.get("/")
    assert (door.status, door.headers["location"]) == (307, "/docs")


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.slug)
def test_every_kind_of_problem_has_a_page_that_says_what_to_do(nobody: Client, kind: object) -> None:
    known = next(k for k in KINDS.values() if k is kind)
    text = nobody.get(known.type).body.decode()

    assert f"HTTP {known.status}" in text
    assert f'<a href="{known.type}">' in nobody.get("/problems").body.decode()
