"""Granian, whose requests are handed on by the thread that read them, and answered by the thread that knows the answer.

By ASGI both go by the event loop, which is woken twice for each, and waits twice for its turn among the threads: on two
cores an eighth fewer gets are answered so. The loop still gathers bodies, answers probes, and has who logs in wait.

Private names of granian 2.8.7 are used here and in ``cli/processes.py`` alone; ``tests/edge/test_granian_in_place.py``
breaks when they change.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Self

from granian._granian import CallbackScheduler
from granian.server import mp

if TYPE_CHECKING:
    import asyncio

    from tracker.edge.call import Answer
    from tracker.edge.front import Exchange, Front
    from tracker.edge.workers import Then


def serve_in_place(front: Front) -> None:
    """Have the server of this process, which has not started yet, hand its requests to a front without its loop."""
    mp._new_cbscheduler = partial(Scheduler, front)  # type: ignore[attr-defined]  # noqa: SLF001 - it has no public name


class Scheduler(CallbackScheduler):
    """What Granian calls for each request, in a thread of its own that may not wait."""

    def __new__(cls, _front: Front, loop: asyncio.AbstractEventLoop, callback: Any, **_asked: object) -> Self:
        """Make Granian's, which wants to be told how a task of asyncio begins and ends: here there is none."""
        return super().__new__(cls, loop, callback, None, _nothing, _nothing)  # type: ignore[call-arg]  # no types

    def __init__(self, front: Front, loop: asyncio.AbstractEventLoop, _callback: Any, **_asked: object) -> None:
        """Hand what comes to the front."""
        super().__init__()
        self._schedule_fn = partial(_take, front, loop, self._ctx)


def _nothing(*_: object) -> None:
    pass


def _take(front: Front, loop: asyncio.AbstractEventLoop, context: Any, watcher: Any) -> None:
    exchange = None
    try:
        exchange = front.begin(watcher.scope)
        leave = partial(_leave, front, exchange, watcher)
        if not front.answer_at_once(exchange.call, leave):
            loop.call_soon_threadsafe(_wait, front, loop, exchange, watcher, leave, context=context)
    except Exception as error:  # noqa: BLE001 - whatever it is: who calls this hears of nothing that is raised
        if exchange is not None:
            front.give_up(exchange)
        watcher.err(error)


def _wait(front: Front, loop: asyncio.AbstractEventLoop, exchange: Exchange, watcher: Any, leave: Then) -> None:
    watcher.taskref(loop.create_task(_answer(front, exchange, watcher, leave)))


async def _answer(front: Front, exchange: Exchange, watcher: Any, leave: Then) -> None:
    try:
        await front.answer(exchange.call, watcher.proto.receive, leave)
    except BaseException as error:  # noqa: BLE001 - granian is told of all that ends it, a cancellation too
        front.give_up(exchange)
        watcher.err(error)


def _leave(front: Front, exchange: Exchange, watcher: Any, answer: Answer) -> None:
    try:
        for message in front.end(exchange, answer):
            watcher.proto.send(message)  # is done when it returns: nothing of it is left to be awaited
    except Exception as error:  # noqa: BLE001 - whatever it is: the thread goes on
        watcher.err(error)
    else:
        watcher.done()
