"""The sides, each as two server processes on a port of its own.

``python -m bench.sides bare PORT`` serves one of those that Granian serves and that are not Tracker as it comes.
Tracker serves itself: as ``ours`` without what remembers answers, so that all sides do the same work, as ``cached``
with it, and as ``mongodb`` without it on a database of that kind.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server import MPServer

from bench.data import KEY, TOKEN_MINUTES
from bench.database import CannotMeasure
from tracker.cli.probe import base_url, status_of
from tracker.cli.server import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PROCESSES = 2
BARE_THREADS = 4  # 1, 2, 4 and 8 measure alike
OURS, BARE, STOCK, FASTAPI, DJANGO = "ours", "bare", "stock", "fastapi", "django"
CACHED, SHARED, ON_MONGODB, KEEPING = "cached", "shared", "mongodb", "keeping"
RIVALS = (FASTAPI, DJANGO)
ALIKE = (OURS, BARE, STOCK, *RIVALS, CACHED)
"""Those on one database that give the same answers."""

_ROOT = Path(__file__).parents[1]
_START = 60.0
_STOP = 10.0
_SERVED = ("tracker", "serve", "--workers", str(PROCESSES), "--port", "{port}")
_COMMANDS: Mapping[str, tuple[str, ...]] = {
    OURS: _SERVED,
    CACHED: _SERVED,
    ON_MONGODB: _SERVED,
    BARE: ("bench.sides", BARE, "{port}"),
    STOCK: ("bench.sides", STOCK, "{port}"),
    SHARED: ("bench.sides", SHARED, "{port}"),
    KEEPING: ("bench.sides", KEEPING, "{port}"),
    FASTAPI: (
        *("uvicorn", "bench.rivals.fastapi_side:app", "--port", "{port}", "--workers", str(PROCESSES)),
        *("--no-access-log", "--log-level", "warning"),
    ),
    DJANGO: (
        *("gunicorn", "bench.rivals.django_side:application", "--bind", "127.0.0.1:{port}", "--log-level", "warning"),
        *("--workers", str(PROCESSES), "--threads", str(BARE_THREADS), "--keep-alive", "60"),
    ),
}


@dataclass(frozen=True)
class Server:
    """A server that answers: where, and its first process."""

    url: str
    pid: int


@contextmanager
def running(side: str, database_url: str, folder: Path, **settings: str) -> Iterator[Server]:
    """Give a side's server, which is stopped in the end; ``settings`` are those that it has besides."""
    port = free_port("127.0.0.1")
    log = folder / f"{side}.log"
    with log.open("wb") as output:
        # In a session of its own: Ctrl-C is for us, we stop it.
        process = subprocess.Popen(
            [sys.executable, "-m", *(part.format(port=port) for part in _COMMANDS[side])],
            cwd=folder,
            env={**_environment(database_url), "CACHE": "on" if side in {CACHED, SHARED} else "off", **settings},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield Server(_once_it_answers(process, base_url("127.0.0.1", port)), process.pid)
    except CannotMeasure as problem:
        raise CannotMeasure(f"{problem}\n{side} says:\n{log.read_text()[-4000:]}") from problem
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ask a server to stop, and end whatever of it is left after a while: stock has been seen to wait for ever."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=_STOP)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def serve(side: str, port: int) -> None:
    """Serve what is not Tracker as it comes, with the settings that Tracker gives its own server."""
    is_bare = side in {BARE, KEEPING}
    MPServer(
        f"bench.{side}:create_app",
        factory=True,
        interface=Interfaces.WSGI if is_bare else Interfaces.ASGI,
        address="127.0.0.1",
        port=port,
        workers=PROCESSES,
        blocking_threads=BARE_THREADS if is_bare else None,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=5000, keep_alive=True, max_buffer_size=32768),
        websockets=False,
        log_access=False,
        log_level=LogLevels.warning,
    ).serve()


def _environment(database_url: str) -> dict[str, str]:
    return {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(_ROOT),
        "DATABASE_URL": database_url,
        "DJANGO_SETTINGS_MODULE": "bench.rivals.django_settings",
        "MONGO_ALLOW_STANDALONE": "True",
        "SECRET_KEY": KEY,
        "ACCESS_TOKEN_EXPIRE_MINUTES": str(TOKEN_MINUTES),
        "WORKERS": str(PROCESSES),
        "LOG_LEVEL": "warning",
        "RATE_LIMIT": "off",  # one user asks as often as there is an answer
        "RATE_LIMIT_LOGIN": "off",
    }


def _once_it_answers(process: subprocess.Popen[bytes], url: str) -> str:
    """Return the URL once there is an answer, whatever it is."""
    until = time.monotonic() + _START
    while status_of(url, "/livez") is None:
        if process.poll() is not None or time.monotonic() > until:
            raise CannotMeasure("a server does not start")
        time.sleep(0.1)
    return url


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
