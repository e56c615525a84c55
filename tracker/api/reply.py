"""What a handler returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tracker.domain.changes import Change
    from tracker.store.contract import Receipt

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, and the changes that must be committed for it to be true.

    ``body`` is the JSON that leaves, None for an empty answer; or a function of the commit's Receipt, where only the
    commit can know it (the number of a new task). ``next`` is the cursor of a list's following page.
    ``by`` names who did it where the request had no actor: somebody who registers. What is ``secret`` is for no cache.
    """

    body: Body | Callable[[Receipt], Body] | None = None
    changes: Sequence[Change] = ()
    status: int = 200
    location: str | None = None
    next: str | None = None
    by: str | None = None
    secret: bool = False

    def told(self, receipt: Receipt | None) -> Body | None:
        """Return the body, now that the commit it may wait for is made."""
        if not callable(self.body):
            return self.body
        assert receipt is not None, "a body that waits for its receipt has changes"  # noqa: S101 - a programming error
        return self.body(receipt)
