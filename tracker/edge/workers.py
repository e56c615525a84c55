"""The threads that answer calls: those for everything, and those apart for what takes a core for long."""

from __future__ import annotations

import asyncio
import threading
from contextlib import nullcontext
from queue import SimpleQueue
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from contextlib import AbstractContextManager

    from tracker.edge.call import Answer, Call

    Then = Callable[[Answer], object]

MAX_APART = 16  # who waits to have a password hashed, which takes 50 ms of a core each
MAX_AT_THE_DOOR = 64  # who waits, and costs nothing, to be one of those: who is sent away at once comes back at once
PATIENCE = 1.0  # seconds at the door


class Workers:
    """A few threads that answer calls in the order in which they came.

    What an executor does beside, nobody here needs: a future for threads to wait on, and a hand-over from that one to
    the loop's own.
    """

    def __init__(
        self,
        respond: Callable[[Call], Answer],
        *,
        threads: int,
        stay: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        """Start the threads, each of which is in a ``stay`` for as long as it lives; ``respond`` never raises."""
        self._respond, self._stay = respond, stay
        self._waiting: SimpleQueue[tuple[Call, Then] | None] = SimpleQueue()
        # Daemons: a process that is told to end for the second time does not wait for them.
        self._threads = [threading.Thread(target=self._work, name=f"tracker-{n}", daemon=True) for n in range(threads)]
        for thread in self._threads:
            thread.start()

    def hand(self, call: Call, then: Then) -> None:
        """Have a call answered, and ``then`` be told the answer in the thread that made it; it never raises."""
        self._waiting.put((call, then))

    def close(self) -> None:
        """Return when every call is answered and every thread has ended."""
        for _ in self._threads:
            self._waiting.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        with self._stay():
            while (job := self._waiting.get()) is not None:
                call, then = job
                then(self._respond(call))


class Apart(Workers):
    """Those for what takes a core for long: few, with a short queue, and a door before it.

    Who finds the queue full waits at the door for a moment: most of those who come at the same time are let in, and who
    does not listen to Retry-After cannot ask a thousand times a second.
    """

    def __init__(
        self,
        respond: Callable[[Call], Answer],
        operations: Collection[tuple[str, str]],
        *,
        threads: int,
        stay: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        """Answer these operations, by method and path."""
        self._operations = frozenset(operations)
        self._places = asyncio.Semaphore(threads + MAX_APART)
        self._at_the_door = 0
        super().__init__(respond, threads=threads if operations else 0, stay=stay)

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


def answer_to_wait_for() -> tuple[asyncio.Future[Answer], Then]:
    """Return an answer that the running loop can wait for, and what any thread tells it to."""
    loop = asyncio.get_running_loop()
    answered: asyncio.Future[Answer] = loop.create_future()

    def tell(answer: Answer) -> None:
        loop.call_soon_threadsafe(_settle, answered, answer)

    return answered, tell


def _settle(answered: asyncio.Future[Answer], answer: Answer) -> None:
    if not answered.done():  # whoever waited may be gone
        answered.set_result(answer)
