"""Run by Alembic for each upgrade, on the connection that ``migrations.run`` hands over."""

from alembic import context
from sqlalchemy import Connection

from tracker.store.sql.tables import metadata

# An arbitrary number, the same in every version: it names the lock that one migration at a time holds.
_LOCK = 7_227_001


def begin_alone(connection: Connection) -> None:
    """Wait until nobody else migrates.

    Inside Alembic's transaction: taken before it, the lock would begin one of its own, which Alembic then leaves to be
    rolled back with every step in it.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL lock_timeout = 0")
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
    else:
        connection.exec_driver_sql("PRAGMA busy_timeout = 60000")
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def run(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=metadata, transactional_ddl=True)
    with context.begin_transaction():
        begin_alone(connection)
        context.run_migrations()


run(context.config.attributes["connection"])
