"""What every store promises. ``tests/store`` holds each of them to it; nothing above knows which one it has.

Reads see everything that was committed before they began. No session, cursor, row or driver error leaves a store:
what it cannot do it says with a Refusal of the domain, or with Stale.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, cast

from tracker.domain.task_line import Lines, line_of
from tracker.store.kept import Transferable

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping
    from contextlib import AbstractContextManager
    from datetime import datetime

    from tracker.domain.calendar_feed import CalendarFeed
    from tracker.domain.changes import ChangeSet, Entity, LogEntry
    from tracker.domain.job import JobRun
    from tracker.domain.notification import Notification
    from tracker.domain.outbox import Position
    from tracker.domain.password_reset import PasswordReset
    from tracker.domain.project import Member, Membership, Project, ProjectRole
    from tracker.domain.query import (
        MemberQuery,
        NotificationQuery,
        Page,
        ProjectQuery,
        SettledQuery,
        Summary,
        SummaryQuery,
        TaskQuery,
        UnremindedQuery,
        UserQuery,
    )
    from tracker.domain.session import RefreshToken, Session
    from tracker.domain.task import Task
    from tracker.domain.user import Role, User, UserStatus

CLAIM_LIFETIME = timedelta(hours=24)
OLDER = "The database is not at the schema of this version; run the migrations."


class Stale(Exception):
    """Something a ChangeSet rests on has changed since it was read. Nothing was written; read and decide again."""

    def __init__(self, entity_id: str) -> None:
        """Name the row that had moved on."""
        super().__init__(entity_id)
        self.entity_id = entity_id


class Standing(NamedTuple):
    """One row about whoever holds a session: what has to be known before anything may be answered.

    ``heads``, None where they were not asked for, is the sum of the heads of the projects they can see, as they were at
    one instant; for an admin that of all projects there are, and of the last heads of all that were deleted. So an
    admin's goes up with every commit in any project and never down: it names the state of everything, and to every
    admin the same. A member's goes down when a project they saw is deleted or left, and with that their
    ``access_version`` goes up: the two together name the state of what they see.
    """

    user_id: str
    session_id: str
    role: Role
    status: UserStatus
    inbox_id: str
    access_version: int
    heads: int | None
    session_expires_at: datetime
    session_ended_at: datetime | None


class Receipt(NamedTuple):
    """What a commit made: the new head of each project it touched, and each entity that is new in one, as it was kept.

    New in a project is what was created there, and a task that moved there: it has a number of that project.
    """

    heads: Mapping[str, int]
    arrived: Mapping[str, Entity]

    def kept(self, task: Task) -> Task:
        """Return a task as it was kept, with its number."""
        return cast("Task", self.arrived.get(task.id, task))


@dataclass(frozen=True, slots=True)
class Claim:
    """The key of a request that must have one effect: who sent it, for what (``fingerprint``), and what is answered.

    ``answer`` is called with the receipt inside the transaction; what it returns is kept with the key.
    """

    owner: str
    key: str
    fingerprint: str
    at: datetime
    answer: Callable[[Receipt], str]


@dataclass(frozen=True, slots=True)
class Claimed:
    """A key that was used, when, for what, and what was answered."""

    fingerprint: str
    at: datetime
    answer: str


class Perishable(StrEnum):
    """What is of no use some time after it is over, and the instant that tells when that is."""

    SESSIONS = "sessions"  # when they expire; their refresh tokens go with them
    PASSWORD_RESETS = "password_resets"  # noqa: S105 - a name; when they expire
    CLAIMS = "claims"  # when they were made
    REMINDERS = "reminders"  # when their task was due
    NOTIFICATIONS = "notifications"  # when they were made
    JOB_RUNS = "job_runs"  # their window


class Reader(ABC):
    """Typed reads, each of them one statement. None stands for what is not there. Raises Unavailable, and no other."""

    def visit(self) -> AbstractContextManager[object]:
        """Let this thread ask several times meanwhile, at less cost than one by one. It promises nothing else."""
        return nullcontext()

    def stay(self) -> AbstractContextManager[object]:
        """Let this thread visit again and again meanwhile, at less cost than now and then. It promises nothing else."""
        return nullcontext()

    @abstractmethod
    def standing(
        self, session_id: str, *, task_id: str | None = None, asked: Hashable | None = None
    ) -> Standing | None:
        """Return what is known of a session and its user; of one of an earlier generation nothing is.

        ``task_id`` is what will be asked for next: a store may read that task along, and answer with it the next time,
        once, that it is asked for in the same visit. Where that is a list, ``asked`` is whatever tells the list from
        others: with it the heads are counted, which takes the longer the more projects there are, and a store may know
        from it which page comes next, and read that along likewise.
        """

    @abstractmethod
    def memberships(self, user_id: str) -> Mapping[str, ProjectRole]:
        """Return the user's role in each of their projects, by project id."""

    @abstractmethod
    def user(self, user_id: str) -> User | None:
        """Return a user."""

    @abstractmethod
    def user_named(self, *, username: str | None = None, email: str | None = None) -> User | None:
        """Return the user with this username or this e-mail address, compared in folded form; give one of the two."""

    @abstractmethod
    def has_users(self) -> bool:
        """Return whether anybody ever registered here."""

    @abstractmethod
    def users(self, query: UserQuery) -> list[User]:
        """Return users by id."""

    @abstractmethod
    def session(self, session_id: str) -> Session | None:
        """Return a session, alive or over."""

    @abstractmethod
    def sessions(self, user_id: str, *, at: datetime, before: str | None = None, limit: int = 50) -> list[Session]:
        """Return a user's sessions that are alive at an instant, the newest (by id) first, ``limit`` at the most.

        With ``before`` only those whose id is less.
        """

    @abstractmethod
    def refresh_token(self, token_id: str) -> RefreshToken | None:
        """Return a refresh token by the hash of its secret, used or not."""

    @abstractmethod
    def password_reset(self, reset_id: str) -> PasswordReset | None:
        """Return a password reset by the hash of its secret, good or not any more."""

    @abstractmethod
    def password_reset_of(self, user_id: str) -> PasswordReset | None:
        """Return the password reset that was made for a user, good or not any more; there is one at the most."""

    @abstractmethod
    def calendar_feed(self, feed_id: str) -> CalendarFeed | None:
        """Return a calendar feed by the hash of its token."""

    @abstractmethod
    def calendar_feed_of(self, user_id: str) -> CalendarFeed | None:
        """Return the calendar feed of a user; there is one at the most."""

    @abstractmethod
    def project(self, project_id: str) -> Project | None:
        """Return a project with its present head."""

    @abstractmethod
    def projects(self, query: ProjectQuery) -> list[Project]:
        """Return projects as a query asks, the newest (by id) first, each with its present head."""

    @abstractmethod
    def project_tasks(self, project_id: str, *, limit: int, assignee_id: str | None = None) -> list[Task]:
        """Return the tasks of a project by id, archived or not, ``limit`` at the most.

        With ``assignee_id`` only those that this user has to do.
        """

    @abstractmethod
    def membership(self, project_id: str, user_id: str) -> Membership | None:
        """Return a user's membership in a project."""

    @abstractmethod
    def members(self, query: MemberQuery) -> list[Member]:
        """Return members of a project with their usernames, by user id."""

    @abstractmethod
    def task(self, task_id: str) -> Task | None:
        """Return a task, archived or not."""

    @abstractmethod
    def tasks(self, query: TaskQuery) -> Page:
        """Return a page of the tasks that a query asks for, in its order; ``next`` only where more follow.

        Pages that are turned by ``next`` hold each task that stood still meanwhile once.
        """

    def task_lines(self, query: TaskQuery) -> Lines:
        """Return the same page, each task as a line."""
        page = self.tasks(query)
        return Lines(tuple(map(line_of, page.items)), page.next)

    @abstractmethod
    def summary(self, query: SummaryQuery) -> Summary:
        """Return how many tasks there are, as a query asks."""

    @abstractmethod
    def log(self, project_id: str, *, after: int = 0, limit: int = 200, entity_id: str | None = None) -> list[LogEntry]:
        """Return the project's log entries with a head greater than ``after``, by (head, n), ``limit`` at the most.

        With ``entity_id`` only those of one entity.
        """

    @abstractmethod
    def operation(self, operation_id: str) -> list[LogEntry]:
        """Return what one commit logged in every project it touched, by (project_id, n); nothing for an unknown one."""

    @abstractmethod
    def claimed(self, owner: str, key: str) -> Claimed | None:
        """Return the record of a key, however old."""

    @abstractmethod
    def notifications(self, query: NotificationQuery) -> list[Notification]:
        """Return a user's notifications as a query asks, the newest (by id) first."""

    @abstractmethod
    def settled(self, query: SettledQuery) -> list[Task]:
        """Return tasks that are to be archived by themselves, as a query asks: those for which ``Task.settled``.

        Those of archived projects too.
        """

    @abstractmethod
    def unreminded(self, query: UnremindedQuery) -> list[Task]:
        """Return tasks with something to notice, as a query asks: those of which ``reminder_of`` makes a new one."""

    @abstractmethod
    def behind(self, consumer: str, *, after: str | None = None, limit: int = 50) -> list[Position]:
        """Return how far a consumer has read each project that is there and whose log goes on, by project id.

        Of a project it has read nothing of yet that is a Position at head 0, of version 0. With ``after`` only those of
        projects with a greater id; ``limit`` at the most.
        """

    @abstractmethod
    def position(self, consumer: str, project_id: str) -> Position:
        """Return how far a consumer has read the log of a project, which need not be there (any more, or at all)."""

    @abstractmethod
    def job_run(self, job: str, window: datetime) -> JobRun | None:
        """Return the run of a window of a job."""

    @abstractmethod
    def job_runs(self, job: str, *, limit: int = 10) -> list[JobRun]:
        """Return the runs of a job, the latest window first, ``limit`` at the most."""


