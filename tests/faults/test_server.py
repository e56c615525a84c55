"""The real server and clients that are slow, wrong or many requests ahead: the others notice nothing."""

from __future__ import annotations

import http.client
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from tests.faults.server import HOST, PATIENCE, Server, read_answer, read_answers, running, status_of

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

CLOSED_WITHIN = 15  # seconds
JSON = "Content-Type: application/json\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    with running(folder, f"sqlite:///{folder}/tracker.db", workers=1) as server:
        yield server


@pytest.fixture(scope="module")
def token(server: Server) -> str:
    return server.log_in("ann")


def said(server: Server, raw: str | bytes) -> bytes:
    """Return all that the server answers to some bytes, until it closes or nothing more comes."""
    with server.connect() as sock:
        sock.sendall(raw if isinstance(raw, bytes) else raw.encode("latin-1"))
        sock.settimeout(PATIENCE)
        return read_answers(sock)


# Slow clients.

HALVES = {
    "nothing": b"",
    "half a request line": b"GET /tas",
    "half a header": b"GET /tasks HTTP/1.1\r\nHost: local",
    "all headers but the last line": b"GET /tasks HTTP/1.1\r\nHost: localhost\r\n",
    "half a body": b'POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\n{"pa',
    "half a chunk": b"POST /login HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{",
    "no last chunk": b"POST /login HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
}


