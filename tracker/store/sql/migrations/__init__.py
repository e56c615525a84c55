"""The steps that a database takes to the schema of this code. They travel in the package; there is no alembic.ini.

Alembic is imported where a step is taken: a process that only serves never needs it.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import column, select, table

from tracker.domain.refusals import Unavailable
from tracker.store.sql.engine import refused

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Engine, Select

    from tracker.store.sql.database import Database

_VERSION: Select[tuple[str]] = select(column("version_num")).select_from(table("alembic_version"))


@cache
def steps() -> tuple[str, ...]:
    """Return the names of all steps that this code knows, in order: their files begin with them."""
    return tuple(sorted(file.name.partition("_")[0] for file in (Path(__file__).parent / "versions").glob("[0-9]*.py")))


def is_later(step: str | None) -> bool:
    """Whether a step was taken by later code, which has taken all of these before."""
    return step is not None and step not in steps()


def are_missing(database: Database) -> bool:
    """Whether the database has yet to take a step of these.

    One that this code does not know was taken by later code, while an upgrade rolls from process to process or after
    one was taken back. Steps only add to what the code before them uses: it goes on (docs/decisions, 0011).
    """
    found = present(database)
    return found is None or found in steps()[:-1]


def present(database: Database) -> str | None:
    """Return the last step that the database took, None for an empty one; Unavailable where it does not answer."""
    try:
        found = database.probe(database.prepare(_VERSION), {})
    except Unavailable:
        raise
    except Exception:  # noqa: BLE001 - there is no such table, which each driver says in its own way
        return None
    return found[0][0] if found else None


def run(engine: Engine) -> None:
    """Take every step that is missing, all in one transaction, while others that want to do the same wait."""
    from alembic import command  # noqa: PLC0415 - see above

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
    from alembic.config import Config  # noqa: PLC0415 - see above

    config = Config()
    config.set_main_option("script_location", "tracker.store.sql:migrations")
    config.set_main_option("path_separator", "os")
    return config
