"""Pages of the lists that are in the order of their ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from tracker.domain.query import Cursor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracker.api.cursors import Cursors
    from tracker.domain.notification import Notification
    from tracker.domain.session import Session
    from tracker.domain.user import User

Item = TypeVar("Item", "Notification", "Session", "User")


def id_at(cursor: str | None, cursors: Cursors, of: str) -> str | None:
    """Return the id right after which a page begins; None for the first page."""
    place = cursors.open(cursor, of)
    return place.id if place else None


def page_of(found: Sequence[Item], limit: int, cursors: Cursors, of: str) -> tuple[Sequence[Item], str | None]:
    """Return a page and the cursor of the following one; one item more than it holds was looked for, to know."""
    items = found[:limit]
    return items, cursors.seal(Cursor(None, items[-1].id), of) if len(found) > limit else None
