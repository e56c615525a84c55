"""Log lines on stderr, ours and those of libraries alike: text for people, or one JSON object a line for machines.

A line is ``{"time", "level", "logger", "event"}``, then what is being done (the request's id, or the job and its run),
then what the line adds. Exceptions are told by ``tracebacks``: without their text.
"""

from __future__ import annotations

import logging.config
import sys
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson
from structlog.stdlib import ExtraAdder, ProcessorFormatter

from tracker import observed, tracebacks
from tracker.domain.clock import rfc3339
from tracker.log_writer import QueuedLines
from tracker.observed import Doing, Request

if TYPE_CHECKING:
    from collections.abc import Callable

    from structlog.typing import EventDict

    from tracker.settings import Settings

PROBES = frozenset({"/livez", "/readyz"})  # asked every second or so: a line each only where the level is debug
_SHOWN_FIRST = frozenset({"time", "level", "logger", "event", "exception"})
_OF_OTHER_FORMATTERS = frozenset({"message", "asctime"})  # they leave these on a record
_access = logging.getLogger("tracker.access")


class AccessLog:
    """Writes one line for each request that was answered."""

    def began(self, doing: Doing) -> None:
        """Say nothing: a request that is not answered yet has no status."""

    def ended(self, doing: Doing) -> None:
        """Say how it was answered: by template, so that no id, query or body is in it, and by ids, never by names."""
        if not isinstance(doing, Request):
            return
        level = logging.DEBUG if doing.route in PROBES else logging.INFO
        if _access.isEnabledFor(level):
            record = logging.LogRecord(_access.name, level, __file__, 0, "answered", None, None)
            record.told = _told_of(doing)
            _access.handle(record)


def _told_of(request: Request) -> dict[str, Any]:
    return {
        **request.about,
        "method": request.method,
        "route": request.route,
        "operation": request.name,
        "status": request.status,
        "duration_ms": round(request.seconds * 1000, 1),
        "bytes": request.size,
        "statements": request.statements,
        "database_ms": round(request.in_database * 1000, 1),
        **({"user_id": request.user_id} if request.user_id else {}),
        **({"change": request.change} if request.change else {}),
    }


def _beginning(record: logging.LogRecord, event: str) -> dict[str, Any]:
    return {
        "time": rfc3339(datetime.fromtimestamp(record.created, UTC)),
        "level": record.levelname.lower(),
        "logger": record.name.lstrip("_"),
        "event": event,
    }


def _described(_logger: object, _name: str, event: EventDict) -> EventDict:
    """Put what every line has before what this one adds."""
    record: logging.LogRecord = event["_record"]
    present = observed.doing()
    line: EventDict = {**_beginning(record, event.pop("event")), **(present.about if present else {})}
    raised = event.pop("exc_info", None)
    line.update({name: value for name, value in event.items() if name not in _OF_OTHER_FORMATTERS})
    if raised and raised[1] is not None:
        line["exception"] = tracebacks.told(raised[1], raised[2])
    return line


def _as_json(_logger: object, _name: str, line: EventDict) -> str:
    return orjson.dumps(line, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def _as_text(_logger: object, _name: str, line: EventDict) -> str:
    """Return ``2026-11-21T09:30:00.000Z INFO tracker: what happened name=value``."""
    more = "".join(f" {name}={value}" for name, value in line.items() if name not in _SHOWN_FIRST)
    said = f"{line['time']} {line['level'].upper()} {line['logger']}: {line['event']}{more}"
    return f"{said}\n{line['exception']}" if "exception" in line else said


class _Lines(ProcessorFormatter):
    """Makes a line of a record: of what is told of each request without asking what else might be in it."""

    def __init__(self, rendered: Callable[[object, str, EventDict], str]) -> None:
        super().__init__(
            foreign_pre_chain=[ExtraAdder(), _described],
            processors=[ProcessorFormatter.remove_processors_meta, rendered],
        )
        self._rendered = rendered

    def format(self, record: logging.LogRecord) -> str:
        told = record.__dict__.get("told")
        if told is None:
            return super().format(record)
        return self._rendered(None, "", {**_beginning(record, record.msg), **told})


def formatter(log_format: str) -> ProcessorFormatter:
    """Return what makes a line of a record, ours or a library's: ``auto`` is text on a terminal, and JSON elsewhere."""
    if log_format == "auto":
        log_format = "text" if sys.stderr.isatty() else "json"
    return _Lines(_as_json if log_format == "json" else _as_text)


def logging_config(settings: Settings) -> dict[str, Any]:
    """Return what ``logging.config.dictConfig`` takes; the server's own chatter is left out unless asked for."""
    level = settings.log_level.upper()
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": {"()": formatter, "log_format": settings.log_format}},
        "handlers": {"stderr": {"()": QueuedLines, "formatter": "lines"}},
        "loggers": {"tracker": {"level": level}, "_granian": {}},  # the server sets the level of its own
        "root": {"level": "WARNING", "handlers": ["stderr"]},
    }


def set_up(settings: Settings) -> None:
    """Have this process log; also what nobody caught, which Python would print with its text."""
    logging.config.dictConfig(logging_config(settings))
    threading.excepthook = _log_uncaught


def _log_uncaught(raised: threading.ExceptHookArgs) -> None:
    if raised.exc_value is not None:
        told = (raised.exc_type, raised.exc_value, raised.exc_traceback)
        logging.getLogger("tracker").error("a thread ended by an exception", exc_info=told)
