"""Where to reach a server on this machine, and what it answers: with little to import, for it is asked often."""

from __future__ import annotations

import http.client
import socket

from tracker.cli import Refused

_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where to ask whoever listens everywhere


def resolved(host: str) -> str:
    """Return the IP address of a host name; refuse what has none."""
    try:
        return str(socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0][4][0])
    except (OSError, UnicodeError):
        raise Refused("HOST is neither an address nor a name of this machine") from None


def base_url(address: str, port: int) -> str:
    """Return where to reach what listens at an address, on this machine."""
    host = _ANYWHERE.get(address, address)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def status_of(url: str, path: str) -> int | None:
    """Return the status that a server answers a GET with; None if there is no answer within five seconds."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
