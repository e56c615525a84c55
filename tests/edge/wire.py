"""The application as a server sees it: ASGI messages in, ASGI messages out, no socket."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tests.canaries.watch import WATCH, look_at_exchange
from tests.client import Promises, Received
from tests.world import DOCUMENT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator, Mapping

    from tracker.edge.front import Front

CANARY = "c4n4ry-5f1d"
PATIENCE = 30  # seconds; for what takes none
LIMIT = 4096  # bytes: no problem is longer


class Wire:
    """Sends requests to a Front, each on an event loop of its own, and holds the answers to the contract."""

    def __init__(self, front: Front, token: str | None = None) -> None:
        self.front, self._token = front, token
        WATCH.keep(token)
        self._promises = Promises(DOCUMENT)

    @classmethod
    @contextmanager
    def to(cls, front: Front, token: str | None = None) -> Iterator[Wire]:
        """Give a wire to a front, and stop the front afterwards."""
        yield cls(front, token)
        asyncio.run(live(front, "shutdown"))

    def send(  # noqa: PLR0913 - a request has that many parts
        self,
        method: str,
        target: str,
        body: bytes | Iterable[bytes] | None = None,
        *,
        headers: Iterable[tuple[str, str]] | Mapping[str, str] = (),
        anonymous: bool = False,
        peer: str | None = None,
    ) -> Received:
        """Return the answer to a ``peer``'s address; a body in pieces comes chunked, without a length."""
        pairs = [*(headers.items() if hasattr(headers, "items") else headers)]
        if self._token and not anonymous:
            pairs.append(("authorization", f"Bearer {self._token}"))
        if body is not None and "content-type" not in dict(pairs):
            pairs.append(("content-type", "application/json"))
        request = scope(method, target, body, pairs)
        request["client"] = (peer, 40000) if peer else None
        received = asyncio.run(exchange(self.front, request, pieces(body)))
        self._promises.hold(method, request["path"], received)
        look_at_exchange(body, received.status, received.body)
        return received


def scope(
    method: str, target: str, body: bytes | Iterable[bytes] | None = None, headers: Iterable[tuple[str, str]] = ()
) -> dict[str, Any]:
    """Return what a server says of a request before its body."""
    path, _, query = target.partition("?")
    framing = [] if body is None else [("content-length", str(len(body)))] if isinstance(body, bytes) else [CHUNKED]
    pairs = [("host", "localhost"), *framing, *headers]
    return {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query.encode("latin-1"),
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in pairs],
    }


CHUNKED = ("transfer-encoding", "chunked")


async def pieces(body: bytes | Iterable[bytes] | None) -> AsyncIterator[dict[str, Any]]:
    """Yield a body's messages as a server does: what has arrived, and at the end that there is no more."""
    for piece in [body] if isinstance(body, bytes) else body or []:
        yield {"type": "http.request", "body": piece, "more_body": True}
    yield {"type": "http.request", "body": b"", "more_body": False}


async def exchange(front: Any, request: dict[str, Any], messages: AsyncIterator[dict[str, Any]]) -> Received:
    """Return the answer to one request whose body arrives as the messages do."""
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async with asyncio.timeout(PATIENCE):
        await front(request, messages.__anext__, send)
    start, body = sent
    headers = {name.decode(): value.decode("latin-1") for name, value in start["headers"]}
    assert len(headers) == len(start["headers"]), "a header was sent twice"
    return Received(start["status"], headers, body["body"])


async def live(front: Any, event: str) -> list[str]:
    """Tell a front that its server starts or stops; return what it answers."""
    events = iter([{"type": f"lifespan.{event}"}, {"type": "lifespan.shutdown"}])
    answers: list[str] = []

    async def receive() -> dict[str, Any]:
        return next(events)

    async def send(message: dict[str, Any]) -> None:
        answers.append(message["type"])

    await front({"type": "lifespan"}, receive, send)
    return answers


def assert_discreet(refused: Received) -> None:
    """Fail unless an answer is a short problem that keeps what was sent to itself."""
    assert refused.problem
    assert len(refused.body) <= LIMIT
    assert CANARY not in refused.body.decode()
    assert all(CANARY not in value for value in refused.headers.values())
