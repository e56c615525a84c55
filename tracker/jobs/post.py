"""Letters, and the mail server that takes them."""

from __future__ import annotations

import ipaddress
import smtplib
import ssl
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote, urlsplit

from tracker.domain.refusals import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from email.message import EmailMessage

    Send = Callable[[EmailMessage], None]

TIMEOUT = 10.0
_PORTS = {"smtp": 587, "smtps": 465}
_GONE = "The mail server does not answer, or does not take mail from here."


class Undeliverable(Exception):
    """A letter that the server does not take, which says nothing of others."""


class Post(Protocol):
    """Takes letters."""

    sender: str

    def opened(self) -> AbstractContextManager[Send]:
        """Give what sends one letter after the other: Undeliverable for one, Unavailable for all that are left."""


class Smtp:
    """A mail server at ``smtp://user:password@host:587`` (STARTTLS where it is offered) or ``smtps://…`` (TLS)."""

    def __init__(self, url: str, sender: str, *, timeout: float = TIMEOUT) -> None:
        """Connect later, when there is something to send; wait ``timeout`` seconds for each answer."""
        self.sender = sender
        self._timeout = timeout
        self._address = urlsplit(url)

    @contextmanager
    def opened(self) -> Iterator[Send]:
        """Give what sends one letter after the other, on one connection."""
        try:
            with self._connected() as server:
                self._log_in(server)
                yield lambda letter: _send(server, letter)
        except (OSError, smtplib.SMTPException) as problem:
            raise Unavailable(_GONE) from problem

    def _connected(self) -> smtplib.SMTP:
        host = self._address.hostname or "localhost"
        port = self._address.port or _PORTS[self._address.scheme]
        if self._address.scheme == "smtps":
            return smtplib.SMTP_SSL(host, port, timeout=self._timeout, context=ssl.create_default_context())
        return smtplib.SMTP(host, port, timeout=self._timeout)

    def _log_in(self, server: smtplib.SMTP) -> None:
        server.ehlo()
        safe = self._address.scheme == "smtps" or _is_here(self._address.hostname or "localhost")
        if self._address.scheme == "smtp" and server.has_extn("starttls"):
            server.starttls(context=ssl.create_default_context())
            safe = True
        if self._address.username:
            if not safe:
                raise smtplib.SMTPNotSupportedError("no password without TLS")
            server.login(unquote(self._address.username), unquote(self._address.password or ""))


def _send(server: smtplib.SMTP, letter: EmailMessage) -> None:
    try:
        server.send_message(letter)
    except (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError, smtplib.SMTPNotSupportedError) as refused:
        raise Undeliverable(type(refused).__name__) from refused


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
