"""The first consumer of the log: whoever a change concerns finds a notification of it under ``/me``."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tracker.domain.changes import Change
from tracker.jobs.outbox import Audience, behind, read_on

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracker.jobs.work import Work

CONSUMER = "notifications"


def notify(work: Work) -> None:
    """Tell everybody what concerns them; each stretch of the log together with where it ends, and so once."""
    for project_id in behind(work, CONSUMER):
        told = partial(_told, work, project_id)
        while work.step(project_id, told) and work.has_time():
            pass


def _told(work: Work, project_id: str) -> Sequence[Change]:
    stretch = read_on(work.store, work.store.position(CONSUMER, project_id))
    if stretch.empty:
        return ()
    at, audience = work.clock(), Audience(work.store)
    notifications = [news.told_to(user.id, at=at) for news in stretch.news for user in audience.of(news)]
    return Change(stretch.before.kept, stretch.after), *(Change(None, one) for one in notifications)
