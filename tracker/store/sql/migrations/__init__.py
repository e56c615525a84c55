"""The steps that a database takes to the schema of this code. They travel in the package; there is no alembic.ini."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import column, select, table

from tracker.domain.refusals import Unavailable
from tracker.store.sql.engine import refused

if TYPE_CHECKING:
    from sqlalchemy import Engine, Select

    from tracker.store.sql.database import Database

_VERSION: Select[tuple[str]] = select(column("version_num")).select_from(table("alembic_version"))


@cache
def known() -> tuple[str, ...]:
    """Return the steps that this code knows, the last one first."""
    return tuple(step.revision for step in ScriptDirectory.from_config(_config()).walk_revisions())


def are_missing(database: Database) -> bool:
    """Whether the database has yet to take a step of these.

    One that this code does not know was taken by later code, while an upgrade rolls from process to process or after
    one was taken back. Steps only add to what the code before them uses: it goes on.
    """
    found = present(database)
    return found is None or found in known()[1:]


def present(database: Database) -> str | None:
    """Return the last step that the database took, None for an empty one; Unavailable where it does not answer."""
    try:
        found = database.read(database.prepare(_VERSION), {})
    except Unavailable:
        raise
    except Exception:  # noqa: BLE001 - there is no such table, which each driver says in its own way
        return None
    return found[0][0] if found else None


def run(engine: Engine) -> None:
    """Take every step that is missing, all in one transaction, while others that want to do the same wait."""
    config = _config()
    try:
        with engine.connect() as connection:
            if engine.dialect.name == "postgresql":
                connection.execution_options(isolation_level="READ COMMITTED")
            # It is set to wait longer than others may: nobody is to have it afterwards.
            connection.detach()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except Exception as error:
        raise refused(error) from error


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "tracker.store.sql:migrations")
    config.set_main_option("path_separator", "os")
    return config
