"""A line for each thing that is kept: JSON in one form, so that what is the same is the same bytes from every store."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from enum import StrEnum
from functools import cache, partial
from types import NoneType
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

import orjson

from tracker.domain.calendar_feed import CalendarFeed
from tracker.domain.changes import LogEntry
from tracker.domain.refusals import UnknownTimezone
from tracker.domain.task import Due, Task, due_as_kept, zone_named
from tracker.domain.user import User
from tracker.store.kept import ENTITIES, Account
from tracker.store.records import LOGGED, NAMES, made, to_json, to_record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tracker.store.kept import Kept

    Json = Mapping[str, Any]

KINDS: Mapping[str, type[Any]] = {
    "log_entry" if kind is LogEntry else NAMES[entity]: kind for kind, entity in ENTITIES.items()
}
NAME_OF: Mapping[type[Any], str] = {kind: name for name, kind in KINDS.items()}

_LARGEST, _LARGEST_SMALL = 2**53 - 1, 2**31 - 1
_SMALL = frozenset({"archive_done_after_days", "session_generation", "n"})
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_HASH = re.compile(r"[0-9a-f]{64}")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_IDS = frozenset({"id", "project_id", "user_id", "inbox_id", "task_id", "assignee_id", "created_by"})


class Wrong(Exception):
    """A member that is not what it has to be; never what it is instead."""

    def __init__(self, member: str, rule: str) -> None:
        """Name the member, from the kind of thing on, and the rule."""
        super().__init__(f"{member} {rule}")
        self.member, self.rule = member, rule

    def within(self, outer: str) -> Wrong:
        """Return the same for who does not know yet in what the member is."""
        return Wrong(f"{outer}.{self.member}".removesuffix("."), self.rule)


def line_of(one: Kept) -> bytes:
    """Return the line of a thing."""
    return written({NAME_OF[type(one)]: _record(one)})


def written(value: Json) -> bytes:
    """Return the line of anything."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS) + b"\n"


def _record(one: Kept) -> Json:
    match one:
        case Account():
            return {**to_record(one.user), "access_version": one.access_version}
        case Task():  # the instant was computed by the zones of its day, which another machine may know otherwise
            return {**to_record(one), "overdue_after": orjson.loads(to_json(one.overdue_after()))}
        case LogEntry():
            record: Json = orjson.loads(to_json(one))
            return record
        case _:
            return to_record(one)


def kept_of(name: str, record: Any) -> Kept:
    """Return the thing in a line of a kind of KINDS; Wrong where it is not one."""
    try:
        return _thing(name, record)
    except Wrong as wrong:
        raise wrong.within(name) from None


def _thing(name: str, record: Any) -> Kept:
    special = _KEPT.get(name)
    if special is not None:
        return special(record)
    plain: Kept = _entity(KINDS[name], record)
    return plain


def _account(record: Any) -> Account:
    members = _split(record, "access_version")
    user: User = _entity(User, {name: value for name, value in record.items() if name != "access_version"})
    return Account(user, _whole_number("access_version", members["access_version"]))


def _task(record: Any) -> Task:
    last = _split(record, "overdue_after")["overdue_after"]
    members = _decoded(Task, {name: value for name, value in record.items() if name != "overdue_after"})
    due: Due | None = members["due"]
    if (due is None) is not (last is None):
        raise Wrong("overdue_after", "is there just where due is")
    if due is not None:
        members["due"] = due_as_kept(due.date, due.time, due.timezone, _instant("overdue_after", last))
    task: Task = made(Task, members)
    return task


def _log_entry(record: Any) -> LogEntry:
    sides = _split(record, "before", "after", "entity")
    kind = LOGGED.get(sides["entity"]) if isinstance(sides["entity"], str) else None
    if kind is None:
        raise Wrong("entity", f"is one of {', '.join(LOGGED)}")
    rest = _decoded(LogEntry, {name: value for name, value in record.items() if name not in {"before", "after"}})
    logged = {side: sides[side] and _side(side, kind, sides[side]) for side in ("before", "after")}
    return LogEntry(**rest, **logged)


