"""What leaves the house leaves from the log: it is read on from where a consumer was, and nothing in it is missed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from tracker.domain.changes import whole_commits
from tracker.domain.notification import news_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracker.domain.notification import News
    from tracker.domain.outbox import Position
    from tracker.domain.user import User
    from tracker.jobs.work import Work
    from tracker.store.contract import Reader

_ENTRIES = 500
_PROJECTS = 100


class Stretch(NamedTuple):
    """What a stretch of a project's log says to people, and where a consumer is after it."""

    news: list[News]
    before: Position
    after: Position

    @property
    def empty(self) -> bool:
        """Whether the log does not go on."""
        return self.before == self.after


def behind(work: Work, consumer: str) -> Iterator[str]:
    """Yield the projects whose log goes on from where a consumer was, for as long as there is time."""
    after = work.run.position or None
    while work.has_time() and (found := work.store.behind(consumer, after=after, limit=_PROJECTS)):
        for position in found:
            after = position.project_id
            yield after


def is_idle(store: Reader, *, consumer: str) -> bool:
    """Whether a consumer has read everything."""
    return not store.behind(consumer, limit=1)


def read_on(store: Reader, position: Position) -> Stretch:
    """Return the next stretch of a project's log from a position on."""
    entries, _ = whole_commits(partial(store.log, position.project_id), position.head, _ENTRIES)
    news = [found for entry in entries if (found := news_of(entry, store.task))]
    return Stretch(news, position, position.moved_to(entries[-1].head) if entries else position)


class Audience:
    """Who can be told of a project's tasks: those who can come in and see it. Each of them is looked up once."""

    def __init__(self, store: Reader) -> None:
        """Know nobody yet."""
        self._store = store
        self._known: dict[tuple[str, str], User | None] = {}

    def of(self, news: News) -> list[User]:
        """Return those whom it concerns and who can be told."""
        found = (self._member(news.entry.project_id, user_id) for user_id in news.user_ids)
        return [user for user in found if user is not None]

    def _member(self, project_id: str, user_id: str) -> User | None:
        key = project_id, user_id
        if key not in self._known:
            user = self._store.user(user_id)
            self._known[key] = user if user and user.active and self._sees(user, project_id) else None
        return self._known[key]

    def _sees(self, user: User, project_id: str) -> bool:
        return user.administers or self._store.membership(project_id, user.id) is not None
