"""Where a MongoDB is: its URL as DATABASE_URL has it, or made of what Atlas hands out: user, password, cluster."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMES = ("mongodb://", "mongodb+srv://")
_PARTS = ("mongo_user", "mongo_password", "mongo_cluster", "mongo_db")
_HOST = re.compile(r"[0-9A-Za-z-]+(\.[0-9A-Za-z-]+){2,}")
_NAME = re.compile(r"[^/\\. \"$*<>:|?\x00]{1,63}")


def mongo_url(url: str, database: str | None) -> str:
    """Check the URL of a MongoDB; the text of a ValueError is the rule."""
    address = urlsplit(url)
    if not address.netloc or address.fragment:
        raise ValueError("must be a URL such as mongodb://user:password@host:27017/tracker")
    if not (address.path.strip("/") or database):
        raise ValueError("must name a database, as in mongodb://host:27017/tracker, unless MONGO_DB does")
    return url


def cluster(host: str) -> str:
    """Check the name under which a cluster is found."""
    if not _HOST.fullmatch(host):
        raise ValueError("must be the name of a host such as cluster0.abcde.mongodb.net, without a scheme or a port")
    return host


def database_name(name: str) -> str:
    """Check the name of a database."""
    if not _NAME.fullmatch(name):
        raise ValueError("must be a name without dots, spaces, slashes and signs, of 63 characters at the most")
    return name


def missing(given: Mapping[str, Any]) -> tuple[str, ...]:
    """Return which of the four that make a URL together are not given, where some are."""
    absent = tuple(part.upper() for part in _PARTS if given.get(part) is None)
    return absent if len(absent) < len(_PARTS) else ()


def made_of(given: Mapping[str, Any]) -> str | None:
    """Return the URL that the four make; None where there are none of them."""
    if any(given.get(part) is None for part in _PARTS):
        return None
    user, password = (
        quote(text, safe="") for text in (given["mongo_user"], given["mongo_password"].get_secret_value())
    )
    return f"mongodb+srv://{user}:{password}@{given['mongo_cluster']}/{given['mongo_db']}"
