"""The operations tagged Health."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracker.api.reply import Reply

if TYPE_CHECKING:
    from collections.abc import Callable


def get_liveness() -> Reply:
    """Say that the process is alive; asks nothing of anything else."""
    return Reply({"status": "ok"})


def get_readiness(readiness: Callable[[], dict[str, str]]) -> Reply:
    """Say how each thing is that this process uses; Unavailable where it cannot serve, or is about to stop."""
    return Reply({"status": "ok", "checks": readiness()})