def typical_of(server: Server, token: str, requests: int) -> float:
    """Return how many seconds the middle one of so many requests took."""
    took = []
    for _ in range(requests):
        began = time.monotonic()
        assert server.ask("GET", "/tasks?limit=1", token=token).status == 200
        took.append(time.monotonic() - began)
    return sorted(took)[requests // 2]


def closing(sock: socket.socket, since: float) -> tuple[float, int | None]:
    """Return when a connection was closed, and with which answer."""
    sock.settimeout(2 * CLOSED_WITHIN)
    raw = read_answers(sock)
    return time.monotonic() - since, status_of(raw)


def test_clients_that_send_half_and_wait_hinder_nobody_and_are_closed(server: Server, token: str) -> None:
    before = typical_of(server, token, 30)
    since = time.monotonic()
    waiting = {name: [server.connect() for _ in range(20)] for name in HALVES}
    for name, sockets in waiting.items():
        for sock in sockets:
            sock.sendall(HALVES[name])

    meanwhile = typical_of(server, token, 30)
    assert time.monotonic() - since < 5, "the slow ones were closed before the others were measured"
    everybody = [(name, sock) for name, sockets in waiting.items() for sock in sockets]
    with ThreadPoolExecutor(len(everybody)) as threads:
        closed = list(threads.map(lambda one: (one[0], *closing(one[1], since)), everybody))
    for _, sock in everybody:
        sock.close()

    assert meanwhile < 10 * before + 0.1
    assert max(after for _, after, _ in closed) < CLOSED_WITHIN
    assert {(name, status) for name, _, status in closed if "body" in name or "chunk" in name} == {
        ("half a body", 408),
        ("half a chunk", 408),
        ("no last chunk", 408),
    }
    assert all(status in {None, 408} for _, _, status in closed)
    assert server.ask("GET", "/tasks?limit=1", token=token).status == 200


def test_a_client_that_goes_away_in_the_middle_of_its_body_is_forgotten(server: Server, token: str) -> None:
    for _ in range(20):
        with server.connect() as sock:
            sock.sendall(HALVES["half a body"])
    assert server.ask("GET", "/tasks?limit=1", token=token).status == 200


def test_a_client_that_does_not_read_its_answers_hinders_nobody(server: Server, token: str) -> None:
    deaf = [server.connect() for _ in range(20)]
    for sock in deaf:
        sock.sendall(b"GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert server.ask("GET", "/tasks?limit=1", token=token).status == 200
    for sock in deaf:
        sock.close()


# Large and broken requests.


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_of_two_megabytes_is_refused_in_words_an_ordinary_client_reads(
    server: Server, token: str, *, chunked: bool
) -> None:
    connection = http.client.HTTPConnection(HOST, server.port, timeout=PATIENCE)
    body = b'{"title": "' + b"x" * (2 * 1024 * 1024) + b'"}'
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    sent = iter([body[at : at + 65_536] for at in range(0, len(body), 65_536)]) if chunked else body
    connection.request("POST", "/tasks", sent, headers, encode_chunked=chunked)
    response = connection.getresponse()

    assert response.status == 413
    assert response.headers["content-type"] == "application/problem+json"
    assert b"content-too-large" in response.read()
    connection.close()
    assert server.ask("GET", "/me", token=token).status == 200


BROKEN = {
    "no Host": "GET /tasks HTTP/1.1\r\n{auth}\r\n",
    "an empty Host": "GET /tasks HTTP/1.1\r\nHost:\r\n{auth}\r\n",
    "no Host, HTTP/1.0": "GET /tasks HTTP/1.0\r\n{auth}\r\n",
    "another Host": "GET /tasks HTTP/1.1\r\nHost: evil.example\r\n{auth}\r\n",
    "two Hosts": "GET /tasks HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n{auth}\r\n",
    "the same Host twice": "GET /tasks HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n{auth}\r\n",
    "an absolute target": "GET http://evil.example/tasks HTTP/1.1\r\nHost: evil.example\r\n{auth}\r\n",
    "an authority": "CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n{auth}\r\n",
    "an asterisk": "OPTIONS * HTTP/1.1\r\nHost: localhost\r\n{auth}\r\n",
    "a target without a slash": "GET tasks HTTP/1.1\r\nHost: localhost\r\n{auth}\r\n",
    "two slashes": "GET //tasks HTTP/1.1\r\nHost: localhost\r\n{auth}\r\n",
    "a NUL in the path": "GET /tasks/%00 HTTP/1.1\r\nHost: localhost\r\n{auth}\r\n",
    "bad UTF-8 in the path": "GET /tasks/%ff HTTP/1.1\r\nHost: localhost\r\n{auth}\r\n",
    "bytes in the path": "GET /tasks/\xff HTTP/1.1\r\nHost: localhost\r\n{auth}\r\n",
    "bytes in the query": "GET /tasks?\xff HTTP/1.1\r\nHost: localhost\r\n{auth}\r\n",
    "a folded header": "{get}X-A: b\r\n c\r\n\r\n",
    "a space before the colon": "{get}X-A : b\r\n\r\n",
    "a NUL in a header": "{get}X-A: b\0\r\n\r\n",
    "a header of 64 KiB": "{get}X-A: " + "x" * 65_536 + "\r\n\r\n",
    "2,000 headers": "{get}" + "X-A: b\r\n" * 2_000 + "\r\n",
    "a target of 64 KiB": "GET /tasks?" + "x" * 65_536 + " HTTP/1.1\r\nHost: localhost\r\n{auth}\r\n",
    "a target of 20 kB": "GET /tasks?" + "x" * 20_000 + " HTTP/1.1\r\nHost: localhost\r\n{auth}\r\n",
    "two authorizations": "{get}{auth}\r\n",
    "a method in small letters": "get /tasks HTTP/1.1\r\nHost: localhost\r\n{auth}\r\n",
    "HTTP/9.9": "GET /tasks HTTP/9.9\r\nHost: localhost\r\n{auth}\r\n",
    "no version": "GET /tasks\r\n\r\n",
    "a TLS hello": "\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
    "two lengths": "{post}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{{}} ",
    "one length twice": "{post}Content-Length: 2\r\nContent-Length: 2\r\n\r\n{{}}",
    "a list of lengths": "{post}Content-Length: 2,2\r\n\r\n{{}}",
    "a signed length": "{post}Content-Length: +2\r\n\r\n{{}}",
    "a length below nothing": "{post}Content-Length: -2\r\n\r\n{{}}",
    "an immense length": "{post}Content-Length: " + "9" * 30 + "\r\n\r\n{{}}",
    "a coding nobody knows": "{post}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunked and more": "{post}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "a chunk without a length": "{post}Transfer-Encoding: chunked\r\n\r\nZZ\r\n",
    "a chunk of no end": "{post}Transfer-Encoding: chunked\r\n\r\n" + "f" * 20 + "\r\n",
    "Application/JSON": "POST /tasks HTTP/1.1\r\nHost: localhost\r\n{auth}Content-Type: Application/JSON\r\n\r\n",
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_a_broken_request_is_refused_and_the_next_one_is_answered(server: Server, token: str, broken: str) -> None:
    auth = f"Host: localhost\r\nAuthorization: Bearer {token}\r\n"
    raw = broken.format(
        auth=auth.partition("\n")[2],
        get=f"GET /tasks HTTP/1.1\r\n{auth}",
        post=f"POST /tasks HTTP/1.1\r\n{auth}{JSON}",
    )
    with server.connect() as sock:
        with suppress(ConnectionError):  # it may have heard enough before all is said
            sock.sendall(raw.encode("latin-1"))
        answer = read_answer(sock)

    assert 400 <= answer.status < 500
    assert len(answer.body) <= 4096
    assert server.ask("GET", "/me", token=token).status == 200


def test_a_length_and_chunks_together_smuggle_nothing(server: Server, token: str) -> None:
    """RFC 9112, section 6.3: the chunks count, the rest is not read as a request, and the connection ends."""
    head = f"POST /tasks HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n{JSON}"
    for framing in (
        "Content-Length: 3\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 3",
    ):
        request = f'{head}{framing}\r\n\r\nd\r\n{{"title":"a"}}\r\n0\r\n\r\n'
        answers = said(server, f"{request}GET /me HTTP/1.1\r\nHost: localhost\r\n\r\n")

        assert status_of(answers) in {201, 400}
        assert answers.count(b"HTTP/1.1 ") == 1


def test_an_absolute_target_is_for_the_host_that_its_host_names(server: Server, token: str) -> None:
    """What stood before the path is not shown to an application by this server; Host decides, as it always does."""
    for host, status in (("localhost", 200), ("evil.example", 400)):
        raw = f"GET http://evil.example/me HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\r\n"
        with server.connect() as sock:
            sock.sendall(raw.encode())
            assert read_answer(sock).status == status


# What HTTP promises over the wire.


def test_head_answers_what_get_does_without_the_body(server: Server, token: str) -> None:
    for path in ("/tasks", "/me", "/docs", "/livez", "/nowhere"):
        got, head = (server.ask(method, path, token=token) for method in ("GET", "HEAD"))

        assert (head.status, head.body) == (got.status, b"")
        assert head.headers["content-length"] == str(len(got.body))


def test_head_leaves_the_connection_fit_for_the_next_request(server: Server, token: str) -> None:
    request = f"HEAD /me HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n"
    with server.connect() as sock:
        for _ in range(3):
            sock.sendall(request.encode())
            assert read_answer(sock, "HEAD").status == 200


def test_requests_sent_ahead_are_answered_in_their_order(server: Server, token: str) -> None:
    one = "GET {} HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: {}\r\nAuthorization: Bearer {}\r\n{}\r\n"
    paths = [("/me", 200), ("/nowhere", 404), ("/tasks?limit=1", 200), ("/livez", 200), ("/docs", 200)] * 4
    sent = "".join(
        one.format(path, f"request-{n}", token, "Connection: close\r\n" if n == len(paths) - 1 else "")
        for n, (path, _) in enumerate(paths)
    )
    answers = said(server, sent)

    ids = [line.split(b": ")[1].decode() for line in answers.split(b"\r\n") if line.startswith(b"x-request-id: ")]
    assert ids == [f"request-{n}" for n in range(len(paths))]


def test_a_client_that_asks_first_is_told_to_go_on(server: Server, token: str) -> None:
    head = f"POST /tasks HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n{JSON}Expect: 100-continue\r\n"
    with server.connect() as sock:
        sock.sendall(f"{head}Content-Length: 13\r\n\r\n".encode())
        assert sock.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(b'{"title":"a"}')
        assert read_answer(sock, "POST").status == 201


def test_nothing_compresses_what_holds_a_secret(server: Server, token: str) -> None:
    with server.connect() as sock:
        raw = (
            f"GET /me HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nAccept-Encoding: gzip, br\r\n\r\n"
        )
        sock.sendall(raw.encode())
        assert "content-encoding" not in read_answer(sock).headers
