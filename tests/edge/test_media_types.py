"""What a body may call itself: compared as it is written, so that no two parts of the edge can read it differently."""

from __future__ import annotations

import gzip

import pytest

from tests.client import Client
from tests.edge.wire import CANARY, assert_discreet
from tests.world import Person, World
from tracker.edge.call import Call

pytestmark = pytest.mark.usefixtures("discreet")

# What skips validation in stock Connexion would let this pass: a title of a hundred times the allowed length.
TOO_LONG = {"title": CANARY * 2000, "role": "admin"}

REFUSED = [
    "Application/JSON",
    "APPLICATION/JSON",
    "application/Json",
    "application/json;charset=unicode_escape",
    "application/json; charset=unicode_escape",
    "application/json;charset=bogus",
    "application/json; charset=utf-16",
    "application/json; charset=utf-7",
    "application/json; charset=latin-1",
    "application/json; charset=utf8",
    "application/json; charset=",
    "application/json; charset='utf-8'",
    'application/json; charset="utf-8',
    "application/json; charset=utf-8; charset=utf-16",
    "application/json; charset=utf-16; charset=utf-8",
    "application/json; boundary=x",
    "application/json;",
    "application/json; ",
    "application/json, text/plain",
    "application/json application/json",
    "application/json\t",
    " application/json",
    "application/json\xa0",
    "application/\u0130son",
    "application/jsonp",
    "application/problem+json",
    "application/merge-patch+json",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "multipart/form-data; boundary=x",
    "text/json",
    "text/plain",
    "application/xml",
    "application/*",
    "*/*",
    "json",
    "",
    CANARY,
]


@pytest.mark.parametrize("media_type", REFUSED)
def test_a_body_that_is_not_called_json_in_utf_8_is_refused_unread(client: Client, media_type: str) -> None:
    refused = client.post("/tasks", TOO_LONG, headers={"content-type": media_type})

    assert (refused.status, refused.problem) == (415, "unsupported-media-type")
    assert_discreet(refused)


def test_a_body_without_a_media_type_is_refused(world: World, ann: Person) -> None:
    headers = {"host": "localhost", "authorization": f"Bearer {ann.token}"}

    assert world.responder(Call("POST", "/tasks", b"", headers, "id", body=b'{"title": "a"}')).status == 415


@pytest.mark.parametrize(
    "media_type",
    [
        "application/json",
        "application/json;charset=utf-8",
        "application/json; charset=utf-8",
        "application/json; charset=UTF-8",
        "application/json; Charset=utf-8",
        'application/json; charset="utf-8"',
        'application/json ; charset="UTF-8"',
    ],
)
def test_json_in_utf_8_is_taken_and_validated_however_the_charset_is_spelled(client: Client, media_type: str) -> None:
    headers = {"content-type": media_type}

    assert client.post("/tasks", {"title": "Water the plants"}, headers=headers).status == 201
    assert set(client.post("/tasks", TOO_LONG, headers=headers).errors) == {"/title", "/role"}


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "deflate", "br", "zstd", "identity, gzip", "x-gzip", "", CANARY])
def test_a_compressed_body_is_refused_unread(client: Client, encoding: str) -> None:
    raw = gzip.compress(b'{"title": "a"}')
    refused = client.post("/tasks", raw=raw, headers={"content-encoding": encoding})

    assert refused.status == 415
    assert_discreet(refused)


def test_a_body_that_says_it_is_not_compressed_is_taken(client: Client) -> None:
    assert client.post("/tasks", {"title": "a"}, headers={"content-encoding": "identity"}).status == 201


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/tasks"),
        ("PUT", "/tasks/0192f3a4-5b6c-7d8e-9f00-112233445566"),
        ("PATCH", "/tasks/0192f3a4-5b6c-7d8e-9f00-112233445566"),
        ("PATCH", "/tasks/0192f3a4-5b6c-7d8e-9f00-112233445566/status"),
        ("POST", "/register"),
        ("POST", "/login"),
        ("POST", "/token/refresh"),
    ],
)
def test_every_operation_with_a_body_asks_for_its_media_type(client: Client, method: str, path: str) -> None:
    assert client.request(method, path, {}, headers={"content-type": "Application/JSON"}).status == 415


def test_the_media_type_of_a_body_nobody_reads_does_not_matter(client: Client) -> None:
    assert client.get("/tasks", headers={"content-type": "Application/JSON; charset=bogus"}).status == 200
