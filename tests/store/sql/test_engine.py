"""How a connection presents itself to the server."""

from __future__ import annotations

from contextlib import closing

import pytest

from tests.databases import database
from tracker.store.sql.engine import open_engine

pytestmark = pytest.mark.postgresql


def name_at_the_server(url: str) -> str:
    engine = open_engine(url, connections=1)
    try:
        with closing(engine.raw_connection()) as connection:
            cursor = connection.cursor()
            cursor.execute("SHOW application_name")
            ((name,),) = cursor.fetchall()
            return str(name)
    finally:
        engine.dispose()


def test_who_looks_at_the_server_sees_whose_a_connection_is() -> None:
    with database("postgresql") as url:
        assert name_at_the_server(url) == "tracker"


def test_a_name_that_the_url_or_the_environment_gives_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    with database("postgresql") as url:
        assert name_at_the_server(f"{url}{'&' if '?' in url else '?'}application_name=from-the-url") == "from-the-url"
        monkeypatch.setenv("PGAPPNAME", "from-the-environment")
        assert name_at_the_server(url) == "from-the-environment"
