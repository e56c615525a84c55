"""The signing key that development makes for itself and keeps, so that tokens outlive a restart."""

from __future__ import annotations

import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

WEAK_BELOW = 32  # bytes: RFC 7518, section 3.2, for HS256


def kept_key(place: Path) -> str:
    """Return the key kept in a file, making both if need be; of many that do so at once, all get the same.

    The file appears whole or not at all, readable by its owner alone. Raises OSError where it cannot be kept or read.
    """
    if not place.exists():
        _keep(secrets.token_urlsafe(48), place)
    return place.read_text(encoding="ascii").strip()


def _keep(key: str, place: Path) -> None:
    descriptor, draft = tempfile.mkstemp(dir=place.parent, prefix=".tracker-key-")  # mode 0600
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(f"{key}\n")
        with suppress(FileExistsError):  # somebody was first: theirs is the key
            os.link(draft, place)
    finally:
        Path(draft).unlink()
