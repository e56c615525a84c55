"""The catalogue of problems: every refusal there is, its HTTP status, and what to do about it.

Domain refusals are drawn in ``domain/refusals.py``; the ones that HTTP itself knows are below.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tracker.domain import refusals
from tracker.domain.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_ERRORS = 20


class BadRequest(Refusal):
    """The request does not fit the contract. ``errors`` are (pointer or parameter, rule) as they go on the wire."""

    def __init__(self, errors: Sequence[dict[str, str]]) -> None:
        """Say each place and its rule; never what was sent there."""
        super().__init__("See errors." if errors else "The request does not fit the contract.")
        self.errors = list(errors[:MAX_ERRORS])


class InvalidToken(refusals.Unauthenticated):
    """There is a token, but it is not one of ours, its time is over, or its session is."""

    detail = "The access token is not valid, or not any more; log in or refresh it."


class NoSuchPath(Refusal):
    """No operation of the contract and no page has this path."""

    detail = "Nothing has this path; /docs shows what there is."


class MethodNotAllowed(Refusal):
    """The path is there, but not with this method."""

    def __init__(self, allow: Sequence[str]) -> None:
        """Name the methods there are."""
        super().__init__(f"This path takes: {', '.join(allow)}.")
        self.allow = tuple(allow)


class PreconditionFailed(Refusal):
    """If-Match names another version."""

    detail = "If-Match names another version than the present one; read it again."


class PreconditionRequired(Refusal):
    """There is no If-Match, and this installation takes no change without."""

    detail = "Send the ETag of what you decided on in If-Match."


class KeyReused(refusals.Conflict):
    """The Idempotency-Key came with another request before."""

    detail = "This Idempotency-Key came with another request; make up a new one for this."


class RequestTimeout(Refusal):
    """The body did not arrive in time."""


class ContentTooLarge(Refusal):
    """The body is larger than this server takes."""


class UriTooLong(Refusal):
    """The path or the query is longer than this server takes."""


class UnsupportedMediaType(Refusal):
    """The body is not JSON in UTF-8, or is compressed."""

    detail = "Send the body as 'Content-Type: application/json', in UTF-8 and not compressed."


class TooManyRequests(Refusal):
    """More was asked than a rate limit has room for."""

    detail = "This is more than one caller is answered in so short a time."

    def __init__(self, retry_after: int) -> None:
        """Say after how many seconds there is room again."""
        super().__init__()
        self.retry_after = retry_after


class Overloaded(refusals.Unavailable):
    """Too much is in flight in this process."""

    detail = "This server has as many requests in hand as it takes; try again in a moment."


class InternalError(Refusal):
    """A bug of ours. The log has the rest under the request id."""

    detail = "This is a fault of the server; its log has the rest under this request id."


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of problem: the last part of its ``type``, its status, its title, and what to do about it."""

    slug: str
    status: int
    title: str
    remedy: str

    @property
    def type(self) -> str:
        """The path that names it and shows its page."""
        return f"/problems/{self.slug}"


