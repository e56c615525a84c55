"""What the web and the workers put together alike: the store that the settings name, and the jobs on it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from tracker.domain import clock
from tracker.jobs.post import Smtp
from tracker.jobs.runner import Runner
from tracker.jobs.schedule import Policy, table

if TYPE_CHECKING:
    from tracker.jobs.runner import Job
    from tracker.settings import Settings
    from tracker.store.contract import Store


def open_store(settings: Settings, *, connections: int) -> Store:
    """Return the store the settings name, neither connected nor migrated yet."""
    url = settings.database_url
    if not url.startswith("mongodb"):
        from tracker.store.sql.store import SqlStore  # noqa: PLC0415 - one store is used, and its driver alone is paid for

        return SqlStore.open(url, connections=connections)
    from tracker.store.mongo.store import MongoStore  # noqa: PLC0415 - likewise

    allowed, name = settings.mongo_allow_standalone, settings.mongo_db
    return MongoStore.open(url, connections=connections, database=name, allow_standalone=allowed)


def jobs(settings: Settings) -> tuple[Job, ...]:
    """Return the table of jobs of an installation."""
    post = Smtp(settings.smtp_url, settings.mail_from) if settings.smtp_url and settings.mail_from else None
    return table(Policy(settings.archive_done_after_days, timedelta(hours=settings.due_soon_hours), post))


def job_runner(settings: Settings, store: Store) -> Runner:
    """Return what runs them on a store."""
    return Runner(store, jobs(settings), clock.now)
