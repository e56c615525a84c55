"""What the driver says, in our words: Taken, Stale or Unavailable; what can only be a bug stays as it is."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pymongo import errors

from tracker.domain.refusals import Taken, Unavailable
from tracker.store.contract import Stale

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_UNIQUE = {"username_folded": "username", "email_folded": "email"}
_DUPLICATE = 11000
# Who may not come in or write here, who waits too long or is interrupted, whose disk is full, whom another holds up.
_CODES = frozenset({13, 18, 24, 50, 91, 112, 189, 202, 211, 244, 251, 262, 8000, 10107, 11600, 11602, 13435, 14031})
_GONE = (
    errors.ConnectionFailure,
    errors.ConfigurationError,
    errors.ExecutionTimeout,
    errors.WriteConcernError,
)


@contextmanager
def refusing() -> Iterator[None]:
    """Say what the driver raises as a Refusal or Stale."""
    try:
        yield
    except errors.PyMongoError as error:
        raise refused(error) from error


def refused(error: errors.PyMongoError) -> Exception:
    """Return what an error means to whoever asked; the error itself where it can only be a bug."""
    if is_duplicate(error):
        return _beaten(error)
    code = getattr(error, "code", None)
    gone = isinstance(error, _GONE) or code in _CODES or error.timeout or _is_passing(error)
    return Unavailable() if gone else error


def is_duplicate(error: errors.PyMongoError) -> bool:
    """Whether a unique key stood in the way."""
    return all(failed.get("code") == _DUPLICATE for failed in _failures(error))


def _beaten(error: errors.PyMongoError) -> Exception:
    failed = next(failed for failed in _failures(error) if failed.get("code") == _DUPLICATE)
    index, _, _value = str(failed.get("errmsg", "")).partition(" dup key")
    taken = (name for field, name in _UNIQUE.items() if field in {*failed.get("keyPattern", ())} or field in index)
    return next(map(Taken, taken), Stale(index))


def _failures(error: errors.PyMongoError) -> list[Mapping[str, Any]]:
    details = getattr(error, "details", None) or {}
    return details.get("writeErrors") or [details]


def _is_passing(error: errors.PyMongoError) -> bool:
    return error.has_error_label("TransientTransactionError") or error.has_error_label("UnknownTransactionCommitResult")
