"""Where a database is, as DATABASE_URL says it, and what of such a URL may be shown."""

from __future__ import annotations

import re
from pathlib import Path

from tracker import mongo_address


def database_url(url: str, mongo_db: str | None) -> str:
    """Check the URL of a database; ``mongo_db`` names that of a MongoDB whose URL does not."""
    if url.startswith(mongo_address.SCHEMES):
        return mongo_address.mongo_url(url, mongo_db)
    if url.startswith(("postgresql://", "postgres://", "postgresql+psycopg2://")):
        return url
    if not url.startswith("sqlite:///") or url == "sqlite:///":
        raise ValueError("must begin with sqlite:/// (and name a file), postgresql:// or mongodb://")
    if ":memory:" in url:
        raise ValueError("must name a file: each process would have an in-memory database of its own")
    return url


def key_file(database_url: str) -> Path:
    """Return where development keeps its key: beside the SQLite file, or in the working directory."""
    file = sqlite_file(database_url)
    return (file.parent if file else Path()) / "tracker.key"


def sqlite_file(database_url: str) -> Path | None:
    """Return the file of a SQLite URL; None for any other."""
    path = database_url.partition("?")[0].removeprefix("sqlite:///")
    return Path(path) if database_url.startswith("sqlite:") else None


def without_password(url: str) -> str:
    """Return a database URL as it may be shown: without its password and its parameters."""
    masked = re.sub(r"//([^:@/]*):.*@", r"//\1:***@", url, flags=re.DOTALL)
    return re.sub(r"\?.*", "?***", masked, flags=re.DOTALL)
