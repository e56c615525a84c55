"""The operations tagged Health."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracker.api.reply import Reply

if TYPE_CHECKING:
    from tracker.store.contract import Store


def get_liveness() -> Reply:
    """Say that the process is alive; asks nothing of anything else."""
    return Reply({"status": "ok"})


def get_readiness(store: Store) -> Reply:
    """Say that the store answers and has the schema this version expects; Unavailable where not."""
    store.ping()
    return Reply({"status": "ok"})
