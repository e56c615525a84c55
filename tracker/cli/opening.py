"""What the commands share: settings, a store, and refusals as one line."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from tracker.cli import Refused, Unusable
from tracker.domain.refusals import Refusal
from tracker.environment import Misconfigured
from tracker.settings import Settings
from tracker.traces import check_traces
from tracker.wiring import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracker.store.contract import Store


def load_settings() -> Settings:
    """Read the settings, or end with one line."""
    try:
        check_traces()
        return Settings()
    except Misconfigured as wrong:
        raise Unusable(str(wrong)) from None


@contextmanager
def migrated_store(settings: Settings) -> Iterator[Store]:
    """Open the store and bring its schema up to date; what it refuses ends the command with one line."""
    with opened_store(settings) as store:
        store.migrate()
        yield store


@contextmanager
def ready_store(settings: Settings) -> Iterator[Store]:
    """Open a store whose schema is up to date already; what it or the domain refuses ends the command with one line."""
    with opened_store(settings) as store:
        store.ping()
        yield store


@contextmanager
def opened_store(settings: Settings) -> Iterator[Store]:
    """Open the store as it is, and close it in any case."""
    try:
        with closing(open_store(settings, connections=1)) as store:
            yield store
    except Refusal as refusal:
        raise Refused(refusal.detail) from None
