"""Answers that were made before: first in the memory of this process, then in the Redis that all of them share.

An answer is found by all that it depends on but the time: who it is for, the state of what they see, the path and the
query. The state comes from the database with the actor, on every request, so nothing is ever invalidated here: what
has changed is asked for by another key, and what nobody asks for any more is pushed out. Redis can be lost, full, slow,
stopped or somebody else's: an answer from it is opened like a letter, and what is not sealed for this question is none.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple, Protocol

import orjson
from cachetools import LRUCache

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracker.edge.call import Headers
    from tracker.edge.shared_redis import SharedRedis

MOST = 16 * 1024 * 1024  # bytes in the memory of one process
LARGEST = 1024 * 1024  # bytes of one answer
LIFETIME = timedelta(minutes=5)  # in Redis, and only so that it does not fill up with what nobody asks for any more

_FORMAT = b"2"  # of what is kept in Redis; another one is another number
_OBJECTS = 1500  # bytes that Python takes for an answer and its key, besides what is in them
_SEAL = 32  # bytes
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


class Question(NamedTuple):
    """All that an answer depends on but the time; ``audience`` and ``state`` are those of an Actor."""

    audience: str
    state: str
    path: str
    query: bytes


class Remembered(NamedTuple):
    """An answer with status 200, whole; after ``until`` time alone makes another of it."""

    headers: Headers
    body: bytes
    until: datetime | None

    def holds_at(self, at: datetime) -> bool:
        """Whether it is still the answer at an instant."""
        return self.until is None or at < self.until


class Found(StrEnum):
    """Where an answer was found, or why it was made anew."""

    HIT_MEMORY = "hit_memory"
    HIT_REDIS = "hit_redis"
    MISS = "miss"
    BYPASS = "bypass"
    """Redis did not answer or was left alone, or nothing is remembered at all."""


def uncounted(_found: Found) -> None:
    """Count nothing, where nobody asks."""


class Cache(Protocol):
    """Whatever may know an answer already."""

    def answer(self, question: Question, at: datetime, make: Callable[[], Remembered]) -> Remembered:
        """Return the answer to a question at an instant: one that was made before, or the one that ``make`` returns."""


class Forgetful:
    """Remembers nothing."""

    def __init__(self, count: Callable[[Found], None] = uncounted) -> None:
        """Say to ``count`` that each answer is made."""
        self._count = count

    def answer(self, question: Question, at: datetime, make: Callable[[], Remembered]) -> Remembered:  # noqa: ARG002 - see Cache
        """Make it."""
        self._count(Found.BYPASS)
        return make()


class Remembering:
    """Remembers in memory, and in Redis where there is one."""

    def __init__(self, memory: Memory, shared: Shared | None, count: Callable[[Found], None]) -> None:
        """Say to ``count`` where each answer was found."""
        self._memory, self._shared, self._count = memory, shared, count

    def answer(self, question: Question, at: datetime, make: Callable[[], Remembered]) -> Remembered:
        """Find it, or make and keep it."""
        answer, found = self._find(question, at)
        if answer is None:
            answer = make()
            if self._shared is not None and found is Found.MISS:
                self._shared.keep(question, answer, at)
        if found is not Found.HIT_MEMORY and answer.holds_at(at):
            self._memory.keep(question, answer)
        self._count(found)
        return answer

    def _find(self, question: Question, at: datetime) -> tuple[Remembered | None, Found]:
        answer = self._memory.find(question, at)
        if answer is not None:
            return answer, Found.HIT_MEMORY
        return self._shared.find(question, at) if self._shared is not None else (None, Found.MISS)


class Memory:
    """The answers of this process. What was asked for longest ago goes first."""

    def __init__(self, most: int = MOST, largest: int = LARGEST) -> None:
        """Keep ``most`` bytes in all, and no answer of more than ``largest``."""
        self._largest = largest
        self._lock = Lock()
        self._answers: LRUCache[Question, tuple[Remembered, int]] = LRUCache(most, getsizeof=lambda kept: kept[1])

    def find(self, question: Question, at: datetime) -> Remembered | None:
        """Return the answer to a question, if it is here and still holds."""
        with self._lock:
            kept = self._answers.get(question)
        return kept[0] if kept and kept[0].holds_at(at) else None

    def keep(self, question: Question, answer: Remembered) -> None:
        """Keep an answer, unless it is too large."""
        size = _size(question, answer)
        if size <= self._largest:
            with self._lock:
                self._answers[question] = answer, size


class Shared:
    """The answers of all processes, in Redis: under keyed hashes and sealed, so that it holds no id and no query."""

    def __init__(self, redis: SharedRedis, secret: str, of: bytes) -> None:
        """Derive a key from the installation's secret and what the answers are ``of``: its contract, its database."""
        self._redis = redis
        self._key = hmac.digest(secret.encode(), b"tracker remembered answers\0" + _FORMAT + b"\0" + of, hashlib.sha512)

    def find(self, question: Question, at: datetime) -> tuple[Remembered | None, Found]:
        """Return the answer to a question if it is there and still holds, and where it was found or why not."""
        return self._redis.ask(partial(self._found, question, at), lambda: (None, Found.BYPASS))

    def keep(self, question: Question, answer: Remembered, at: datetime) -> None:
        """Keep an answer for as long as it holds, five minutes at the most, unless it is too large."""
        lifetime = LIFETIME if answer.until is None else min(LIFETIME, answer.until - at)
        if lifetime >= _MILLISECOND and _size(question, answer) <= LARGEST:
            self._redis.ask(partial(self._set, question, answer, lifetime), lambda: None)

    def _found(self, question: Question, at: datetime) -> tuple[Remembered | None, Found]:
        material = _material(question)
        sealed: bytes | None = self._redis.client.get(self._name(material))  # type: ignore[assignment]  # not a promise
        answer = self._opened(material, sealed) if sealed else None
        return (answer, Found.HIT_REDIS) if answer and answer.holds_at(at) else (None, Found.MISS)

    def _set(self, question: Question, answer: Remembered, lifetime: timedelta) -> None:
        material, payload = _material(question), _written(answer)
        self._redis.client.set(self._name(material), self._seal(material, payload) + payload, px=lifetime)

    def _name(self, material: bytes) -> str:
        return f"tracker:answer:{self._hashed(b'name', material).hex()}"

    def _opened(self, material: bytes, sealed: bytes) -> Remembered | None:
        seal, payload = sealed[:_SEAL], sealed[_SEAL:]
        return _read(payload) if hmac.compare_digest(seal, self._seal(material, payload)) else None

    def _seal(self, material: bytes, payload: bytes) -> bytes:
        return self._hashed(b"seal", material + b"\n" + payload)  # there is no other line feed in what is JSON

    def _hashed(self, purpose: bytes, hashed: bytes) -> bytes:
        return hashlib.blake2b(hashed, key=self._key, person=purpose, digest_size=_SEAL).digest()


def _material(question: Question) -> bytes:
    audience, state, path, query = question
    return orjson.dumps([audience, state, path, query.decode("latin-1")])


def _written(answer: Remembered) -> bytes:
    until = None if answer.until is None else (answer.until - _EPOCH) // _MILLISECOND
    headers = [[name.decode("latin-1"), value.decode("latin-1")] for name, value in answer.headers]
    return orjson.dumps([until, headers]) + b"\n" + answer.body


def _read(payload: bytes) -> Remembered:
    head, _, body = payload.partition(b"\n")
    until, headers = orjson.loads(head)
    ends = None if until is None else _EPOCH + until * _MILLISECOND
    pairs = tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in headers)
    return Remembered(pairs, body, ends)


def _size(question: Question, answer: Remembered) -> int:
    texts = (question.audience, question.state, question.path, question.query, *(t for h in answer.headers for t in h))
    return _OBJECTS + len(answer.body) + sum(map(len, texts))
