"""Idempotency-Key: what was answered the first time is kept with what it did, and answered again.

The record is written by the commit itself, so that there is never an effect without its answer. Only answers that say
"done" are kept. They are encrypted: among them are tokens.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson
from cryptography.fernet import Fernet

from tracker.edge.call import Answer
from tracker.edge.problems import KeyReused
from tracker.store.contract import CLAIM_LIFETIME

if TYPE_CHECKING:
    from datetime import datetime

    from tracker.domain.access import Actor
    from tracker.edge.call import Call
    from tracker.store.contract import Claimed

_HEADER = "idempotency-key"


@dataclass(frozen=True, slots=True)
class Attempt:
    """A request with a key. Whoever has no account has a name of their own for each request: keys are nobody else's."""

    owner: str
    key: str
    fingerprint: str


class Records:
    """Seals answers, and opens what it sealed."""

    def __init__(self, key: str) -> None:
        """Derive keys of its own from the installation's secret."""
        self._key = hmac.digest(key.encode(), b"tracker idempotency fingerprints", hashlib.sha256)
        sealing = hmac.digest(key.encode(), b"tracker idempotency answers", hashlib.sha256)
        self._seal = Fernet(base64.urlsafe_b64encode(sealing))

    def attempt(self, call: Call, actor: Actor | None) -> Attempt | None:
        """Return what a request has to be compared by; None where it names no key."""
        key = call.headers.get(_HEADER)
        if key is None:
            return None
        request = b"\n".join((call.method.encode(), call.path.encode(), call.query, call.body))
        fingerprint = hmac.new(self._key, request, hashlib.sha256).hexdigest()
        return Attempt(actor.id if actor else f"nobody.{fingerprint}", key, fingerprint)

    def sealed(self, answer: Answer) -> str:
        """Return an answer as it is kept."""
        headers = [[name.decode("latin-1"), value.decode("latin-1")] for name, value in answer.headers]
        whole = orjson.dumps([answer.status, headers, answer.body.decode()])
        return self._seal.encrypt(whole).decode()

    def replay(self, attempt: Attempt, claimed: Claimed) -> Answer:
        """Return the first answer again; KeyReused where it answered another request."""
        if claimed.fingerprint != attempt.fingerprint:
            raise KeyReused
        status, headers, body = orjson.loads(self._seal.decrypt(claimed.answer.encode()))
        # Earlier versions kept the names with capitals.
        pairs = tuple((name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers)
        return Answer(status, (*pairs, (b"idempotent-replayed", b"true")), body.encode())


def is_kept(claimed: Claimed, at: datetime) -> bool:
    """Whether a record still counts."""
    return at < claimed.at + CLAIM_LIFETIME
