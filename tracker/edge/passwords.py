"""Passwords: Argon2id at 46 MiB, one pass, one lane (OWASP's first choice), and never more at once than asked for."""

from __future__ import annotations

import secrets
import threading
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from tracker import cores
from tracker.domain.refusals import Unavailable
from tracker.edge.hashing import HashingThreads

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracker.domain.user import PasswordPolicy

HASH_BYTES = 46 * 1024 * 1024  # for as long as it is made
_HASHER = PasswordHasher(time_cost=1, memory_cost=HASH_BYTES // 1024, parallelism=1)
_MOST_AT_ONCE = 4  # in a process: eighty a second, in no more memory than a small container has
_PATIENCE = 0.1  # seconds: about two hashes; whoever waits longer holds a thread that others need


def at_once(processes: int) -> int:
    """Return how many passwords a process hashes at once, of so many processes: all together at most one a core."""
    return min(max(1, len(cores.allowed()) // processes), _MOST_AT_ONCE)


@cache
def _hash_of_nobody(hasher: PasswordHasher) -> str:
    """Return what stands in where there is no hash; as dear to compare with as those of its hasher."""
    return hasher.hash(secrets.token_urlsafe())


class Argon2Passwords:
    """Hashes and verifies, ``parallel`` at a time; Unavailable for who comes too many."""

    def __init__(self, policy: PasswordPolicy, *, parallel: int) -> None:
        """Take the policy that new passwords are held to, and how many hashes may run at once."""
        self.policy = policy
        self._slots = threading.BoundedSemaphore(parallel)
        self._threads = HashingThreads(parallel)
        _hash_of_nobody(_HASHER)  # made now: the first who is unknown must not wait longer than others

    def hash(self, password: str) -> str:
        """Return the encoded hash, with its salt and its cost."""
        with self._slot():
            return self._threads.run(lambda: _HASHER.hash(password))

    def verify(self, encoded: str | None, password: str) -> bool:
        """Return whether they belong together; the same work is done when there is no hash to compare with."""
        with self._slot():
            try:
                self._threads.run(lambda: _HASHER.verify(encoded or _hash_of_nobody(_HASHER), password))
            except (VerificationError, InvalidHashError):
                return False
            return bool(encoded)  # an account without a hash has no password, not nobody's

    @contextmanager
    def _slot(self) -> Iterator[None]:
        if not self._slots.acquire(timeout=_PATIENCE):
            raise Unavailable("As many passwords are being checked as this server takes at once.")
        try:
            yield
        finally:
            self._slots.release()
