"""Secrets that the whole suite knows, looked for in every log line and every problem while it runs.

Whoever makes a secret says so to ``keep``, mostly the clients of the tests: they keep each token and one-time secret
they are answered with, and each password they send. What was kept may stand in no line that is logged from then on, and
in no problem: neither in this process, nor in the log of a server, worker or beat that a test starts.
"""

from __future__ import annotations

import json
import logging
import threading
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tracker.logs import formatter

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# The members of requests and answers that are secrets, and the shortest that can be told from a common word.
SECRET_MEMBERS = frozenset(
    {"password", "new_password", "current_password", "access_token", "refresh_token", "secret", "reset_secret", "token"}
)
SHORTEST = 12
_MOST = 5000  # of the latest secrets: a suite makes many thousands, and looks for each in each line
# Passwords that the tests of rules send: they are words of the rules, too.
_COMMON = frozenset({"password1234", "passwordpassword"})


class Leak(AssertionError):
    """A secret stands where it must not."""


class Watch:
    """Knows secrets, and where they were found."""

    def __init__(self) -> None:
        self._known: dict[str, None] = {}
        self._lock = threading.Lock()  # clients keep what they are answered with in threads of their own
        self.leaks: list[str] = []

    def keep(self, *secrets: str | None) -> None:
        """Look for these from now on, as they are and as JSON has them."""
        for secret in secrets:
            if secret and len(secret) >= SHORTEST and secret not in _COMMON:
                forms = [json.dumps(secret, ensure_ascii=escaped)[1:-1] for escaped in (True, False)]
                self._keep(secret, *forms)

    def keep_members(self, body: object) -> None:
        """Look for what the members of a JSON document hold that are secrets."""
        self.keep(*_secrets_in(body))

    def keep_settings(self, settings: Mapping[str, str]) -> None:
        """Look for the key and the passwords of URLs in what a process is given."""
        self.keep(settings.get("SECRET_KEY"))
        for value in settings.values():
            self.keep(urlsplit(value).password if "://" in value else None)

    def found_in(self, text: str) -> list[str]:
        """Return the secrets that stand in a text."""
        with self._lock:
            known = list(self._known)
        return [secret for secret in known if secret in text]

    def look_at(self, what: str, text: str) -> None:
        """Take note of each secret in a text."""
        self.leaks += [f"{secret!r} in {what}: {text[:500]}" for secret in self.found_in(text)]

    def settle(self) -> None:
        """Raise Leak if there was any since this was last asked."""
        leaks, self.leaks = self.leaks, []
        if leaks:
            raise Leak("\n".join(leaks))

    def _keep(self, *forms: str) -> None:
        with self._lock:
            self._known |= dict.fromkeys(forms)
            while len(self._known) > _MOST:
                self._known.pop(next(iter(self._known)))


def _secrets_in(node: object) -> Iterable[str]:
    if isinstance(node, dict):
        for name, value in node.items():
            if name in SECRET_MEMBERS and isinstance(value, str):
                yield value
            else:
                yield from _secrets_in(value)
    elif isinstance(node, list):
        for value in node:
            yield from _secrets_in(value)


WATCH = Watch()


class Lines(logging.Handler):
    """Looks at each line as it would be written."""

    def __init__(self, watch: Watch) -> None:
        super().__init__(logging.NOTSET)
        self._watch = watch
        self.setFormatter(formatter("json"))

    def emit(self, record: logging.LogRecord) -> None:
        """Look at whatever any setting has written: of libraries no less than warnings."""
        if record.levelno < logging.WARNING and not record.name.startswith("tracker"):
            return
        self._watch.look_at("a log line", self.format(record))


def look_at_exchange(sent: object, status: int, answered: bytes) -> None:
    """Keep the secrets of a request and its answer, and look for all in a problem."""
    WATCH.keep_members(_parsed(sent))
    if status < HTTPStatus.BAD_REQUEST:
        WATCH.keep_members(_parsed(answered))
    else:
        WATCH.look_at(f"a problem ({status})", answered.decode("utf-8", "replace"))


def _parsed(body: object) -> object:
    if not isinstance(body, bytes):
        return body
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
