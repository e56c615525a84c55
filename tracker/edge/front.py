"""The connections: bodies are gathered on the event loop, whole requests are answered in a few threads.

A slow client costs a socket and never a thread: a body has a bound and a deadline, and only a complete request is
handed on. ``/livez`` and ``/readyz`` are answered on the loop: a process whose threads are all busy still says how it
is. What hashes passwords has threads of its own: fifty who log in at once take none from the others.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections import Counter
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from tracker.domain.identity import new_id
from tracker.edge.addresses import Proxies
from tracker.edge.answers import problem_of
from tracker.edge.call import Answer, Call
from tracker.edge.cors import Cors
from tracker.edge.guard import PROBES
from tracker.edge.observer import Watched, attributed
from tracker.edge.problems import BadRequest, ContentTooLarge, Overloaded, RequestTimeout

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterable

    from tracker.domain.refusals import Refusal
    from tracker.edge.readiness import Lookout

    Scope = dict[str, Any]
    Receive = Callable[[], Awaitable[dict[str, Any]]]
    Send = Callable[[dict[str, Any]], Awaitable[None]]
    _Job = tuple[Call, asyncio.AbstractEventLoop, asyncio.Future[Answer]]

# The largest task there can be, every character of it escaped, has 249 KiB: more would only cost time to read.
MAX_BODY = 256 * 1024
MAX_DRAINED = 16 * MAX_BODY
BODY_DEADLINE = 10.0
MAX_IN_FLIGHT = 512
MAX_APART = 16  # who waits to have a password hashed, which takes 50 ms of a core each
MAX_AT_THE_DOOR = 64  # who waits, and costs nothing, to be one of those: who is sent away at once comes back at once
PATIENCE = 1.0  # seconds at the door

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


class _Broken(Exception):
    """The client went away, or framed the body in a way that the server cannot follow."""


class Front:
    """An ASGI application around ``respond``, which turns a complete Call into an Answer and never raises."""

    def __init__(  # noqa: PLR0913 - by name, and most have a default
        self,
        respond: Callable[[Call], Answer],
        *,
        threads: int,
        apart: Collection[tuple[str, str]] = (),
        threads_apart: int = 1,
        lookout: Lookout | None = None,
        close: Callable[[], None] = lambda: None,
        body_deadline: float = BODY_DEADLINE,
        proxies: Proxies | None = None,
        cors: Cors | None = None,
        watched: Watched | None = None,
    ) -> None:
        """Answer in ``threads`` threads, what is ``apart``, by method and path, in others.

        Take no request before the ``lookout`` has looked once; call ``close`` when the last request is answered and the
        server stops.
        """
        respond = self._respond = attributed(respond)
        self._watched = watched or Watched()
        self._lookout = lookout
        self._proxies, self._cors = proxies or Proxies(), cors or Cors()
        self._close = close
        self._deadline = body_deadline
        self._workers = Workers(respond, threads=threads)
        self._apart = Apart(respond, apart, threads=threads_apart)
        self._in_flight = 0

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

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        call = call_of(scope)
        call.address, call.secure = self._proxies.origin(scope)
        head = call.method == "HEAD"
        request, answer = self._watched.began(call), None
        if head:
            call.method = "GET"
        try:
            answer = await self._answer(call, receive)
        finally:
            self._watched.ended(request, call, answer)
        headers = [*_headers(answer, call), *self._cors.headers(call)]
        if self._lookout is not None and self._lookout.draining and _LEAVE not in headers:
            headers.append(_LEAVE)  # the connection would be closed soon, perhaps beneath a request
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if head else answer.body})

    async def _answer(self, call: Call, receive: Receive) -> Answer:
        if call.path in PROBES:
            return self._respond(call)
        if "content-length" in call.headers or "transfer-encoding" in call.headers:
            refusal = await self._gather(call, receive)
            if refusal is not None:
                return problem_of(refusal, call.request_id)
        if not self._apart.is_for(call):
            return await self._answered(call, self._workers)
        if not await self._apart.enter():
            return problem_of(Overloaded(), call.request_id)
        try:
            return await self._answered(call, self._apart)
        finally:
            self._apart.leave()

    async def _answered(self, call: Call, workers: Workers) -> Answer:
        if self._in_flight >= MAX_IN_FLIGHT:
            return problem_of(Overloaded(), call.request_id)
        self._in_flight += 1
        try:
            return await workers.answer(call)
        finally:
            self._in_flight -= 1

    async def _gather(self, call: Call, receive: Receive) -> Refusal | None:
        too_large = ContentTooLarge(f"A body has at most {MAX_BODY} bytes.")
        declared = call.headers.get("content-length", "0")
        if declared.isdecimal() and int(declared[:20]) > MAX_DRAINED:
            return too_large
        try:
            async with asyncio.timeout(self._deadline):
                body = await _body(receive)
        except TimeoutError:
            return RequestTimeout(f"The body did not arrive within {self._deadline:g} seconds.")
        except _Broken:  # whoever is still there hears it; without an answer the server would make it a 500
            return BadRequest([{"pointer": "", "rule": "arrives whole, as its headers say"}])
        if body is None:
            return too_large
        call.body = body
        return None

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


class Workers:
    """A few threads that answer calls in the order in which they came.

    What an executor does beside, nobody here needs: a future for threads to wait on, and a hand-over from that one to
    the loop's own.
    """

    def __init__(self, respond: Callable[[Call], Answer], *, threads: int) -> None:
        """Start the threads; ``respond`` never raises."""
        self._respond = respond
        self._waiting: SimpleQueue[_Job | None] = SimpleQueue()
        # Daemons: a process that is told to end for the second time does not wait for them.
        self._threads = [threading.Thread(target=self._work, name=f"tracker-{n}", daemon=True) for n in range(threads)]
        for thread in self._threads:
            thread.start()

    def answer(self, call: Call) -> asyncio.Future[Answer]:
        """Have a call answered; to be called on the loop that waits for it."""
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[Answer] = loop.create_future()
        self._waiting.put((call, loop, answered))
        return answered

    def close(self) -> None:
        """Return when every call is answered and every thread has ended."""
        for _ in self._threads:
            self._waiting.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while (job := self._waiting.get()) is not None:
            call, loop, answered = job
            loop.call_soon_threadsafe(_settle, answered, self._respond(call))


class Apart(Workers):
    """Those for what takes a core for long: few, with a short queue, and a door before it.

    Who finds the queue full waits at the door for a moment: most of those who come at the same time are let in, and who
    does not listen to Retry-After cannot ask a thousand times a second.
    """

    def __init__(
        self, respond: Callable[[Call], Answer], operations: Collection[tuple[str, str]], *, threads: int
    ) -> None:
        """Answer these operations, by method and path."""
        self._operations = frozenset(operations)
        self._places = asyncio.Semaphore(threads + MAX_APART)
        self._at_the_door = 0
        super().__init__(respond, threads=threads if operations else 0)

    def is_for(self, call: Call) -> bool:
        """Whether a call is answered here."""
        return (call.method, call.path) in self._operations

    async def enter(self) -> bool:
        """Return whether a call has a place, which ``leave`` gives back, as soon as there is one; False if not soon."""
        if self._at_the_door >= MAX_AT_THE_DOOR:
            return False
        self._at_the_door += 1
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._places.acquire()
        except TimeoutError:
            return False
        finally:
            self._at_the_door -= 1

    def leave(self) -> None:
        """Let the next one in."""
        self._places.release()


def _settle(answered: asyncio.Future[Answer], answer: Answer) -> None:
    if not answered.done():  # whoever waited may be gone
        answered.set_result(answer)


async def _body(receive: Receive) -> bytes | None:
    """Return the whole body, or None if it is too large: then as much is read as lets the client hear the answer."""
    chunks, size, more = [], 0, True
    while more and size <= MAX_DRAINED:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Broken
        chunk = message.get("body", b"")
        size += len(chunk)
        if size <= MAX_BODY:
            chunks.append(chunk)
        more = message.get("more_body", False)
    return b"".join(chunks) if size <= MAX_BODY else None


def call_of(scope: Scope) -> Call:
    """Return a request without its body."""
    pairs = scope["headers"]
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in pairs}
    repeated = _repeated(pairs) if len(headers) < len(pairs) else frozenset()
    asked = headers.get("x-request-id")
    request_id = asked if asked and _REQUEST_ID.fullmatch(asked) else new_id()
    return Call(scope["method"], scope["path"], scope["query_string"], headers, request_id, repeated)


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
