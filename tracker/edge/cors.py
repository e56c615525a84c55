"""Pages of other origins: which of them a browser lets read our answers (the CORS protocol of the Fetch standard).

There is no mode with credentials: who asks is said by a bearer token, which no browser attaches by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracker.edge.call import Answer

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from tracker.edge.call import Call

    Headers = tuple[tuple[bytes, bytes], ...]

ANY = "*"
MAX_AGE = 7200  # seconds; the longest that browsers in use remember
SENT = "Authorization, Content-Type, If-Match, If-None-Match, Idempotency-Key, X-Request-Id"
READ = (
    "ETag, Link, Location, Operation-Id, Idempotent-Replayed, Retry-After, RateLimit, RateLimit-Policy, X-Request-Id, "
    "Deprecation, WWW-Authenticate"
)
_OURS: Headers = ((b"cross-origin-resource-policy", b"same-origin"),)


class Cors:
    """The origins whose pages may read what we answer."""

    def __init__(self, origins: Collection[str] = ()) -> None:
        """Take origins as browsers write them, such as ``https://app.example.com``; ``*`` is every one."""
        self._origins = frozenset(origins)
        self._varies: Headers = ((b"vary", b"Origin"),) if self._origins and ANY not in self._origins else ()

    def headers(self, call: Call) -> Headers:
        """Return what every answer to a call says of who may read it."""
        origin = self._origin(call)
        if origin is None:
            return (*_OURS, *self._varies)
        return (
            (b"access-control-allow-origin", origin.encode("latin-1")),
            (b"access-control-expose-headers", READ.encode()),
            (b"cross-origin-resource-policy", b"cross-origin"),
            *self._varies,
        )

    def is_preflight(self, call: Call) -> bool:
        """Whether a browser asks what a page that may read our answers may send."""
        return (
            call.method == "OPTIONS"
            and "access-control-request-method" in call.headers
            and self._origin(call) is not None
        )

    def preflight(self, methods: Sequence[str]) -> Answer:
        """Return what it may send to a path that takes these methods."""
        allow = ", ".join(methods).encode()
        return Answer(
            204,
            (
                (b"allow", allow),
                (b"access-control-allow-methods", allow),
                (b"access-control-allow-headers", SENT.encode()),
                (b"access-control-max-age", str(MAX_AGE).encode()),
            ),
        )

    def _origin(self, call: Call) -> str | None:
        """Return what Access-Control-Allow-Origin says; None where the page may not read the answer, or is ours."""
        origin = call.headers.get("origin")
        if origin is None or not self._origins:
            return None
        if ANY in self._origins:
            return ANY
        return origin if origin in self._origins else None
