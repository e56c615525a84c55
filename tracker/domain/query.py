"""What a list is asked for, and what it answers: pages by position, never by offset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from tracker.domain.access import Scope
    from tracker.domain.task import Task

DEFAULT_LIMIT = 50


@dataclass(frozen=True, slots=True)
class Cursor:
    """The place of one task in a list that is newest first; a page begins right after it."""

    created_at: datetime
    id: str


@dataclass(frozen=True, slots=True)
class TaskQuery:
    """Tasks in any of ``scopes`` that are not archived, newest first, from after ``cursor``, ``limit`` at the most."""

    scopes: tuple[Scope, ...]
    limit: int = DEFAULT_LIMIT
    cursor: Cursor | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A stretch of a list; ``next`` is where the following one begins, None at the end."""

    items: tuple[Task, ...]
    next: Cursor | None
