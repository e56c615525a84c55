"""What is over is thrown away some time later."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from tracker.store.contract import CLAIM_LIFETIME, Perishable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tracker.jobs.work import Work

BATCH = 500
# A session is of no use once it is over, but for whoever looks into what happened yesterday. A reminder is kept for
# longer than one looks back for deadlines: those that are gone would be noticed again.
KEPT: Mapping[Perishable, timedelta] = {
    Perishable.SESSIONS: timedelta(days=1),
    Perishable.PASSWORD_RESETS: timedelta(days=1),
    Perishable.CLAIMS: CLAIM_LIFETIME,
    Perishable.REMINDERS: timedelta(days=60),
    Perishable.NOTIFICATIONS: timedelta(days=90),
    Perishable.JOB_RUNS: timedelta(days=2),
}


def purge(work: Work) -> None:
    """Throw away what is over for long enough."""
    for what, kept in KEPT.items():
        while work.has_time() and (count := work.store.purge(what, before=work.clock() - kept, limit=BATCH)):
            work.note(count)
