"""The server: whether it is ready."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracker.cli import Refused
from tracker.cli.doctor.findings import Finding, Look, Verdict
from tracker.cli.probe import base_url, resolved, status_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracker.settings import Settings

_OK = 200


def _server(settings: Settings) -> Iterator[Finding]:
    try:
        url = base_url(resolved(settings.host), settings.port)
    except Refused as refused:
        yield Finding(Verdict.BAD, "server", f"{refused.message}; set HOST to 127.0.0.1, or to 0.0.0.0 for all of them")
        return
    status = status_of(url, "/readyz")
    if status is None:
        yield Finding(Verdict.NOTE, "server", f"nothing answers at {url}; start it with: tracker serve")
    elif status != _OK:
        yield Finding(Verdict.BAD, "server", f"{url}/readyz answers {status}; its log says why")
    else:
        yield Finding(Verdict.GOOD, "server", f"{url} is ready")


LOOKS = (Look("server", _server, frozenset({"HOST", "PORT"})),)
