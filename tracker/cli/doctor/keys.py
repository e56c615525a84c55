"""The keys: whether they are any good, which one signs, and how many verify."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracker.cli.doctor.findings import Finding, Look, Verdict
from tracker.keys import WEAK_BELOW

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracker.keys import Key
    from tracker.settings import Settings

_DISTINCT = 12  # fewer different characters in a key were hardly made by a random generator


def _secret(settings: Settings) -> Iterator[Finding]:
    key = settings.secret_key.get_secret_value()
    if settings.key_is_weak:
        yield Finding(Verdict.NOTE, "SECRET_KEY", f"shorter than {WEAK_BELOW} bytes: production will refuse it")
    elif _is_typed(key):
        yield Finding(Verdict.BAD, "SECRET_KEY", "long, but not random; make one with: openssl rand -base64 48")
    else:
        yield Finding(Verdict.GOOD, "SECRET_KEY", f"{len(key.encode())} bytes")


def _ring(settings: Settings) -> Iterator[Finding]:
    ring = settings.key_ring
    yield Finding(Verdict.GOOD, "signing key", _described(ring.signing))
    if any(_is_typed(key.get_secret_value()) for key in settings.old_secret_keys):
        yield Finding(Verdict.BAD, "OLD_SECRET_KEYS", "long, but not random: whoever guesses one can make tokens")
    if others := ring.all[1:]:
        kept = "; ".join(_described(key) for key in others)
        minutes = settings.access_token_expire_minutes
        advice = f"an old one can go {minutes} minutes after it last signed"
        yield Finding(Verdict.NOTE, "other keys", f"{len(others)} verify and sign nothing ({advice}): {kept}")


def _described(key: Key) -> str:
    return f"{key.algorithm} ({key.strength}), kid {key.kid}"


def _is_typed(key: str) -> bool:
    return len(set(key)) < _DISTINCT


LOOKS = (
    Look("SECRET_KEY", _secret, frozenset({"SECRET_KEY"})),
    Look("signing key", _ring, frozenset({"SECRET_KEY", "SIGNING_KEY_FILE", "ALGORITHM"})),
)
