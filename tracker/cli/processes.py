"""The processes of a server, from the fork to the end of each.

SIGTERM comes to the parent. It tells its children that they are about to stop (SIGUSR1): they say so at /readyz and go
on answering, so that whoever sends requests here sends them elsewhere. After a while it tells them to stop (SIGTERM):
they take no more, answer what they have in hand, and leave. A second SIGTERM or SIGINT makes an end of that while.

Seen on granian 2.8.7 and mended here: a child is forked with its parent's way to take SIGTERM, which is to note it for
the parent's loop, and so went on until it was killed after 15 seconds; a parent that is told to stop while it replaces
a child forgot it; children whose parent was killed went on answering at its port, beside those who came after it; a
child that had ended, as one thread of the parent had heard and not written down yet, was killed by another one; and a
child that was told to stop between two runs of its loop, of which one starts it and one serves, never heard of it:
uvloop (0.23) notes a signal then, and looks at what it has noted when another one comes while it runs.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any

from granian.server.mp import MPServer, WorkerProcess

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from multiprocessing.process import BaseProcess

    from tracker.edge.front import Front

_STOPPING = {signal.SIGTERM, signal.SIGINT}
_STEP = 0.05  # seconds
_NUDGE = 1.0  # seconds between two signals to a child that has not ended, after the one to stop
_PR_SET_PDEATHSIG = 1  # of Linux: which signal a process gets when its parent has died
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None  # now: a forked process had better load nothing


class Server(MPServer):
    """Granian's, with a while between the word that it will stop and the stop."""

    def __init__(self, *arguments: Any, drain_seconds: float, **settings: Any) -> None:
        """As granian's. What is forked from here on can be stopped from its first instant on."""
        super().__init__(*arguments, **settings)
        self._drain_seconds, self._hurried = drain_seconds, False
        self.has_answered = False
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})  # a child is told when it has an ear for it
        os.register_at_fork(before=_hold_back, after_in_parent=_let_through, after_in_child=_be_stopped_by_default)

    def signal_handler_interrupt(self, *args: Any, **kwargs: Any) -> None:
        """Stop; hurry when told so twice."""
        self._hurried = self.interrupt_signal
        super().signal_handler_interrupt(*args, **kwargs)  # type: ignore[no-untyped-call]  # granian's has no types

    def shutdown(self, exit_code: int = 0) -> None:
        """Stop all processes, once those who send requests had the time to notice."""
        if self.interrupt_signal and self._drain_seconds and self.has_answered:
            self._drain()
        super().shutdown(exit_code)  # type: ignore[no-untyped-call]  # likewise

    def _spawn_worker(self, *arguments: Any, **named: Any) -> WorkerProcess:
        worker = super()._spawn_worker(*arguments, **named)
        worker.is_alive = partial(runs, worker.inner)  # type: ignore[method-assign]
        return worker

    def _stop_workers(self) -> None:
        with self._nudging():
            super()._stop_workers()  # type: ignore[no-untyped-call]  # likewise

    @contextmanager
    def _nudging(self) -> Iterator[None]:
        """Have those look at what they were told who may not have; to be told to stop twice would end their answers."""
        workers, over = list(self.wrks), threading.Event()

        def nudge() -> None:
            while not over.wait(_NUDGE):
                _tell_of_the_end(worker for worker in workers if runs(worker.inner))

        threading.Thread(target=nudge, daemon=True).start()
        try:
            yield
        finally:
            over.set()

    def _drain(self) -> None:
        for worker in self.wrks:
            worker.interrupt_by_parent = True  # whichever leaves from here on was told to
        _tell_of_the_end(self.wrks)
        until = time.monotonic() + self._drain_seconds
        while not self._hurried and time.monotonic() < until and any(runs(worker.inner) for worker in self.wrks):
            time.sleep(_STEP)

    def _respawn_workers(self, workers: Any, spawn_target: Any, target_loader: Any, delay: float = 0) -> None:
        if self.interrupt_signal:
            self.main_loop_interrupt.set()  # it came between granian's look for it and its forgetting of what woke it
        else:
            super()._respawn_workers(workers, spawn_target, target_loader, delay)


def runs(process: BaseProcess) -> bool:
    """Whether a child has not ended, whoever of us has heard of that already: its end of a pipe is open."""
    return not wait([process.sentinel], timeout=0)


def _tell_of_the_end(workers: Iterable[WorkerProcess]) -> None:
    for worker in workers:
        with suppress(ProcessLookupError):
            os.kill(worker.inner.pid, signal.SIGUSR1)


def hear_of_the_end(front: Front) -> None:
    """Have a child say that it is not ready once its parent tells it that it is about to stop."""
    lookout = front.lookout
    if lookout is not None:
        signal.signal(signal.SIGUSR1, lambda *_: lookout.drain())
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGUSR1})


def _hold_back() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPING)


def _let_through() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)


def _be_stopped_by_default() -> None:
    for each in _STOPPING:
        signal.signal(each, signal.SIG_DFL)
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    _let_through()