def _side(side: str, kind: type[Any], record: Any) -> Any:
    try:
        return _entity(kind, record)
    except Wrong as wrong:
        raise wrong.within(side) from None


_KEPT: Mapping[str, Callable[[Any], Kept]] = {"user": _account, "task": _task, "log_entry": _log_entry}


def _split(record: Any, *names: str) -> Json:
    """Return some members of a record, which must be an object that has them."""
    if not isinstance(record, dict):
        raise Wrong("", "is an object")
    for name in names:
        if name not in record:
            raise Wrong(name, "is missing")
    return {name: record[name] for name in names}


def _entity(entity: type[Any], record: Any) -> Any:
    return made(entity, _decoded(entity, record))


def _decoded(entity: type[Any], record: Any) -> dict[str, Any]:
    decoders: Mapping[str, Callable[[Any], Any]] = _decoders(entity)  # type: ignore[arg-type]  # a class is hashable
    _split(record, *decoders)
    for name in record:
        if name not in decoders:
            raise Wrong("", "has a member that this version does not know")
    return {name: decode(record[name]) for name, decode in decoders.items()}


@cache
def _decoders(entity: type[Any]) -> Mapping[str, Callable[[Any], Any]]:
    hints = get_type_hints(entity, None, {"datetime": datetime})
    sides = {"before", "after"} if entity is LogEntry else set()
    return {name: _decoder(entity, name, hint) for name, hint in hints.items() if name not in sides}


def _decoder(entity: type[Any], name: str, hint: Any) -> Callable[[Any], Any]:
    ways = get_args(hint) if NoneType in get_args(hint) else (hint,)
    (kind,) = (way for way in ways if way is not NoneType)
    decode = partial(_of_text(entity, name) if kind is str else _of_kind(kind), name)
    return (lambda value: None if value is None else decode(value)) if NoneType in ways else decode


def _of_text(entity: type[Any], name: str) -> Callable[[str, Any], Any]:
    if name not in _IDS:
        return _text
    return _hash if (entity, name) == (CalendarFeed, "id") else _id


def _of_kind(kind: Any) -> Callable[[str, Any], Any]:
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return partial(_word, {member.value for member in kind})
    return _BY_KIND[kind]


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise Wrong(name, "is text without NUL")
    return value


def _id(name: str, value: Any) -> str:
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise Wrong(name, "is a UUID in lower case")
    return value


def _hash(name: str, value: Any) -> str:
    if not isinstance(value, str) or not _HASH.fullmatch(value):
        raise Wrong(name, "is a SHA-256 in lower case")
    return value


def _word(words: set[str], name: str, value: Any) -> str:
    if not isinstance(value, str) or value not in words:
        raise Wrong(name, f"is one of {', '.join(sorted(words))}")
    return value


def _whole_number(name: str, value: Any) -> int:
    largest = _LARGEST_SMALL if name in _SMALL else _LARGEST
    if type(value) is not int or not 0 <= value <= largest:
        raise Wrong(name, f"is a whole number from 0 to {largest}")
    return value


def _instant(name: str, value: Any) -> datetime:
    try:
        if isinstance(value, str) and _INSTANT.fullmatch(value):
            return datetime.fromisoformat(value)
    except ValueError:
        pass
    raise Wrong(name, "is an instant in UTC with milliseconds")


def _labels(name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise Wrong(name, "is a list of texts")
    return tuple(_text(name, label) for label in value)


def _due(name: str, value: Any) -> Due:
    try:
        at, zone = value["time"], value["timezone"]
        zone_named(zone)
        return Due(date.fromisoformat(value["date"]), at and time.fromisoformat(at), zone)
    except (KeyError, TypeError, ValueError, UnknownTimezone):
        raise Wrong(name, "has a date, and a time and a timezone or null") from None


_BY_KIND: Mapping[Any, Callable[[str, Any], Any]] = {
    int: _whole_number,
    datetime: _instant,
    tuple[str, ...]: _labels,
    Due: _due,
}
