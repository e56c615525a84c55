"""Pages for people: whole, cached well, and asking no other machine for anything."""

from __future__ import annotations

import re

import orjson
import pytest
import yaml

from tests.client import Client
from tests.edge.wire import Wire
from tests.world import DOCUMENT
from tracker.edge.document import document_bytes
from tracker.edge.problems import KINDS

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
    "/docs/start.js": "text/javascript; charset=utf-8",
    "/docs/swagger-ui.css": "text/css; charset=utf-8",
    "/docs/swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "/docs/favicon-32x32.png": "image/png",
    "/favicon.ico": "image/png",
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


REFERENCE = re.compile(r"""(?:src|href|url|action|data)\s*[=:(]\s*["']?([^"'\s>)]+)""")


def test_the_docs_page_refers_to_nothing_that_is_not_here(nobody: Client) -> None:
    texts = [nobody.get(path).body.decode() for path in ("/docs", "/docs/start.js", "/problems")]
    texts += [nobody.get(kind.type).body.decode() for kind in KINDS.values()]
    referred = {target for text in texts for target in REFERENCE.findall(text)}

    assert {"/docs/swagger-ui.css", "/docs/swagger-ui-bundle.js", "/docs/start.js", "/openapi.yaml"} <= referred
    for target in referred:
        assert nobody.get(target).status == 200, target
    assert not any("//" in text.replace("<!doctype", "") for text in texts)


def test_the_style_sheet_loads_nothing_from_elsewhere(nobody: Client) -> None:
    sheet = nobody.get("/docs/swagger-ui.css").body.decode()
    assert "@import" not in sheet
    assert all(target.startswith(("data:", "#")) for target in re.findall(r"url\(\s*[\"']?([^\"')]+)", sheet))


def test_swagger_ui_is_of_the_version_that_shows_it_all(nobody: Client) -> None:
    bundle = nobody.get("/docs/swagger-ui-bundle.js").body.decode()
    start = nobody.get("/docs/start.js").body.decode()

    assert re.search(r"swagger-?ui", bundle, re.IGNORECASE)
    assert len(bundle) > 1_000_000
    assert "validatorUrl: null" in start  # it would ask a server of its makers about the document


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
