"""Identifiers: UUID version 7 (RFC 9562, section 5.7), as lower-case text: a later id sorts after an earlier one.

Secrets are kept under the id that their digest is, and themselves nowhere.
"""

import hashlib
import os
import secrets
import threading
import time

SYSTEM = "system"  # who does what happens by itself, or from the command line: no user has this id

_COUNTER_BITS = 12
_lock = threading.Lock()
_last = 0


def new_id() -> str:
    """Return a new UUIDv7, greater than every id this process made before, also when the clock steps back."""
    global _last  # noqa: PLW0603 - the monotonic counter of RFC 9562 section 6.2 is one per process
    with _lock:
        _last = max(_last + 1, (time.time_ns() // 1_000_000) << _COUNTER_BITS)
        ticks = _last
    milliseconds, counter = ticks >> _COUNTER_BITS, ticks & 0xFFF
    random = int.from_bytes(os.urandom(8)) & 0x3FFF_FFFF_FFFF_FFFF
    text = f"{(milliseconds << 80) | (0x7 << 76) | (counter << 64) | (0b10 << 62) | random:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def new_secret() -> str:
    """Return 256 random bits as 43 URL-safe characters."""
    return secrets.token_urlsafe(32)


def secret_id(secret: str) -> str:
    """Return the id under which a secret is kept: its SHA-256, in hex. So many random bits need no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()
