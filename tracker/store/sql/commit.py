"""How a ChangeSet becomes true, in an order in which no two commits can deadlock.

Rows first, by kind and id, each matched on its version; then the heads of the projects, by id: others queue for those,
so they are held the shortest; then the sum of those that are retired; then what is new, which waits for nobody; then
the log.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

from tracker.domain.calendar_feed import CalendarFeed
from tracker.domain.job import JobRun
from tracker.domain.notification import Notification
from tracker.domain.outbox import Position
from tracker.domain.password_reset import PasswordReset
from tracker.domain.project import Membership, Project
from tracker.domain.reminder import Reminder
from tracker.domain.session import RefreshToken, Session
from tracker.domain.task import Task
from tracker.domain.user import User
from tracker.store.contract import CLAIM_LIFETIME, Claim, Receipt, Stale
from tracker.store.effects import arrives, moves, needs_number, project_of, projects_of, told_as, whose_access

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tracker.domain.changes import Change, ChangeSet, Entity
    from tracker.store.sql.transaction import Transaction
    from tracker.store.sql.writes import Writes

# Whose run of a job it is comes first: who has lost it does nothing else.
_ORDER = (
    JobRun, Position, Task, Reminder, Membership, RefreshToken, PasswordReset, CalendarFeed, Session, User, Notification
)  # fmt: skip
_LOCKED = {kind: at for at, kind in enumerate(_ORDER)}
_CREATED = (
    JobRun, Position, User, Session, RefreshToken, PasswordReset, CalendarFeed, Membership, Task, Reminder, Notification
)  # fmt: skip


class Commit:
    """One ChangeSet in one transaction."""

    def __init__(
        self, changes: ChangeSet, transaction: Transaction, writes: Writes, *, claim: Claim | None = None
    ) -> None:
        """Nothing is sent yet."""
        self._set = changes
        self._changes = [change for change in changes.changes if not change.idle]
        self._transaction = transaction
        self._writes = writes
        self._claim = claim
        gone = [change.before for change in self._changes if change.after is None]
        self._ended = {project.id: project for project in gone if isinstance(project, Project)}
        ended_heads = {project.id: project.head for project in self._ended.values()}
        self._required: Mapping[str, int] = {**ended_heads, **changes.required_heads}
        self._arriving = Counter(project_of(change.after) for change in self._changes if needs_number(change))
        self._heads: dict[str, int] = {}
        self._last_numbers: dict[str, int] = {}  # as they were before this commit
        self._given: Counter[str] = Counter()

    def run(self) -> Receipt:
        """Send everything but COMMIT; raise Stale where a row or a head is not what it was decided on."""
        self._hold_contents()
        self._match_rows()
        self._raise_access()
        self._take_heads()
        self._retire_heads()
        kept = [self._as_kept(change) for change in self._changes]
        self._create(kept)
        self._log(kept)
        receipt = Receipt(self._heads, {entity.id: entity for entity in self._arrived(kept)})
        self._keep_claim(receipt)
        return receipt

    def _arrived(self, kept: list[Entity | None]) -> list[Entity]:
        arrived = zip(self._changes, kept, strict=True)
        return [after for change, after in arrived if after and arrives(change)]

    def _keep_claim(self, receipt: Receipt) -> None:
        claim = self._claim
        if claim is not None:
            key = {"is_owner": claim.owner, "is_key": claim.key, "is_before": claim.at - CLAIM_LIFETIME}
            kept = {name: getattr(claim, name) for name in ("owner", "key", "fingerprint", "at")}
            self._transaction.send(self._writes.forget_claim, key)
            self._transaction.send(self._writes.keep_claim, {**kept, "answer": claim.answer(receipt)})

    def _hold_contents(self) -> None:
        """Lock what is about to go with a project before its head is taken, as whoever changes any of it does."""
        for project_id, statement in product(sorted(self._ended), self._writes.hold_contents):
            self._transaction.send(statement, {"is_id": project_id})

    def _match_rows(self) -> None:
        rows = [change for change in self._changes if change.before and not isinstance(change.before, Project)]
        for change in sorted(rows, key=lambda change: (_LOCKED[type(change.entity)], change.entity.id)):
            self._match(change)

    def _match(self, change: Change) -> None:
        before, after = change.before, change.after
        assert before is not None, "only what was there can be matched"  # noqa: S101 - a programming error, not input
        writes = self._writes.kinds[type(before)]
        statement, row = (writes.delete, {}) if after is None else (writes.replace, writes.kind.row(after))
        if not self._transaction.matched(statement, {**row, **writes.match(before)}):
            raise Stale(before.id)

    def _raise_access(self) -> None:
        raised = Counter(whose_access(change) for change in self._changes)
        for project_id in self._ended:
            # A member who saw it sees a smaller sum of heads from now on: only a new access_version keeps that from
            # naming a state that was. Who joins in between moves its head, which is required to be as it was.
            raised.update(row[0] for row in self._transaction.ask_all(self._writes.who_sees, {"is_id": project_id}))
        new = {change.entity.id for change in self._changes if change.before is None}
        for user_id in sorted(user_id for user_id in raised if user_id and user_id not in new):
            self._transaction.send(self._writes.raise_access, {"is_id": user_id, "by": raised[user_id]})

    def _take_heads(self) -> None:
        of_projects = {change.entity.id: change for change in self._changes if isinstance(change.entity, Project)}
        touched = {project_id for change in self._changes for project_id in projects_of(change)}
        for project_id in sorted(touched | set(self._required)):
            change = of_projects.get(project_id)
            if project_id not in touched:
                self._hold_head(project_id)
            elif change is not None and change.before is None:
                self._begin_project(change)
            else:
                self._next_head(project_id)
                if change is not None:
                    self._match(change)

    def _retire_heads(self) -> None:
        """Count the heads of what is gone for whoever sees everything; last of all that is locked: it is one row."""
        if self._ended:
            self._transaction.send(self._writes.retire_heads, {"by": sum(self._heads[ended] for ended in self._ended)})

    def _hold_head(self, project_id: str) -> None:
        required = {"is_id": project_id, "is_head": self._required[project_id]}
        if self._transaction.ask(self._writes.hold_head, required) is None:
            raise Stale(project_id)

    def _begin_project(self, change: Change) -> None:
        project = change.after
        assert isinstance(project, Project)  # noqa: S101 - see _take_heads
        head, arriving = project.head + 1, self._arriving[project.id]
        self._heads[project.id], self._last_numbers[project.id] = head, project.last_number
        begun = replace(project, head=head, last_number=project.last_number + arriving)
        self._transaction.send(self._writes.kinds[Project].create, vars(begun))

    def _next_head(self, project_id: str) -> None:
        arriving, required = self._arriving[project_id], self._required.get(project_id)
        values = {"is_id": project_id, "created": arriving}
        if required is None:
            row = self._transaction.ask(self._writes.next_head, values)
        else:
            row = self._transaction.ask(self._writes.next_required_head, {**values, "is_head": required})
        if row is None:
            raise Stale(project_id)
        self._heads[project_id], self._last_numbers[project_id] = row[0], row[1] - arriving

    def _as_kept(self, change: Change) -> Entity | None:
        after = change.after
        if isinstance(after, Project):
            last_number = self._last_numbers[after.id] + self._arriving[after.id]
            return replace(after, head=self._heads[after.id], last_number=last_number)
        if isinstance(after, Task) and needs_number(change):
            self._given[after.project_id] += 1
            return replace(after, number=self._last_numbers[after.project_id] + self._given[after.project_id])
        return after

    def _create(self, kept: list[Entity | None]) -> None:
        arrived = list(zip(self._changes, kept, strict=True))
        for kind in _CREATED:
            writes = self._writes.kinds[kind]
            for change, after in arrived:
                if isinstance(after, kind) and change.before is None:
                    self._transaction.send(writes.create, {**writes.kind.row(after), "access_version": 1})
        for change, after in arrived:
            if isinstance(after, Task) and moves(change):
                place = {"is_id": after.id, "project_id": after.project_id, "number": after.number}
                self._transaction.send(self._writes.move_task, place)

    def _log(self, kept: list[Entity | None]) -> None:
        entries: Counter[str] = Counter()
        for change, after in zip(self._changes, kept, strict=True):
            for project_id in projects_of(change):
                entries[project_id] += 1
                self._transaction.send(
                    self._writes.log,
                    {
                        "project_id": project_id,
                        "head": self._heads[project_id],
                        "n": entries[project_id],
                        "operation_id": self._set.operation_id,
                        "actor_id": self._set.actor_id,
                        "at": self._set.at,
                        "entity": self._writes.kinds[type(change.entity)].kind.name,
                        "entity_id": told_as(change.entity),
                        "before": change.before,
                        "after": after,
                    },
                )
