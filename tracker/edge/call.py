"""One request on its way to a handler, and the answer on its way back: plain values, whole before any code runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tracker.domain.refusals import Refusal
    from tracker.edge.document import Operation
    from tracker.observed import Request

CALL = "tracker.call"


@dataclass(slots=True)
class Call:
    """A complete request. ``headers`` has lower-case names; a name that was sent twice is in ``repeated``.

    ``address`` is where it came from, empty where that is not known; ``secure`` is whether by TLS.
    The steps of the edge fill in the rest: ``operation``, what the guard admitted it to, ``claims`` of the token,
    ``refusal`` when there was a token and it is not good, ``arguments`` for the handler, ``limits``: the headers that
    tell what is left of a rate limit, ``observed``: what those are told of it who watch.
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
    operation: Operation | None = None
    claims: dict[str, Any] | None = None
    refusal: Refusal | None = None
    arguments: dict[str, Any] = field(default_factory=dict)
    limits: tuple[tuple[bytes, bytes], ...] = ()
    observed: Request | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer: status, header pairs with lower-case names, body."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""