class Store(Reader, Transferable):
    """A Reader that also makes ChangeSets true."""

    @abstractmethod
    def commit(self, changes: ChangeSet, claim: Claim | None = None) -> Receipt:
        """Make every change true, or none.

        - A replaced or deleted entity is matched on the ``version`` of ``before``: Stale where it has another, or none.
        - A project whose head is required must have just that head: Stale otherwise. One that is deleted must have the
          head of ``before``: what was added to it since is not deleted unseen.
        - ``email``, ``username`` and ``membership`` are unique (the first two folded): Taken where they are in use.
        - A user has one password reset and one calendar feed, a window of a job one run, a consumer one position in a
          project, a deadline of a task one reminder of a kind: Stale where there is another already.
        - Each project that a change is in or of gets ``head + 1``, under its row lock, projects in the order of their
          ids; a project that is gone: Stale. A created project begins with the head after the one it brings: with 1,
          unless it was there before.
        - A task whose ``number`` is 0, created or moved into another project, gets the next one there, from 1, never
          given twice; any other keeps the one it brings: it had it there before (Stale where another task has it).
        - Each change of a project, membership, task or reminder is one LogEntry at the new head, ``n`` from 1 in their
          order. Whatever else tells of a project is not in it: a notification or a position moves no head.
        - A deleted project takes its memberships and tasks with it, logged or not. Its reminders, notifications and
          positions stay: what is there again is neither noticed nor told twice.
        - The head at which a project is deleted counts in the ``heads`` of every admin from then on, also where the
          project comes back: it then counts once more, with the head it goes on from.
        - A created, changed or deleted membership raises its user's ``access_version``; so does a changed role, and a
          deleted project that of everybody who saw it.
        - A claim is kept with its answer, in place of one of the same owner and key that is older than a day; where
          there is a younger one: Stale. A claim is kept also when nothing changes.
        - Nothing is readable before all of it is; what was acknowledged is on disk.

        Raises Stale, Taken, Unavailable; in each case nothing was written. (Unavailable after the commit was sent may
        leave the outcome unknown: the caller must not claim that nothing happened.)
        """

    @abstractmethod
    def rehearse(self, changes: ChangeSet) -> Receipt:
        """Return what ``commit`` would, and raise what it would, without anything becoming true."""

    @abstractmethod
    def purge(self, what: Perishable, *, before: datetime, limit: int) -> int:
        """Delete what was over before an instant, the oldest first, ``limit`` at the most; return how many there were.

        What goes with something does not count. It leaves no trace: no version, no head and no log tells of it.
        """

    @abstractmethod
    def ping(self) -> None:
        """Return if the store answers and its schema has all that this code expects; raise Unavailable if not.

        That of later code has, too: while an upgrade rolls, both work on one database. It is asked also after
        ``give_up``, whose end it is when anything is heard.
        """

    @abstractmethod
    def give_up(self) -> None:
        """Have whoever waits for the database hear at once that it is Unavailable, and whoever comes after them too.

        For when it is silent: it neither answers nor refuses. A file is nobody who could be.
        """

    @abstractmethod
    def migrate(self) -> None:
        """Bring the schema to this code's, unless it is a later one; of many that start at once one works, others wait.

        What a crash left half done, where a store has no transactions, is through or gone afterwards.
        """

    @abstractmethod
    def close(self) -> None:
        """Give back every connection."""
