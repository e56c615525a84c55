"""What some settings may be. Each function returns a value in its one form; the text of a ValueError is the rule."""

from __future__ import annotations

import re
from email.utils import parseaddr
from ipaddress import ip_network
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from limits import parse_many

if TYPE_CHECKING:
    from pathlib import Path

DAY = 86_400
_MOST = 10**6
_ORIGIN = re.compile(r"\*|[a-z][a-z0-9+.-]*://(\[[0-9a-f:.]+\]|[0-9a-z_.-]+)(:[0-9]{1,5})?", re.ASCII)
_HOST_NAME = re.compile(r"\*|\[[0-9A-Fa-f:.]+\]|(\*\.)?[0-9A-Za-z_-]+(\.[0-9A-Za-z_-]+)*")
_AT_A_HOST = r"([^/?#;@]*@)?(\[[0-9a-f:.]+\]|[0-9A-Za-z_.-]+)(:[0-9]{1,5})?"
_BROKER = re.compile(rf"amqps?://{_AT_A_HOST}(/[^?#;]*)?|rediss?://{_AT_A_HOST}(/[0-9]*)?", re.ASCII)


def rate(text: str) -> str:
    """Check a rate in the notation of the library ``limits``, or ``off``."""
    if text == "off":
        return text
    try:
        (parsed,) = parse_many(text)
    except ValueError:
        raise ValueError("must be 'off' or a rate such as '600/minute' or '10/15 minutes'") from None
    if not (1 <= parsed.amount <= _MOST and 1 <= parsed.get_expiry() <= DAY):
        raise ValueError(f"must let through 1 to {_MOST} requests in a day at the most")
    return text


def host_names(hosts: tuple[str, ...]) -> tuple[str, ...]:
    """Check names of hosts, ``*.example.com`` and ``*`` among them."""
    if not all(_HOST_NAME.fullmatch(host) for host in hosts):
        raise ValueError("must be host names without scheme or port, such as tracker.example.com or *.example.com")
    return tuple(host.lower() for host in hosts)


def redis_url(url: str) -> str:
    """Check a URL that the library ``redis`` takes, options included."""
    rule = "must be a URL such as redis://:password@host:6379/0, or begin with rediss:// or unix://"
    if not url.startswith(("redis://", "rediss://", "unix://")):
        raise ValueError(rule)
    from redis import ConnectionPool  # noqa: PLC0415 - 7 MiB of every process that has no use for it

    try:
        pool = ConnectionPool.from_url(url)
        pool.connection_class(**pool.connection_kwargs)  # connects to nothing yet
    except (TypeError, ValueError):
        raise ValueError(rule) from None
    return url


def smtp_url(url: str) -> str:
    """Check the URL of a mail server."""
    rule = "must be a URL such as smtp://user:password@host:587, or begin with smtps://"
    try:
        address = urlsplit(url)
        known = address.scheme in {"smtp", "smtps"} and bool(address.hostname) and address.port != 0
    except ValueError:
        raise ValueError(rule) from None
    if not known or address.path.strip("/") or address.query or address.fragment:
        raise ValueError(rule)
    return url


def mailbox(text: str) -> str:
    """Check a sender as it stands in a letter: one address, with or without a name before it."""
    _, address = parseaddr(text)
    local, _, domain = address.rpartition("@")
    if not (local and domain and text.isascii() and text.isprintable()):
        raise ValueError("must be one address such as Tracker <tracker@example.com>")
    return text


def broker_url(url: str) -> str:
    """Check the URL of one RabbitMQ or Redis; what a password has of ``/?#;`` stands there as ``%2F`` and so on."""
    if not _BROKER.fullmatch(url):
        raise ValueError(
            "must be a URL such as amqp://user:password@host:5672/vhost or redis://:password@host:6379/0, "
            "or begin with amqps:// or rediss://"
        )
    return url


def networks(listed: tuple[str, ...]) -> tuple[str, ...]:
    """Check addresses and networks; ``10.0.0.1/8`` is neither."""
    try:
        return tuple(str(ip_network(network)) for network in listed)
    except ValueError:
        raise ValueError("must be addresses such as 192.0.2.7 or networks such as 10.0.0.0/8") from None


def origins(listed: tuple[str, ...]) -> tuple[str, ...]:
    """Check origins as browsers write them."""
    lowered = tuple(origin.lower() for origin in listed)
    if not all(_ORIGIN.fullmatch(origin) for origin in lowered):
        raise ValueError("must be origins such as https://app.example.com, without a path or a slash at the end, or *")
    return lowered


def heartbeat_file(file: Path) -> Path:
    """Check where a heartbeat is to be seen: in a folder that is there."""
    if not file.parent.is_dir():
        raise ValueError("must be a file in a folder that is there")
    return file


def logins(listed: tuple[str, ...]) -> tuple[str, ...]:
    """Check logins that are shown to everybody."""
    if not all(all(login.partition(":")) for login in listed):
        raise ValueError("must be logins such as ann:password")
    return listed
