"""The one source of the present: aware instants in UTC, cut to milliseconds before anything is stored."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def now() -> datetime:
    """Return the present instant in UTC, to the millisecond."""
    return to_milliseconds(datetime.now(UTC))


def to_milliseconds(at: datetime) -> datetime:
    """Return the same instant without its microseconds: what every store can keep and the wire can say."""
    return at.replace(microsecond=at.microsecond // 1000 * 1000)
