"""The environment, and ``.env`` in the working directory where that has nothing: the only reader of either.

An empty value is none. What has to be kept secret may stand in a file that ``SECRET_KEY_FILE`` and its like name. What
is wrong is said in one line (``Misconfigured``) that names the setting and the rule and never shows a value.
"""

from __future__ import annotations

import difflib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

ENV_FILE = ".env"
_FROM_FILES = (
    "SECRET_KEY", "OLD_SECRET_KEYS", "DATABASE_URL", "MONGO_PASSWORD", "REDIS_URL", "CELERY_BROKER_URL", "SMTP_URL"
)  # fmt: skip
_KNOWN_PREFIXED = frozenset({"TRACKER_ENV", "TRACKER_REQUIRE_SERVERS"})  # the second is read by the test suite alone
# What Kubernetes puts into every pod beside a Service called "tracker" or "tracker-…": not ours, and not a mistake.
_SERVICE_LINK = re.compile(r"TRACKER_(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_\w+)?)")


class Misconfigured(Exception):
    """The settings cannot be used; the text is one line for a person, without any value."""


def given(names: Iterable[str]) -> dict[str, str]:
    """Return the values that settings are given, by their names in lower case, of those that are given one."""
    known, layers = {name.upper() for name in names}, _layers()
    for layer in layers:
        _refuse_unknown(layer, known)
    found = {name: next(filter(None, (_value(name, layer) for layer in layers)), None) for name in known}
    return {name.lower(): value for name, value in found.items() if value}


def hand_down(**values: object) -> None:
    """Put settings into the environment, for this process and those it starts, in place of what stands there."""
    for name, value in values.items():
        os.environ.pop(f"{name.upper()}_FILE", None)
        os.environ[name.upper()] = str(value)


def forget(name: str) -> None:
    """Take a setting out of the environment of this process; what ``.env`` says of it stays."""
    for form in (name, f"{name}_FILE"):
        os.environ.pop(form, None)


def files_given() -> Iterator[tuple[str, Path]]:
    """Yield (name, file) where a secret is, or may be, in a file: those that ``SECRET_KEY_FILE`` and its like name."""
    for name in _FROM_FILES:
        if path := next(filter(None, (layer.get(f"{name}_FILE") for layer in _layers())), None):
            yield f"{name}_FILE", Path(path)
    yield ENV_FILE, Path(ENV_FILE)


def is_given(name: str) -> bool:
    """Whether the environment or ``.env`` has a value for a setting."""
    return any(layer.get(form) for layer in _layers() for form in (name, f"{name}_FILE"))


def wants_traces() -> bool:
    """Whether OpenTelemetry's variables name somewhere to send traces to; it reads them itself, and no ``.env``."""
    given = os.environ.get
    off = given("OTEL_SDK_DISABLED", "").lower() == "true" or given("OTEL_TRACES_EXPORTER", "otlp") != "otlp"
    return not off and bool(given("OTEL_EXPORTER_OTLP_ENDPOINT") or given("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"))


def _layers() -> tuple[Mapping[str, str | None], ...]:
    if not Path(ENV_FILE).is_file():
        return (os.environ,)
    from pydantic_settings import BaseSettings, DotEnvSettingsSource  # noqa: PLC0415 - `tracker health` is run often

    return os.environ, DotEnvSettingsSource(BaseSettings, env_file=ENV_FILE, case_sensitive=True).env_vars


def _value(name: str, layer: Mapping[str, str | None]) -> str | None:
    value, path = layer.get(name), layer.get(f"{name}_FILE") if name in _FROM_FILES else None
    if value and path:
        raise Misconfigured(f"{name} and {name}_FILE are both given; one of them has to go")
    return _contents(name, path) if path else value


def _contents(name: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else "not UTF-8"
        raise Misconfigured(f"{name}_FILE cannot be read: {reason}") from None


def _refuse_unknown(layer: Mapping[str, str | None], known: set[str]) -> None:
    for name in layer:
        if name.startswith("TRACKER_") and name not in _KNOWN_PREFIXED and not _is_service_link(name, layer[name]):
            near = known & {name.removeprefix("TRACKER_")} or difflib.get_close_matches(name, known, 1)
            raise Misconfigured(f"{name} is not a setting" + "".join(f"; did you mean {other}?" for other in near))


def _is_service_link(name: str, value: str | None) -> bool:
    return bool(_SERVICE_LINK.fullmatch(name)) or (name.endswith("_PORT") and "://" in (value or ""))
