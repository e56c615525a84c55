"""What can be refused, whoever asked. Each leaf is one kind of answer; the edge gives it its HTTP status, once.

Refusal
├── NotFound              there is no such thing, or the actor may not see it
├── Forbidden             the actor sees it but may not do this; names the missing permission
├── Unauthenticated       nobody, or nobody any more: no session, an ended session, a disabled user
│   └── WrongCredentials  a login or a refresh token that is not right
├── Conflict              well formed, but not in this state
│   ├── IllegalTransition a move the workflow does not have; names the moves it has
│   ├── Taken             a name that must be unique is in use
│   ├── PasswordRefused   the password policy says no
│   ├── WrongPassword     the present password, asked for once more, is not right
│   ├── LastAdmin         nobody would be left to let people in
│   ├── LastOwner         a project would be left without an owner
│   ├── InboxIsPersonal   what can be done with a project, but not with somebody's inbox
│   ├── TooManyAssigned   more tasks of one member than can be taken from them at once
│   ├── UnknownTimezone   a time zone the IANA database does not have
│   ├── ChangedSince      an operation that cannot be taken back: what it did has changed since
│   ├── Final             an operation that cannot be taken back by anybody
│   ├── TooMany           a filter that finds more than can be changed at once
│   │   └── TooLong       a list that is more than one answer holds
│   ├── CursorRefused     a cursor of another query, another key or another hand
│   └── Contended         others were first, five times in a row
└── Unavailable           something this depends on is gone or full; worth another try later

A refusal never holds what the client sent: its text names the field and the rule.
It may carry changes: they are committed although the request is refused (a failed login counts itself).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracker.domain.changes import Change

_NAMED = 10


class Refusal(Exception):
    """A business answer that is not the one asked for. ``detail`` is one sentence for a person."""

    detail = "The request was refused."

    def __init__(self, detail: str | None = None, *, changes: tuple[Change, ...] = ()) -> None:
        """Say why in ``detail`` (the class's own sentence when absent); ``changes`` are committed all the same."""
        self.detail = detail or self.detail
        self.changes = changes
        super().__init__(self.detail)


class NotFound(Refusal):
    """There is no such thing, or the actor may not see it: both look alike."""

    def __init__(self, noun: str) -> None:
        """Name the kind of thing that was looked for, never its id."""
        super().__init__(f"There is no such {noun}, or you may not see it.")


class Forbidden(Refusal):
    """The actor may see it but not do this."""

    def __init__(self, permission: str) -> None:
        """Name the permission that is missing."""
        super().__init__(f"This needs the permission {permission}, which you do not have here.")
        self.permission = permission


class Unauthenticated(Refusal):
    """Nobody, or nobody any more."""

    detail = "A valid access token is needed; log in and send it as 'Authorization: Bearer <token>'."


class WrongCredentials(Unauthenticated):
    """The name and the password, or the refresh token, are not right; which of them is not said."""

    detail = "These credentials are not right."


class Conflict(Refusal):
    """Well formed, but it does not fit the present state."""


class IllegalTransition(Conflict):
    """The workflow has no such move."""

    def __init__(self, status: str, allowed: tuple[str, ...]) -> None:
        """Name the status the task is in and the ones it may move to."""
        super().__init__(f"A task that is {status} can only become: {', '.join(allowed)}.")
        self.allowed = allowed


class Taken(Conflict):
    """A value that must be unique is in use."""

    def __init__(self, field: str) -> None:
        """Name the field, never its value."""
        super().__init__(f"This {field} is already in use.")
        self.field = field


class PasswordRefused(Conflict):
    """The password policy says no; the detail names the rule."""


class WrongPassword(Conflict):
    """The present password was asked for once more, and is not right: the session is good, so this is no 401."""

    detail = "current_password is not right."


class LastAdmin(Conflict):
    """Nobody would be left who can let people in."""

    detail = "This is the last active admin; make another one first."


class LastOwner(Conflict):
    """Nobody would own the project any more."""

    detail = "This is the last owner of the project; make another one first."


class InboxIsPersonal(Conflict):
    """An inbox is one user's own, for as long as there is that user."""

    detail = "An inbox belongs to one user for good: it cannot be shared, renamed, archived or deleted."


class TooManyAssigned(Conflict):
    """A member has more to do than can be taken from them at once."""

    def __init__(self, limit: int) -> None:
        """Name the bound."""
        super().__init__(f"This member has more than {limit} tasks of the project to do; give some to others first.")


class UnknownTimezone(Conflict):
    """No such zone in the IANA time zone database."""

    detail = "timezone is not the name of a time zone in the IANA database."


class ChangedSince(Conflict):
    """What an operation did is not all as it left it."""

    def __init__(self, things: Sequence[str]) -> None:
        """Name what has changed, each by its kind and id; the first few where there are many."""
        more = f" and {len(things) - _NAMED} more" if len(things) > _NAMED else ""
        super().__init__(f"This has changed since: {', '.join(things[:_NAMED])}{more}.")


class Final(Conflict):
    """An operation whose opposite nobody can make: not all that it took is in the log."""

    detail = "This deleted a project with more tasks or members than are kept for taking it back; it is final."


class TooMany(Conflict):
    """A filter finds more than can be changed at once."""

    def __init__(self, limit: int) -> None:
        """Name the bound."""
        super().__init__(f"filter finds more than {limit} tasks; narrow it, or change them in parts.")


class TooLong(TooMany):
    """A list is asked for as a whole, and is more than one answer holds."""

    def __init__(self, rows: int, mebibytes: int) -> None:
        """Name the bounds."""
        whole = f"The list has more than {rows} tasks or {mebibytes} MiB"
        Conflict.__init__(self, f"{whole}; narrow it by filters, or turn the pages of GET /tasks.")


class CursorRefused(Conflict):
    """The cursor was not made by this server for this query."""

    detail = "cursor was not made for this query; start again from the first page."


class Contended(Conflict):
    """Others were first, each time."""

    detail = "Others changed the same thing at the same time, five times in a row; try again."


class Unavailable(Refusal):
    """Something this depends on is gone or full."""

    detail = "Something this request depends on does not answer; try again in a moment."

    def __init__(self, detail: str | None = None, *, retry_after: int = 1) -> None:
        """Say what is missing, and after how many seconds another try makes sense."""
        super().__init__(detail)
        self.retry_after = retry_after
