"""Rate limits, proxies and other origins through the whole server: two processes, sockets, a real Redis."""

from __future__ import annotations

import http.client
from collections import Counter
from pathlib import Path

import pytest

from tests.databases import database
from tests.faults.server import HOST, PATIENCE, Server, running
from tests.servers import PASSWORD, redis_server


def ask(server: Server, path: str = "/tasks", method: str = "GET", **headers: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(HOST, server.port, timeout=PATIENCE)
    connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    response = connection.getresponse()
    response.read()
    connection.close()
    return response


@pytest.mark.redis
def test_the_processes_of_a_server_count_together_and_go_on_alone_without_their_redis(tmp_path: Path) -> None:
    with database("sqlite") as url, redis_server() as redis:
        with running(tmp_path, url, workers=2, REDIS_URL=redis.url, RATE_LIMIT="20/hour") as server:
            together = Counter(ask(server).status for _ in range(50))
            redis.kill()
            alone = Counter(ask(server).status for _ in range(150))
        log = server.log.read_text(encoding="utf-8")

    assert together == {401: 20, 429: 30}
    assert set(alone) <= {401, 429}
    assert 1 <= alone[401] <= 40  # each of two processes has a count of its own
    assert "Redis does not answer (ConnectionError)" in log
    assert PASSWORD not in log


def test_a_proxy_that_is_trusted_says_who_asks_and_whether_by_tls(tmp_path: Path) -> None:
    origin = "https://app.example.com"
    believed = "127.0.0.0/8"
    with (
        database("sqlite") as url,
        running(tmp_path, url, RATE_LIMIT="3/hour", TRUSTED_PROXIES=believed, CORS_ORIGINS=origin) as server,
    ):
        ann = {"X_Forwarded_For": "192.0.2.1, 198.51.100.7", "X_Forwarded_Proto": "https"}
        statuses = [ask(server, **ann).status for _ in range(5)]
        other = ask(server, X_Forwarded_For="192.0.2.1, 198.51.100.8", X_Forwarded_Proto="https")
        page = {"Origin": origin, "Access_Control_Request_Method": "POST"}
        told = ask(server, method="OPTIONS", **page)

    assert statuses == [401] * 3 + [429] * 2
    assert other.status == 401
    assert other.getheader("Strict-Transport-Security") == "max-age=31536000"
    assert (told.status, told.getheader("Access-Control-Allow-Origin")) == (204, origin)
    assert told.getheader("Access-Control-Allow-Methods") == "GET, HEAD, POST"
