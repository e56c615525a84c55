"""Taking the next head of a project: the lock, the log and the journal of a commit are one thing.

A commit's first entry in a project's log stands at the head after the present one, under a unique key: of many who put
one there at once one does, and has the project to itself until that head is the project's. So what was read of the
project before is still so. And what the entries say is enough to carry the commit out: whoever finds them left behind
does that (``mending.py``). Nobody reads of an entry before the project's head has come to it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from tracker.domain.changes import LogEntry
from tracker.domain.project import Project
from tracker.domain.task import Task
from tracker.store.contract import Stale
from tracker.store.effects import needs_number, projects_of, told_as
from tracker.store.mongo.collections import In
from tracker.store.records import NAMES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tracker.domain.changes import Change, Entity, Logged
    from tracker.store.mongo.access import Access
    from tracker.store.mongo.documents import Document
    from tracker.store.mongo.plan import Plan


@dataclass(frozen=True, slots=True)
class Base:
    """Where a project stands before a commit: its head as the commit takes it, and the last number that was given."""

    head: int
    last_number: int


def base_of(access: Access, plan: Plan, project_id: str) -> Base:
    """Return where a project stands; Stale where it is gone, or there already, or not as it has to be."""
    found = access.one(In.PROJECTS, {"_id": {"$eq": project_id}}, fields=["head", "last_number", "version", "gone"])
    change = plan.change_of(project_id)
    if change is not None and change.before is None:
        return _base_of_new(found, change.after)
    required = plan.required.get(project_id)
    if found is None or found["gone"] or required not in {None, found["head"]}:
        raise Stale(project_id)
    if change is not None and change.before is not None and change.before.version != found["version"]:
        raise Stale(project_id)
    return Base(found["head"], found["last_number"])


def _base_of_new(found: Document | None, project: Entity | None) -> Base:
    assert isinstance(project, Project)  # noqa: S101 - see Plan.change_of
    if found is not None and (not found["gone"] or found["head"] > project.head):
        raise Stale(project.id)
    return Base(project.head, project.last_number)


def place_for(project: Project) -> Document:
    """Return what stands for a project that is new until it is there: nobody sees it, and it counts for nothing."""
    counts = {"head": project.head, "last_number": 0, "retired": -project.head}
    return {"_id": project.id, "version": 0, "gone": True, **counts}


def as_kept(plan: Plan, bases: Mapping[str, Base]) -> list[Entity | None]:
    """Return what each change leaves behind, with the numbers and the heads that it is given."""
    numbers = {
        task.id: base.last_number + n
        for project_id, base in bases.items()
        for n, task in enumerate(plan.arriving(project_id), 1)
    }
    return [_kept(change, plan, bases, numbers) for change in plan.changes]


def _kept(change: Change, plan: Plan, bases: Mapping[str, Base], numbers: Mapping[str, int]) -> Entity | None:
    after = change.after
    if isinstance(after, Project):
        base = bases[after.id]
        last_number = base.last_number + len(plan.arriving(after.id))
        return replace(after, head=base.head + 1, last_number=last_number)
    if isinstance(after, Task) and needs_number(change):
        return replace(after, number=numbers[after.id])
    return after


def entries_of(plan: Plan, kept: Iterable[Entity | None], project_id: str, head: int) -> list[LogEntry]:
    """Return what the log of a project says of a commit at a head, in the order of its changes."""
    said = plan.set.operation_id, plan.set.actor_id, plan.set.at
    told = [pair for pair in zip(plan.changes, kept, strict=True) if project_id in projects_of(pair[0])]
    return [
        LogEntry(
            project_id,
            head,
            n,
            *said,
            NAMES[type(change.entity)],
            told_as(change.entity),
            *_logged(change.before, after),
        )
        for n, (change, after) in enumerate(told, 1)
    ]


def _logged(before: Entity | None, after: Entity | None) -> tuple[Logged | None, Logged | None]:
    return cast("Logged | None", before), cast("Logged | None", after)
