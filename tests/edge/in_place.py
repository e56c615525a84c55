"""A server process with a front of its own, that says who answered; as a program it serves at the port it is given."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any

from granian.constants import Interfaces

from tracker.cli.processes import Server
from tracker.edge.call import Answer, Call
from tracker.edge.front import Front
from tracker.edge.granian_in_place import serve_in_place

if TYPE_CHECKING:
    from tracker.edge.front import Exchange

PATIENCE = 60
_TEXT = ((b"content-type", b"text/plain"),)
_waits, _may_go = threading.Semaphore(0), threading.Semaphore(0)


class Fragile(Front):
    """Fails to take what asks it to."""

    def begin(self, scope: dict[str, Any]) -> Exchange:
        if scope["path"] == "/broken":
            raise RuntimeError("a bug")
        return super().begin(scope)


def respond(call: Call) -> Answer:
    """Answer; /livez and /readyz are answered on the loop."""
    match call.path:
        case "/livez" | "/wait":
            _waits.release()
            said = b"released" if _may_go.acquire(timeout=PATIENCE) else b"forgotten"
        case "/readyz" | "/somebody-waits":
            said = b"so it is" if _waits.acquire(timeout=PATIENCE) else b"nobody"
        case "/release":
            _may_go.release()
            said = b""
        case "/who":
            said = threading.current_thread().name.encode()
        case _:
            said = call.body
    return Answer(200, _TEXT, said)


def create_app() -> Front:
    front = Fragile(respond, threads=3)
    serve_in_place(front)
    return front


if __name__ == "__main__":
    Server(
        f"{__spec__.name}:create_app",
        drain_seconds=0,
        factory=True,
        interface=Interfaces.ASGI,
        address="127.0.0.1",
        port=int(sys.argv[1]),
        websockets=False,
    ).serve()
