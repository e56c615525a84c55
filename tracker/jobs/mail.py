"""The second consumer of the log: whoever a change concerns gets a letter, one a run, however much there is to say.

A letter leaves before it is noted that it did: one that is sent twice, because the process ended in between, has the
same Message-ID both times.
"""

from __future__ import annotations

import hashlib
import logging
from datetime import timedelta
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from typing import TYPE_CHECKING

from tracker.domain.changes import Change
from tracker.domain.notification import NotificationKind
from tracker.jobs.outbox import Audience, behind, read_on
from tracker.jobs.post import Undeliverable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from tracker.domain.notification import News
    from tracker.domain.task import Due
    from tracker.domain.user import User
    from tracker.jobs.post import Post
    from tracker.jobs.work import Work

CONSUMER = "mail"
NEWS_FOR = timedelta(days=1)  # what is older is no news: mail may have been off for a year
MOST_NEWS = 2000  # of one run, and some more
MOST_LINES = 100  # of one letter

_HEADINGS: Mapping[NotificationKind, str] = {
    NotificationKind.OVERDUE: "Overdue",
    NotificationKind.DUE_SOON: "Due soon",
    NotificationKind.ASSIGNED: "Yours to do now",
    NotificationKind.ARCHIVED: "Archived, having been done for a while",
}
_log = logging.getLogger("tracker")


def send_mail(work: Work, *, post: Post) -> None:
    """Write to everybody whom something concerns."""
    bag = _Bag(work)
    for project_id in behind(work, CONSUMER):
        bag.collect(project_id)
        if len(bag.news) >= MOST_NEWS:
            break
    sent = _sent(bag.letters(post.sender), post)
    work.step(work.run.position, lambda: bag.moves)
    work.note(sent)


class _Bag:
    """The news of a run, and how far the log was read for them."""

    def __init__(self, work: Work) -> None:
        self._work, self._oldest = work, work.clock() - NEWS_FOR
        self._readers: dict[str, User] = {}
        self.news: list[tuple[str, News]] = []
        self.moves: list[Change] = []

    def collect(self, project_id: str) -> None:
        """Read on in a log: up to where there is something new to say, or to its end."""
        store, audience, fresh = self._work.store, Audience(self._work.store), False
        position = first = store.position(CONSUMER, project_id)
        while not fresh and self._work.has_time() and not (stretch := read_on(store, position)).empty:
            position = stretch.after
            fresh = self._take([news for news in stretch.news if news.entry.at >= self._oldest], audience)
        self.moves.append(Change(first.kept, first.moved_to(position.head)))

    def letters(self, sender: str) -> Iterable[tuple[User, EmailMessage]]:
        """Return one letter for each who is concerned."""
        for user_id, user in self._readers.items():
            theirs = [news for reader, news in self.news if reader == user_id]
            yield user, letter(user, theirs, sender=sender, at=self._work.clock())

    def _take(self, fresh: Sequence[News], audience: Audience) -> bool:
        for news in fresh:
            for user in audience.of(news):
                self._readers[user.id] = user
                self.news.append((user.id, news))
        return bool(fresh)


def letter(user: User, news: Sequence[News], *, sender: str, at: datetime) -> EmailMessage:
    """Return what there is to say to somebody, in plain text."""
    message = EmailMessage()
    message["From"], message["To"] = sender, user.email
    message["Subject"] = "Tracker: one task" if len(news) == 1 else f"Tracker: {len(news)} tasks"
    message["Date"], message["Message-ID"] = format_datetime(at), _message_id(user, news, sender)
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's holiday notice answers it
    message.set_content("\n".join([f"Hello {_in_a_line(user.username)},", *_lines(news)]) + "\n")
    return message


def _sent(letters: Iterable[tuple[User, EmailMessage]], post: Post) -> int:
    count, waiting = 0, list(letters)
    if not waiting:
        return 0
    with post.opened() as send:
        for user, message in waiting:
            try:
                send(message)
            except Undeliverable as refused:
                _log.warning("job mail: the letter to user %s was not taken (%s)", user.id, refused)
            else:
                count += 1
    return count


def _lines(news: Sequence[News]) -> Iterable[str]:
    for kind, heading in _HEADINGS.items():
        told = [_line(one) for one in news if one.kind is kind]
        if told:
            yield from ("", f"{heading}:", *told[:MOST_LINES])
        if len(told) > MOST_LINES:
            yield f"  and {len(told) - MOST_LINES} more"


def _line(news: News) -> str:
    due = f", due {_written(news.task.due)}" if news.task.due else ""
    return f"  - {_in_a_line(news.task.title)}{due}"


def _written(due: Due) -> str:
    at = due.time.isoformat("minutes") if due.time else None
    return " ".join(filter(None, (due.date.isoformat(), at, due.timezone)))


def _in_a_line(text: str) -> str:
    """Return text that can begin no line of its own, and has nothing in it that moves a terminal's cursor."""
    return "".join(character if character.isprintable() else " " for character in text)


def _message_id(user: User, news: Sequence[News], sender: str) -> str:
    told = "\n".join([user.id, *(f"{n.entry.project_id}/{n.entry.head}/{n.entry.n}" for n in news)])
    domain = parseaddr(sender)[1].rpartition("@")[2]
    return f"<{hashlib.sha256(told.encode()).hexdigest()[:32]}@{domain}>"
