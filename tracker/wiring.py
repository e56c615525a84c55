"""What the web and the workers put together alike: the store that the settings name, and the jobs on it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from tracker.domain import clock
from tracker.edge.document import contract
from tracker.jobs.post import Smtp
from tracker.jobs.runner import Runner
from tracker.jobs.schedule import Policy, table
from tracker.logs import AccessLog
from tracker.metrics import Metrics
from tracker.observed import Observers
from tracker.traces import Traces, open_traces

if TYPE_CHECKING:
    from tracker.jobs.runner import Job
    from tracker.observed import Observer
    from tracker.settings import Settings
    from tracker.store.contract import Store
    from tracker.store.watch import Watch


def open_store(settings: Settings, *, connections: int, watch: Watch | None = None) -> Store:
    """Return the store the settings name, neither connected nor migrated yet."""
    url = settings.database_url
    if not url.startswith("mongodb"):
        from tracker.store.sql.store import SqlStore  # noqa: PLC0415 - one store is used, and its driver alone is paid for

        return SqlStore.open(url, connections=connections, watch=watch)
    from tracker.store.mongo.store import MongoStore  # noqa: PLC0415 - likewise

    allowed, name = settings.mongo_allow_standalone, settings.mongo_db
    return MongoStore.open(url, connections=connections, database=name, allow_standalone=allowed, watch=watch)


def jobs(settings: Settings) -> tuple[Job, ...]:
    """Return the table of jobs of an installation."""
    post = Smtp(settings.smtp_url, settings.mail_from) if settings.smtp_url and settings.mail_from else None
    return table(Policy(settings.archive_done_after_days, timedelta(hours=settings.due_soon_hours), post))


def job_runner(settings: Settings, store: Store, observers: Observers | None = None) -> Runner:
    """Return what runs them on a store."""
    return Runner(store, jobs(settings), clock.now, observers)


@dataclass(frozen=True)
class Watchers:
    """Who watches a process: ``metrics`` where there is a METRICS_PORT, ``traces`` where OTEL_* variables ask so."""

    metrics: Metrics | None
    traces: Traces | None

    @property
    def observers(self) -> Observers:
        """All of them, traces first: their ids stand on log lines."""
        present: list[Observer] = [observer for observer in (self.traces, self.metrics) if observer is not None]
        return Observers(*present, AccessLog())

    def close(self) -> None:
        """Hand over what is not handed over yet, for a moment at the most."""
        if self.traces is not None:
            self.traces.close()


def watchers(settings: Settings) -> Watchers:
    """Return who watches this process; to be called once in it, after the fork."""
    return Watchers(metrics(settings), open_traces(_version()))


def metrics(settings: Settings) -> Metrics | None:
    """Return what counts in this process, where anybody asks; to be called once in it."""
    return Metrics(_version()) if settings.metrics_port else None


def _version() -> str:
    version: str = contract().root["info"]["version"]
    return version
