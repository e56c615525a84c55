"""The connections: bodies are gathered on the event loop, whole requests are answered in a few threads.

A slow client costs a socket and never a thread: only a complete request is handed on. ``/livez`` and ``/readyz`` are
answered on the loop: a process whose threads are all busy still says how it is. What hashes passwords has threads of
its own: fifty who log in at once take none from the others.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections import Counter
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, NamedTuple

from tracker.domain.identity import new_id
from tracker.domain.refusals import Refusal
from tracker.edge.addresses import Proxies
from tracker.edge.answers import problem_of
from tracker.edge.bodies import DEADLINE, Bodies
from tracker.edge.call import Answer, Call
from tracker.edge.cors import Cors
from tracker.edge.guard import PROBES
from tracker.edge.observer import Watched, attributed
from tracker.edge.problems import Overloaded
from tracker.edge.workers import Apart, Workers, answer_to_wait_for

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterable
    from contextlib import AbstractContextManager

    from tracker.edge.readiness import Lookout
    from tracker.edge.workers import Then
    from tracker.observed import Request

    Scope = dict[str, Any]
    Message = dict[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]

MAX_IN_FLIGHT = 512

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}", re.ASCII)
# On every answer; what is specific to one page is set by the page.
_ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)
# Only where it came by TLS, and without the hosts below: whether they can do TLS is not ours to say.
_TLS_FROM_NOW_ON = (b"strict-transport-security", b"max-age=31536000")
_BODILESS = {204, 304}  # the first has no length, the second that of the page it stands for
_LEAVE = (b"connection", b"close")
_NO_PAGE = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")


class Exchange(NamedTuple):
    """A request that was taken: the call, what those who watch were told, and whether its answer leaves bodiless."""

    call: Call
    request: Request
    wants_head: bool


class Front:
    """An ASGI application around ``respond``, which turns a complete Call into an Answer and never raises.

    A server that knows more than ASGI takes each step by itself: ``begin``, ``answer_at_once`` or, on its loop,
    ``answer``, and ``end``.
    """

    def __init__(  # noqa: PLR0913 - by name, and most have a default
        self,
        respond: Callable[[Call], Answer],
        *,
        threads: int,
        apart: Collection[tuple[str, str]] = (),
        threads_apart: int = 1,
        lookout: Lookout | None = None,
        close: Callable[[], None] = lambda: None,
        body_deadline: float = DEADLINE,
        proxies: Proxies | None = None,
        cors: Cors | None = None,
        watched: Watched | None = None,
        stay: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        """Answer in ``threads`` threads, what is ``apart``, by method and path, in others; each is in a ``stay``.

        Take no request before the ``lookout`` has looked once; call ``close`` when the last request is answered and the
        server stops.
        """
        respond = self._respond = attributed(respond)
        self._watched = watched or Watched()
        self._lookout = lookout
        self._proxies, self._cors = proxies or Proxies(), cors or Cors()
        self._close = close
        self._bodies = Bodies(body_deadline)
        self._workers = Workers(respond, threads=threads, stay=stay)
        self._apart = Apart(respond, apart, threads=threads_apart, stay=stay)
        self._in_flight, self._counting = 0, threading.Lock()

    @property
    def lookout(self) -> Lookout | None:
        """What knows whether this process can serve."""
        return self._lookout

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection event of the server."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)

    def begin(self, scope: Scope) -> Exchange:
        """Take a request; ``end`` or ``give_up`` has to follow."""
        call = call_of(scope)
        call.address, call.secure = self._proxies.origin(scope)
        wants_head = call.method == "HEAD"
        request = self._watched.began(call)
        if wants_head:
            call.method = "GET"
        return Exchange(call, request, wants_head)

    def end(self, exchange: Exchange, answer: Answer) -> tuple[Message, Message]:
        """Return what is to be sent now."""
        call, request, wants_head = exchange
        self._watched.ended(request, call, answer)
        headers = [*_headers(answer, call), *self._cors.headers(call)]
        if self._lookout is not None and self._lookout.draining and _LEAVE not in headers:
            headers.append(_LEAVE)  # the connection would be closed soon, perhaps beneath a request
        return (
            {"type": "http.response.start", "status": answer.status, "headers": headers},
            {"type": "http.response.body", "body": b"" if wants_head else answer.body},
        )

    def give_up(self, exchange: Exchange) -> None:
        """Take note that nobody waits for the answer any more."""
        self._watched.ended(exchange.request, exchange.call, None)

    def answer_at_once(self, call: Call, then: Then) -> bool:
        """Have a call answered, and ``then`` told in the thread that did; False where the loop has to wait first."""
        waits = call.path in PROBES or has_body(call) or self._apart.is_for(call)
        if not waits:
            self._hand(call, then, self._workers)
        return not waits

    async def answer(self, call: Call, receive: Receive, then: Then) -> None:
        """Have a call answered that the loop has to wait for; ``then`` is told here or in the thread that did."""
        if call.path in PROBES:
            then(self._respond(call))
        elif (refused := await self._gather(call, receive)) is not None:
            then(refused)
        elif self._apart.is_for(call):
            then(await self._answered_apart(call))
        else:
            self._hand(call, then, self._workers)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = self.begin(scope)
        answered, tell = answer_to_wait_for()
        try:
            if not self.answer_at_once(exchange.call, tell):
                await self.answer(exchange.call, receive, tell)
            answer = await answered
        except BaseException:
            self.give_up(exchange)
            raise
        for message in self.end(exchange, answer):
            await send(message)

    async def _gather(self, call: Call, receive: Receive) -> Answer | None:
        """Have the body in the call; return what is said instead where it does not come as it should."""
        if has_body(call):
            try:
                call.body = await self._bodies.gathered(call, receive)
            except Refusal as refusal:
                return problem_of(refusal, call.request_id)
        return None

    async def _answered_apart(self, call: Call) -> Answer:
        if not await self._apart.enter():
            return problem_of(Overloaded(), call.request_id)
        answered, tell = answer_to_wait_for()
        try:
            self._hand(call, tell, self._apart)
            return await answered
        finally:
            self._apart.leave()

    def _hand(self, call: Call, then: Then, workers: Workers) -> None:
        if not self._enter():
            then(problem_of(Overloaded(), call.request_id))
            return

        def leave(answer: Answer) -> None:
            self._leave()
            then(answer)

        workers.hand(call, leave)

    def _enter(self) -> bool:
        with self._counting:
            has_room = self._in_flight < MAX_IN_FLIGHT
            self._in_flight += has_room
        return has_room

    def _leave(self) -> None:
        with self._counting:
            self._in_flight -= 1

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                if self._lookout is not None:
                    await asyncio.to_thread(self._lookout.start)
                await send({"type": "lifespan.startup.complete"})
            else:
                self._workers.close()
                self._apart.close()
                self._close()
                await send({"type": "lifespan.shutdown.complete"})
                return


def call_of(scope: Scope) -> Call:
    """Return a request without its body."""
    pairs = scope["headers"]
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in pairs}
    repeated = _repeated(pairs) if len(headers) < len(pairs) else frozenset()
    asked = headers.get("x-request-id")
    request_id = asked if asked and _REQUEST_ID.fullmatch(asked) else new_id()
    return Call(scope["method"], scope["path"], scope["query_string"], headers, request_id, repeated)


def has_body(call: Call) -> bool:
    """Whether a request says that there is more to come than its head."""
    return "content-length" in call.headers or "transfer-encoding" in call.headers


def _repeated(pairs: Iterable[tuple[bytes, bytes]]) -> frozenset[str]:
    """Return the names that were sent more than once."""
    counted = Counter(name.decode("latin-1").lower() for name, _ in pairs)
    return frozenset(name for name, count in counted.items() if count > 1)


def _headers(answer: Answer, call: Call) -> list[tuple[bytes, bytes]]:
    headers = [*answer.headers, *_ALWAYS, (b"x-request-id", call.request_id.encode())]
    names = {name for name, _ in answer.headers}
    if b"content-security-policy" not in names:
        headers.append(_NO_PAGE)
    if call.secure:
        headers.append(_TLS_FROM_NOW_ON)
    if b"content-length" not in names and answer.status not in _BODILESS:
        headers.append((b"content-length", str(len(answer.body)).encode()))
    return headers
