"""What a handler returns."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from tracker.domain.changes import Change
    from tracker.domain.sight import State
    from tracker.store.contract import Receipt

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Text:
    """A body that is no JSON; with a ``filename`` it is for saving, not for showing."""

    content: str
    media_type: str
    filename: str | None = None


class Unread(NamedTuple):
    """A list before it is read. ``state`` names all that it depends on but the time and the request.

    Who has it already is told so, and what was read once is remembered for its audience. ``read`` returns the body, and
    the instant until which time alone does not change it (None: it never does).
    """

    state: State
    read: Callable[[], tuple[Body | Text, datetime | None]]


class Reply(NamedTuple):
    """An answer, and the changes that must be committed for it to be true.

    ``body`` is the JSON that leaves, or a Text, None for an empty answer; or Unread; or a function of the commit's
    Receipt, where only the commit can know it (the number of a new task). ``requires`` are the heads that the changes
    rest on, by project. ``by`` names who did it where the request had no actor: somebody who registers. What is
    ``secret`` is for no cache. ``successor`` is the path of the operation to use instead of this one.
    """

    body: Body | Text | Unread | Callable[[Receipt], Body] | None = None
    changes: Sequence[Change] = ()
    status: int = 200
    location: str | None = None
    requires: Mapping[str, int] = MappingProxyType({})
    by: str | None = None
    secret: bool = False
    successor: str | None = None

    def told(self, receipt: Receipt) -> Body | Text | None:
        """Return the body, now that the commit it may wait for is made."""
        if isinstance(self.body, Unread):
            return self.body.read()[0]
        return self.body(receipt) if callable(self.body) else self.body
