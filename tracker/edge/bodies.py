"""Bodies, gathered on the event loop: each has a bound, and all of it has to arrive before a deadline."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from tracker.edge.problems import BadRequest, ContentTooLarge, RequestTimeout

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tracker.edge.call import Call

    Receive = Callable[[], Awaitable[dict[str, Any]]]

# The largest task there can be, every character of it escaped, has 249 KiB: more would only cost time to read.
MAX_BODY = 256 * 1024
MAX_DRAINED = 16 * MAX_BODY
DEADLINE = 10.0  # seconds


class Bodies:
    """Gathers those of one event loop at a time.

    They share one timer, which is set for the oldest that is under way: one for each would be made and ended with each
    request, and hardly ever go off.
    """

    def __init__(self, deadline: float) -> None:
        """Give up on a body after so many seconds."""
        self._deadline = deadline
        self._awaited: dict[asyncio.Task[Any], float] = {}
        self._late: set[asyncio.Task[Any]] = set()
        self._looks: asyncio.AbstractEventLoop | None = None
        """The loop on which the timer is set, if it is."""

    async def gathered(self, call: Call, receive: Receive) -> bytes:
        """Return the whole body of a call.

        ContentTooLarge, BadRequest where it breaks off, RequestTimeout where it does not arrive in time.
        """
        declared = call.headers.get("content-length", "0")
        if declared.isdecimal() and int(declared[:20]) > MAX_DRAINED:
            raise _too_large()
        task = asyncio.current_task()
        assert task is not None, "an application is called in a task"  # noqa: S101 - asyncio's own rule
        self._await(task)
        try:
            return await _whole(receive)
        except asyncio.CancelledError:
            if task not in self._late or task.uncancel() > 0:
                raise  # somebody else gave it up
            raise RequestTimeout(f"The body did not arrive within {self._deadline:g} seconds.") from None
        finally:
            del self._awaited[task]
            self._late.discard(task)

    def _await(self, task: asyncio.Task[Any]) -> None:
        loop = asyncio.get_running_loop()
        self._awaited[task] = loop.time() + self._deadline
        if self._looks is not loop:
            self._looks = loop
            loop.call_later(self._deadline, self._give_up_late, loop)

    def _give_up_late(self, loop: asyncio.AbstractEventLoop) -> None:
        """Give up on those whose time is over, and look again when that of the next one is."""
        now = loop.time()
        for task, until in self._awaited.items():  # the oldest comes first
            if until > now:
                loop.call_at(until, self._give_up_late, loop)
                return
            if task not in self._late:
                self._late.add(task)
                task.cancel()
        self._looks = None


async def _whole(receive: Receive) -> bytes:
    """Return a body; of one that is too large as much is read as lets the client hear so."""
    chunks, size, more = [], 0, True
    while more and size <= MAX_DRAINED:
        message = await receive()
        if message["type"] == "http.disconnect":  # whoever is still there hears of it; else the server makes it a 500
            raise BadRequest([{"pointer": "", "rule": "arrives whole, as its headers say"}])
        chunk = message.get("body", b"")
        size += len(chunk)
        if size <= MAX_BODY:
            chunks.append(chunk)
        more = message.get("more_body", False)
    if size > MAX_BODY:
        raise _too_large()
    return b"".join(chunks)


def _too_large() -> ContentTooLarge:
    return ContentTooLarge(f"A body has at most {MAX_BODY} bytes.")
