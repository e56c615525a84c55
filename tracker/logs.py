"""Log lines on stderr: plain text for people, or one JSON object a line for machines."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tracker.settings import Settings

_ALWAYS_THERE = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


def _instant(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class TextLines(logging.Formatter):
    """``2026-11-21T09:30:00.000Z INFO tracker: message name=value``: the ``extra`` of a record follows its message."""

    def format(self, record: logging.LogRecord) -> str:
        extras = "".join(f" {name}={value}" for name, value in _extras(record).items())
        line = f"{_instant(record)} {record.levelname} {record.name.lstrip('_')}: {record.getMessage()}{extras}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class JsonLines(logging.Formatter):
    """``{"time", "level", "logger", "message", …}``, then the ``extra`` of a record, and its ``exception``."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": _instant(record),
            "level": record.levelname.lower(),
            "logger": record.name.lstrip("_"),
            "message": record.getMessage(),
            **_extras(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=False)


def _extras(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in _ALWAYS_THERE}


def logging_config(settings: Settings) -> dict[str, Any]:
    """Return what ``logging.config.dictConfig`` takes; the server's own chatter is left out unless asked for."""
    level = settings.log_level.upper()
    formatter = JsonLines if settings.log_format == "json" else TextLines
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": {"()": formatter}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "stream": "ext://sys.stderr", "formatter": "lines"}},
        "loggers": {"tracker": {"level": level}, "_granian": {}},  # the server sets the level of its own
        "root": {"level": "WARNING", "handlers": ["stderr"]},
    }
