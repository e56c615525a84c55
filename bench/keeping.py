"""The bare limit of a list that is remembered, and of a 304 for it: who asks is read, and a page is kept in a dict.

It has the statement planned once a connection, as Tracker does: what else a request costs is as little as can be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.bare import Bare, named_by
from tracker.settings import Settings
from tracker.store.sql import reads
from tracker.store.sql.database import Database
from tracker.store.sql.packed import SEPARATOR

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bench.bare import Environ


class Keeping(Bare):
    """The WSGI function, and each page that it ever made."""

    def __init__(self, url: str) -> None:
        """Nothing is kept yet."""
        super().__init__(url)
        statement = reads.standing(heads=True, postgresql=True)
        self._standing_and_heads = Database(url, connections=1).prepare(statement)
        self._pages: dict[tuple[str, str], bytes] = {}

    def __call__(
        self, environ: Environ, start_response: Callable[[str, list[tuple[str, str]]], object]
    ) -> Iterable[bytes]:
        """Answer with a page, or that it is known."""
        if environ["PATH_INFO"] != "/tasks":
            return super().__call__(environ, start_response)
        tag, query = self._tag(environ["HTTP_AUTHORIZATION"]), environ["QUERY_STRING"]
        if environ.get("HTTP_IF_NONE_MATCH") == tag:
            start_response("304 Not Modified", [("etag", tag)])
            return []
        body = self._pages.get((tag, query))
        if body is None:
            _, body = self._answer(self._cursor(), environ, ["", "tasks"])
            self._pages[tag, query] = body
        headers = [("content-type", "application/json"), ("content-length", str(len(body))), ("etag", tag)]
        start_response("200 OK", headers)
        return [body]

    def _tag(self, authorization: str) -> str:
        """Return what names the state of all that somebody sees."""
        session_id, user_id = named_by(authorization)
        cursor = self._cursor()
        self._standing_and_heads.make_ready(cursor, self._of_thread.__dict__.setdefault("ready", set()))
        cursor.execute(*self._standing_and_heads.sent({"id": session_id}))
        (who,) = cursor.fetchone()
        _, _, _, _, _, access_version, heads, *_ = who.split(SEPARATOR)
        return f'"{user_id}.{access_version}.{heads}"'


def create_app() -> Keeping:
    """Return the application of one server process."""
    return Keeping(Settings().database_url)
