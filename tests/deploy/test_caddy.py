"""The Caddyfile as it stands, by TLS before two real servers, one of which goes away."""

from __future__ import annotations

import http.client
import signal
import subprocess
import threading
import time
from collections import Counter
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pytest

from tests.databases import database
from tests.deploy.proxy import CADDYFILE, SITE, Proxy, program, proxied
from tests.faults.server import HOST, PATIENCE, Server, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.caddy

READERS = 4
READINGS = 40  # before somebody goes, and after
PERSON = {"username": "ann", "email": "ann@example.com", "password": "correct horse battery"}


def behind(folder: Path, url: str, rate_limit: str = "off") -> AbstractContextManager[Server]:
    """Give a server that believes the proxy."""
    return running(folder, url, TRUSTED_PROXIES=HOST, ALLOWED_HOSTS=SITE, RATE_LIMIT=rate_limit)


@contextmanager
def two_servers(folder: Path) -> Iterator[list[Server]]:
    """Give two servers on one database."""
    with database("sqlite") as url, behind(folder, url) as one, behind(folder, url) as other:
        yield [one, other]


def logged_in(proxy: Proxy) -> str:
    """Register somebody and return a token of theirs."""
    assert proxy.ask("POST", "/register", PERSON).status == 201
    credentials = {name: PERSON[name] for name in ("username", "password")}
    token: str = proxy.ask("POST", "/login", credentials).json["access_token"]
    return token


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Proxy, Server]]:
    """A proxy, and one of the two servers behind it."""
    folder = tmp_path_factory.mktemp("stack")
    with two_servers(folder) as servers, proxied(folder, servers) as proxy:
        yield proxy, servers[0]


def test_requests_pass_and_browsers_are_told_to_stay_with_tls(stack: tuple[Proxy, Server]) -> None:
    proxy, server = stack
    token = logged_in(proxy)
    made = proxy.ask("POST", "/tasks", {"title": "Water the plants"}, token=token)
    listed = proxy.ask("GET", "/tasks", token=token)
    directly = server.ask("GET", "/readyz")

    assert (made.status, listed.status) == (201, 200)
    assert [task["title"] for task in listed.json["items"]] == ["Water the plants"]
    assert listed.headers["strict-transport-security"] == "max-age=31536000"
    assert "strict-transport-security" not in directly.headers


def test_who_comes_without_tls_is_sent_to_it(stack: tuple[Proxy, Server]) -> None:
    proxy, _ = stack
    with closing(http.client.HTTPConnection(HOST, proxy.plain, timeout=PATIENCE)) as connection:
        connection.request("GET", "/tasks?limit=1", headers={"Host": SITE})
        answer = connection.getresponse()

    assert answer.status == 308
    assert answer.headers["Location"].startswith(f"https://{SITE}")
    assert answer.headers["Location"].endswith("/tasks?limit=1")


def test_the_proxy_says_whom_it_speaks_for_whatever_the_client_claims(tmp_path: Path) -> None:
    with (
        database("sqlite") as url,
        behind(tmp_path, url, rate_limit="3/hour") as server,
        proxied(tmp_path, [server]) as proxy,
    ):

        def status(client: str, **headers: str) -> int:
            return proxy.ask("GET", "/tasks", client=client, headers=headers).status

        first = [status("127.0.0.2") for _ in range(4)]
        claimed = status("127.0.0.2", **{"X-Forwarded-For": "192.0.2.7", "Forwarded": "for=192.0.2.7"})
        other = status("127.0.0.3")

    assert first == [401, 401, 401, 429]
    assert claimed == 429
    assert other == 401


class Readers:
    """Several who read, one request after the other, until they are told to stop."""

    def __init__(self, read: Callable[[], int]) -> None:
        self._read = read
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._go_on) for _ in range(READERS)]
        self.outcomes: list[int | str] = []

    def _go_on(self) -> None:
        while not self._stopped.is_set():
            try:
                self.outcomes.append(self._read())
            except (OSError, http.client.HTTPException) as problem:
                self.outcomes.append(repr(problem))

    def wait_for_more(self) -> None:
        until, enough = time.monotonic() + PATIENCE, len(self.outcomes) + READINGS
        while len(self.outcomes) < enough:
            assert time.monotonic() < until
            time.sleep(0.05)

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join(PATIENCE)


def ask_to_stop(server: Server) -> None:
    assert server.stop() == 0


def kill(server: Server) -> None:
    """End the server and the processes that it has made, without a word."""
    made = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text(encoding="ascii").split()
    server.process.kill()
    server.process.wait(timeout=PATIENCE)
    subprocess.run(["kill", f"-{signal.SIGKILL:d}", *made], check=False, stderr=subprocess.DEVNULL)


@pytest.mark.parametrize("end", [ask_to_stop, kill])
def test_no_reading_fails_when_a_server_goes_away(end: Callable[[Server], None], tmp_path: Path) -> None:
    with two_servers(tmp_path) as servers, proxied(tmp_path, servers) as proxy:
        token = logged_in(proxy)
        with Readers(lambda: proxy.ask("GET", "/tasks", token=token).status) as readers:
            readers.wait_for_more()
            end(servers[0])
            readers.wait_for_more()

    assert Counter(readers.outcomes) == {200: len(readers.outcomes)}, proxy.log


def test_the_caddyfile_is_laid_out_as_caddy_lays_it_out(tmp_path: Path) -> None:
    copy = tmp_path / "Caddyfile"
    copy.write_bytes(CADDYFILE.read_bytes())
    subprocess.run([program(), "fmt", "--overwrite", copy], check=True, capture_output=True)
    assert copy.read_bytes() == CADDYFILE.read_bytes()
