"""Granian, set up for us: how ``serve`` and ``demo`` listen, and how they know that somebody answers.

Seen on granian 2.8.7: it takes no host names; it binds with SO_REUSEPORT, so that a second server on a taken port
starts without a word; and its backpressure counts connections, idle ones too, not requests.
"""

from __future__ import annotations

import gc
import logging
import resource
import socket
import threading
import time
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from tracker.cli import Refused
from tracker.cli.probe import base_url, resolved, status_of
from tracker.cli.processes import Server, hear_of_the_end
from tracker.edge.granian_in_place import serve_in_place
from tracker.logs import logging_config
from tracker.metrics import exposed

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracker.edge.front import Front
    from tracker.settings import Settings

CONNECTIONS = 1024  # a worker's; requests in flight are bounded by the front
_FILES = 8192  # a worker's connections, and some more; macOS takes no more than 10,240
_log = logging.getLogger("tracker")


def listen(settings: Settings, *, when_alive: Callable[[str], None]) -> None:
    """Answer requests until SIGTERM or SIGINT. ``when_alive`` is called with the base URL once /livez is answered."""
    address = resolved(settings.host)
    if not is_free(address, settings.port):
        raise Refused(f"port {settings.port} of {settings.host} cannot be had; choose another with --port or PORT")
    _allow_many_files()
    server = _server(settings, address)

    def tell(url: str) -> None:
        server.has_answered = True
        when_alive(url)

    asker = threading.Thread(target=_ask_until_alive, args=(address, settings.port, tell), daemon=True)
    server.on_startup(asker.start)
    with exposing(settings):
        server.serve()


def is_free(address: str, port: int) -> bool:
    """Whether nobody listens at a port yet, and we may."""
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
        return True


def free_port(address: str) -> int:
    """Return the number of a port that nobody listens at."""
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])


def exposing(settings: Settings) -> AbstractContextManager[None]:
    """Answer at METRICS_PORT, if there is one, with what all processes count that are started meanwhile."""
    port = settings.metrics_port
    if port is None:
        return nullcontext()
    address = resolved(settings.host)
    if not is_free(address, port):
        raise Refused(f"port {port} of {settings.host} cannot be had; choose another with METRICS_PORT")
    return exposed(address, port)


def create_app() -> Front:
    """Return what a server process serves."""
    from tracker import app  # noqa: PLC0415 - it takes long to import, and a parent has no use for it

    front = app.create_app()
    serve_in_place(front)
    hear_of_the_end(front)
    gc.collect()
    gc.freeze()  # what is there now stays: going through it again stopped a process for an eighth of a second
    return front


def _server(settings: Settings, address: str) -> Server:
    return Server(
        f"{__name__}:create_app",
        drain_seconds=settings.drain_seconds,
        factory=True,
        interface=Interfaces.ASGI,
        address=address,
        port=settings.port,
        workers=settings.workers,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=5000, keep_alive=True, max_buffer_size=32768),
        websockets=False,
        backlog=1024,
        backpressure=CONNECTIONS,
        respawn_failed_workers=True,
        workers_kill_timeout=15,
        log_access=False,
        log_level=LogLevels.info if settings.log_level == "debug" else LogLevels.warning,
        log_dictconfig=logging_config(settings),
    )


def _allow_many_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _ask_until_alive(address: str, port: int, when_alive: Callable[[str], None]) -> None:
    url = base_url(address, port)
    for _ in range(600):
        time.sleep(0.1)
        if status_of(url, "/livez") is not None:
            when_alive(url)
            return
    _log.error("the server does not answer")
