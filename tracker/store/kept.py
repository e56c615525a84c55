"""Everything that makes an installation, kind by kind: what is carried from one store into another.

What is good for a while only is not: sessions, refresh tokens, password resets, idempotency keys, runs of jobs. What a
store makes of the rest by itself is not either: words to search by, the sum of the heads of what is gone.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tracker.domain.calendar_feed import CalendarFeed
from tracker.domain.changes import LogEntry
from tracker.domain.notification import Notification
from tracker.domain.outbox import Position
from tracker.domain.project import Membership, Project
from tracker.domain.refusals import Conflict
from tracker.domain.reminder import Reminder
from tracker.domain.task import Task
from tracker.domain.user import User

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping


@dataclass(frozen=True, slots=True)
class Account:
    """A user, and how often what they see has changed: with it their clients go on where they were."""

    user: User
    access_version: int


Kept = Project | Account | CalendarFeed | Membership | Task | Reminder | Notification | Position | LogEntry

# Each refers only to those before it. By what they are sorted is what there is one of.
SORTED_BY: Mapping[type[Any], tuple[str, ...]] = {
    Project: ("id",),
    Account: ("id",),
    CalendarFeed: ("id",),
    Membership: ("project_id", "user_id"),
    Task: ("id",),
    Reminder: ("task_id", "kind", "due_at"),
    Notification: ("id",),
    Position: ("consumer", "project_id"),
    LogEntry: ("project_id", "head", "n"),
}
ENTITIES: Mapping[type[Any], type[Any]] = {kind: User if kind is Account else kind for kind in SORTED_BY}


class NotEmpty(Conflict):
    """There is an installation already: nothing can be carried into it."""

    detail = "This database is not empty: data can only be imported where nothing was ever kept."


class Transferable(ABC):
    """What a store promises of everything in it at once, besides what it promises of each thing."""

    @abstractmethod
    def count_kept(self) -> int:
        """Return about how many things are kept."""

    @abstractmethod
    def everything(self) -> Generator[Kept, None, None]:
        """Yield all that is kept, in the order of SORTED_BY, a few at a time; close it where it is not read to its end.

        On SQL it is all as it was at one instant. MongoDB has none for so many reads: where anything that moves a head
        or changes a user is committed meanwhile, it is Unavailable at the end, and what was read is worth nothing.
        """

    @abstractmethod
    def restore(self, kept: Iterator[Kept]) -> None:
        """Have all that is yielded be there, just as it was, or nothing; NotEmpty unless nothing is there yet.

        It must come in the order of SORTED_BY, and hold together. What ``kept`` raises is raised, and nothing is there.
        Stale where something is there twice. Where a store has no transactions, nobody else may use it meanwhile; what
        a crash leaves half done there is gone with the next ``migrate``, and until then ``ping`` is Unavailable.
        """
