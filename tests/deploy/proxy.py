"""Caddy with the Caddyfile as it stands, at free ports of 127.0.0.1, in front of servers of ours.

Without the program, what needs it is skipped; TRACKER_REQUIRE_SERVERS=1 makes that a failure.
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.deploy.reading import DEPLOY
from tests.faults.server import HOST, PATIENCE, Answer
from tests.missing import unavailable
from tracker.cli.server import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.faults.server import Server

CADDYFILE = DEPLOY / "Caddyfile"
SITE = "localhost"


@dataclass(frozen=True)
class Proxy:
    """One that runs, with a certificate of its own authority."""

    process: subprocess.Popen[bytes]
    https: int
    plain: int
    folder: Path

    def ask(  # noqa: PLR0913 - by name, and most have a default
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        token: str | None = None,
        client: str = HOST,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """Return the answer to one request by TLS, sent from an address of this machine."""
        given = {"Host": f"{SITE}:{self.https}", "Connection": "close", **(headers or {})}
        given |= {"Authorization": f"Bearer {token}"} if token else {}
        given |= {"Content-Type": "application/json"} if body is not None else {}
        raw = None if body is None else json.dumps(body).encode()
        with self._connected(client) as connection:
            connection.request(method, path, raw, given)
            response = connection.getresponse()
            return Answer(response.status, {n.lower(): v for n, v in response.getheaders()}, response.read())

    @contextmanager
    def _connected(self, client: str) -> Iterator[http.client.HTTPConnection]:
        context = ssl.create_default_context(cafile=str(self.authority))
        with (
            socket.create_connection((HOST, self.https), PATIENCE, source_address=(client, 0)) as plain,
            context.wrap_socket(plain, server_hostname=SITE) as sealed,
            closing(http.client.HTTPConnection(SITE, self.https)) as connection,
        ):
            connection.sock = sealed
            yield connection

    @property
    def authority(self) -> Path:
        return self.folder / "data" / "caddy" / "pki" / "authorities" / "local" / "root.crt"

    @property
    def log(self) -> str:
        return (self.folder / "caddy.log").read_text(encoding="utf-8")

    def wait(self) -> None:
        """Return when it answers for the servers behind it."""
        until = time.monotonic() + PATIENCE
        while not self._answers():
            assert self.process.poll() is None, self.log
            assert time.monotonic() < until, self.log
            time.sleep(0.1)

    def _answers(self) -> bool:
        try:
            return self.authority.exists() and self.ask("GET", "/readyz").status == 200
        except (OSError, http.client.HTTPException):
            return False


def program() -> str:
    """Return the program; skip the test where there is none."""
    found = shutil.which("caddy")
    if found is None:
        unavailable("no Caddy: the program caddy is not installed")
    return str(found)


@contextmanager
def proxied(folder: Path, servers: Sequence[Server]) -> Iterator[Proxy]:
    """Give a proxy that answers, before these servers; it has to end by itself when it is asked to."""
    https, plain = free_port(HOST), free_port(HOST)
    environment = {
        "PATH": os.defpath,
        "HOME": str(folder),
        "XDG_DATA_HOME": str(folder / "data"),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "BIND": HOST,
        "HTTP_PORT": str(plain),
        "HTTPS_PORT": str(https),
        "SITE": SITE,
        "UPSTREAMS": " ".join(f"{HOST}:{server.port}" for server in servers),
    }
    command = [program(), "run", "--config", str(CADDYFILE), "--adapter", "caddyfile"]
    with (folder / "caddy.log").open("wb") as log:
        given: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log, "start_new_session": True}
        process = subprocess.Popen(command, cwd=folder, env=environment, **given)
    try:
        proxy = Proxy(process, https, plain, folder)
        proxy.wait()
        yield proxy
        process.terminate()
        assert process.wait(timeout=PATIENCE) == 0, proxy.log
    finally:
        process.kill()
        process.wait(timeout=PATIENCE)
