"""Identifiers: UUID version 7 (RFC 9562, section 5.7), as lower-case text: a later id sorts after an earlier one.

Secrets are kept under the id that their digest is, and themselves nowhere.
"""

import hashlib
import os
import secrets
import threading
import time
from collections.abc import Iterator

SYSTEM = "system"  # who does what happens by itself, or from the command line: no user has this id

_COUNTS = 1 << 12  # ids of one millisecond
_DRAWN = 4096  # random bytes at once: to ask the kernel for eight lets every other thread of the process go first
_RANDOM_BITS = int.from_bytes(bytes.fromhex("3fffffffffffffff") * (_DRAWN // 8))
_VARIANT = int.from_bytes(bytes.fromhex("8000000000000000") * (_DRAWN // 8))  # 0b10 and the 62 bits that are random
_lock = threading.Lock()
_last = 0, 0, ""  # the milliseconds of the last id, its counter, and how those of the same millisecond begin
_random: Iterator[str] = iter(())


def _forget_what_was_drawn() -> None:
    """Draw anew in a process that was forked: the one it came from has the same numbers."""
    global _random  # noqa: PLW0603 - as below
    _random = iter(())


os.register_at_fork(after_in_child=_forget_what_was_drawn)


def new_id() -> str:
    """Return a new UUIDv7, greater than every id this process made before, also when the clock steps back."""
    global _last, _random  # noqa: PLW0603 - the monotonic counter of RFC 9562 section 6.2 is one per process
    with _lock:
        _, count, beginning = _last = _following(*_last)
        random = next(_random, None)
        if random is None:
            _random = _drawn()
            random = next(_random)
    return f"{beginning}{count:03x}-{random[:4]}-{random[4:]}"


def _following(millisecond: int, count: int, beginning: str) -> tuple[int, int, str]:
    """Return what follows: the present, or the next count of an instant that is not over or still to come."""
    present, count = time.time_ns() // 1_000_000, count + 1
    if present <= millisecond and count < _COUNTS:
        return millisecond, count, beginning
    millisecond = max(present, millisecond + 1)
    text = f"{millisecond:012x}"
    return millisecond, 0, f"{text[:8]}-{text[8:]}-7"  # the version is between them and the counter


def _drawn() -> Iterator[str]:
    """Return new second halves of ids, in hex: the variant and 62 random bits each."""
    halves = int.from_bytes(os.urandom(_DRAWN)) & _RANDOM_BITS | _VARIANT
    return iter(halves.to_bytes(_DRAWN).hex(" ", 8).split(" "))


def new_secret() -> str:
    """Return 256 random bits as 43 URL-safe characters."""
    return secrets.token_urlsafe(32)


def secret_id(secret: str) -> str:
    """Return the id under which a secret is kept: its SHA-256, in hex. So many random bits need no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()