KINDS: dict[type[Refusal], Kind] = {
    BadRequest: Kind(
        "bad-request",
        400,
        "The request does not fit the contract",
        "Each entry of errors names a place and the rule it broke. Correct these and send it again.",
    ),
    refusals.Unauthenticated: Kind(
        "unauthenticated",
        401,
        "Not authenticated",
        "Log in, or trade your refresh token for a new access token, and send it as 'Authorization: Bearer <token>'.",
    ),
    InvalidToken: Kind(
        "invalid-token",
        401,
        "The access token is not valid",
        "Trade your refresh token for a new access token; where that is refused too, log in.",
    ),
    refusals.WrongCredentials: Kind(
        "wrong-credentials",
        401,
        "Wrong credentials",
        "The name and password, or the refresh token, are not right; which of them is not said on purpose.",
    ),
    refusals.Forbidden: Kind(
        "forbidden",
        403,
        "Not allowed",
        "You can see it but may not do this to it. Ask an owner of the project, or an admin, for the permission named.",
    ),
    refusals.NotFound: Kind(
        "not-found", 404, "Not found", "It was deleted, never was, or is not yours to see; these look alike on purpose."
    ),
    NoSuchPath: Kind("no-such-path", 404, "No such path", "Compare the path with the document at /docs."),
    MethodNotAllowed: Kind(
        "method-not-allowed", 405, "The path does not take this method", "The Allow header names the methods it takes."
    ),
    RequestTimeout: Kind(
        "request-timeout", 408, "The request took too long to arrive", "Send it again, all of it without a pause."
    ),
    refusals.Conflict: Kind(
        "conflict", 409, "It does not fit the present state", "Read the thing again and decide on what it is now."
    ),
    refusals.IllegalTransition: Kind(
        "illegal-transition",
        409,
        "The workflow has no such move",
        "allowed_statuses of the task names the statuses it may move to from where it is.",
    ),
    refusals.Taken: Kind("taken", 409, "Already in use", "Choose another value; case does not tell two apart."),
    refusals.PasswordRefused: Kind(
        "password-refused", 409, "The password is not strong enough", "Choose a longer one that nobody would guess."
    ),
    refusals.WrongPassword: Kind(
        "wrong-password", 409, "The present password is not right", "Send the password you log in with now."
    ),
    refusals.LastAdmin: Kind(
        "last-admin", 409, "An installation needs an active admin", "Make somebody else an admin first."
    ),
    refusals.LastOwner: Kind(
        "last-owner", 409, "A project needs an owner", "Make another member an owner first, or delete the project."
    ),
    refusals.InboxIsPersonal: Kind(
        "inbox-is-personal", 409, "An inbox is one user's own", "Create a project for what is to be shared or to go."
    ),
    refusals.TooManyAssigned: Kind(
        "too-many-assigned", 409, "The member has too much to do", "Give their tasks to others first, or to nobody."
    ),
    refusals.UnknownTimezone: Kind(
        "unknown-timezone", 409, "No such time zone", "Give a name from the IANA database, such as Europe/Berlin."
    ),
    refusals.ChangedSince: Kind(
        "changed-since",
        409,
        "It has changed since",
        "Taking it back would undo the work of others. Look at what is named, and change by hand what should be.",
    ),
    refusals.Final: Kind("final", 409, "It cannot be taken back", "What went with it can only come from a backup."),
    refusals.TooMany: Kind(
        "too-many", 409, "More than one operation takes", "Narrow the filter, or do it in several operations."
    ),
    refusals.CursorRefused: Kind(
        "cursor-refused", 409, "The cursor is not for this list", "Start again from the first page, without a cursor."
    ),
    refusals.Contended: Kind(
        "contended", 409, "Others were first", "Nothing was written. Send it again; a short random pause helps."
    ),
    KeyReused: Kind(
        "idempotency-key-reused", 409, "The key belongs to another request", "Make up a new key for each new request."
    ),
    PreconditionFailed: Kind(
        "precondition-failed", 412, "It has changed since you read it", "Read it again and decide on what it is now."
    ),
    ContentTooLarge: Kind("content-too-large", 413, "The body is too large", "Send less in one request."),
    UriTooLong: Kind("uri-too-long", 414, "The address is too long", "Shorten the path or the query."),
    UnsupportedMediaType: Kind(
        "unsupported-media-type",
        415,
        "The media type is not supported",
        "Set the header to exactly 'Content-Type: application/json'; a charset, if any, is utf-8.",
    ),
    PreconditionRequired: Kind(
        "precondition-required", 428, "If-Match is required", "Read it, and send its ETag in If-Match with the change."
    ),
    TooManyRequests: Kind(
        "too-many-requests",
        429,
        "Too many requests",
        "Wait as long as Retry-After says; RateLimit, on every answer, says how many are left.",
    ),
    InternalError: Kind(
        "internal-error",
        500,
        "A fault of the server",
        "Report it with the request id; what was asked may or may not have happened.",
    ),
    refusals.Unavailable: Kind(
        "unavailable", 503, "Not available just now", "Wait as long as Retry-After says and send it again."
    ),
    Overloaded: Kind("overloaded", 503, "Too busy just now", "Wait as long as Retry-After says and send it again."),
}


def kind_of(refusal: Refusal) -> Kind:
    """Return the kind of a refusal: its own, or that of the nearest class above it."""
    return next(KINDS[cls] for cls in type(refusal).__mro__ if cls in KINDS)
