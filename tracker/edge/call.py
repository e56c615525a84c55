"""One request on its way to a handler, and the answer on its way back: plain values, whole before any code runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tracker.domain.refusals import Refusal
    from tracker.edge.document import Operation
    from tracker.observed import Request

CALL = "tracker.call"

Headers = tuple[tuple[bytes, bytes], ...]
"""Pairs of a lower-case name and a value."""


@dataclass(slots=True)
class Call:
    """A complete request. ``headers`` has lower-case names; a name that was sent twice is in ``repeated``.

    ``address`` is where it came from, empty where that is not known; ``secure`` is whether by TLS.
    The steps of the edge fill in the rest: ``operation``, what the guard admitted it to, ``claims`` of the token,
    ``refusal`` when there was a token and it is not good, ``arguments`` for the handler, ``limits``: the headers that
    tell what is left of a rate limit, ``observed``: what those are told of it who watch. ``methods`` are the operations
    at its path, once that was looked up.
    """

    method: str
    path: str
    query: bytes
    headers: dict[str, str]
    request_id: str
    repeated: frozenset[str] = frozenset()
    body: bytes = b""
    address: str = ""
    secure: bool = False
    methods: Mapping[str, Operation] | None = None
    operation: Operation | None = None
    claims: dict[str, Any] | None = None
    refusal: Refusal | None = None
    arguments: dict[str, Any] = field(default_factory=dict)
    limits: Headers = ()
    observed: Request | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer."""

    status: int
    headers: Headers = ()
    body: bytes = b""

    def __getitem__(self, name: bytes) -> bytes | None:
        """Return the value of a header, None where there is none of this name."""
        for known, value in self.headers:
            if known == name:
                return value
        return None

    def with_headers(self, *more: tuple[bytes, bytes]) -> Answer:
        """Return it with more headers."""
        return Answer(self.status, (*self.headers, *more), self.body)
