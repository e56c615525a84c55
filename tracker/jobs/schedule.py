"""What happens by itself, and how often: one table, whoever runs it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from tracker.jobs import mail, notifications
from tracker.jobs.archive import archive
from tracker.jobs.mail import send_mail
from tracker.jobs.notifications import notify
from tracker.jobs.outbox import is_idle
from tracker.jobs.purge import purge
from tracker.jobs.reminders import remind
from tracker.jobs.runner import Job

if TYPE_CHECKING:
    from tracker.jobs.post import Post

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@dataclass(frozen=True)
class Policy:
    """What an installation says about its jobs. Without ``post`` there is no mail."""

    archive_done_after_days: int | None = None
    due_soon: timedelta = timedelta(hours=24)
    post: Post | None = None


def table(policy: Policy) -> tuple[Job, ...]:
    """Return the jobs of an installation."""
    news, letters = (partial(is_idle, consumer=consumer) for consumer in (notifications.CONSUMER, mail.CONSUMER))
    jobs = (
        Job("archive", MINUTE, "tasks archived", partial(archive, default_days=policy.archive_done_after_days)),
        Job("remind", MINUTE, "deadlines noticed", partial(remind, soon=policy.due_soon)),
        Job("notify", timedelta(seconds=5), "notifications made", notify, idle=news),
        Job("purge", HOUR, "things thrown away", purge),
    )
    if policy.post is None:
        return jobs
    return (*jobs, Job("mail", MINUTE, "mails sent", partial(send_mail, post=policy.post), idle=letters))
