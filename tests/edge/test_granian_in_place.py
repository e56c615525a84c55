"""Requests that are handed on without the server's loop, by private names of granian 2.8.7: breaks if they change."""

from __future__ import annotations

import http.client
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.edge.in_place import PATIENCE
from tracker.cli.probe import status_of
from tracker.cli.server import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]


class Client(http.client.HTTPConnection):
    """One connection."""

    def asks(self, method: str, path: str, **sent: object) -> bytes:
        self.request(method, path, **sent)  # type: ignore[arg-type]
        return self.hears()

    def hears(self) -> bytes:
        response = self.getresponse()
        assert response.status == 200
        return response.read()


@pytest.fixture
def port() -> Iterator[int]:
    port = free_port("127.0.0.1")
    program = [sys.executable, "-m", "tests.edge.in_place", str(port)]
    with subprocess.Popen(program, cwd=ROOT) as process:
        try:
            until = time.monotonic() + PATIENCE
            while status_of(f"http://127.0.0.1:{port}", "/up") is None:
                assert process.poll() is None
                assert time.monotonic() < until
                time.sleep(0.05)
            yield port
        finally:
            process.terminate()


def client(port: int) -> closing[Client]:
    return closing(Client("127.0.0.1", port, timeout=PATIENCE))


def test_who_sends_no_body_is_answered_while_the_loop_is_busy(port: int) -> None:
    with client(port) as probe, client(port) as other:
        probe.request("GET", "/livez")  # a probe is answered on the loop, which waits meanwhile for whoever releases it
        assert other.asks("GET", "/somebody-waits") == b"so it is"
        assert other.asks("GET", "/who").startswith(b"tracker-")
        other.asks("GET", "/release")
        assert probe.hears() == b"released"


def test_a_body_is_handed_on_whole_however_it_arrives(port: int) -> None:
    with client(port) as asker:
        assert asker.asks("POST", "/echo", body=b"abc") == b"abc"
        assert (
            asker.asks("POST", "/echo", body=iter([b"a", b"b" * 100_000]), encode_chunked=True) == b"a" + b"b" * 100_000
        )
        assert asker.asks("POST", "/echo", body=b"") == b""
        assert asker.asks("HEAD", "/who") == b""
        assert asker.asks("GET", "/who").startswith(b"tracker-")


def test_who_leaves_before_the_answer_takes_no_thread_along(port: int) -> None:
    with client(port) as other:
        for _ in range(2):
            with client(port) as one, client(port) as another:
                for leaving in (one, another):
                    leaving.request("GET", "/wait")
                    assert other.asks("GET", "/readyz") == b"so it is"
            for _ in range(2):
                other.asks("GET", "/release")
        assert other.asks("GET", "/who").startswith(b"tracker-")


def test_a_request_that_cannot_be_taken_is_a_500_and_the_next_one_is_answered(port: int) -> None:
    with client(port) as asker, client(port) as other:
        asker.request("GET", "/broken")
        assert asker.getresponse().status == 500
        assert other.asks("GET", "/who").startswith(b"tracker-")
