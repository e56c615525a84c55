"""Who can reach the server, and whom it believes."""

from __future__ import annotations

from ipaddress import ip_network
from typing import TYPE_CHECKING

from tracker.cli.doctor.findings import Finding, Look, Verdict
from tracker.settings import is_loopback

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracker.settings import Settings


def _development(settings: Settings) -> Iterator[Finding]:
    if settings.development and not is_loopback(settings.host):
        yield Finding(
            Verdict.NOTE, "HOST", "others can reach a development server; set TRACKER_ENV=production for them"
        )
    if not settings.auth_enable:
        yield Finding(Verdict.NOTE, "AUTH_ENABLE", "whoever reaches this port is an administrator; remove it when done")


def _production(settings: Settings) -> Iterator[Finding]:
    if settings.development:
        return
    if "*" in settings.allowed_hosts:
        yield Finding(
            Verdict.NOTE, "ALLOWED_HOSTS", "every host name is answered; name yours, such as tracker.example.com"
        )
    if "*" in settings.cors_origins:
        yield Finding(Verdict.NOTE, "CORS_ORIGINS", "pages of anybody may call this API from a browser; name yours")
    if not settings.trusted_proxies:
        advice = "behind a proxy, name it: or all its clients are one address, and share one rate limit"
        yield Finding(Verdict.NOTE, "TRUSTED_PROXIES", f"none ({advice})")


def _proxies(settings: Settings) -> Iterator[Finding]:
    if any(ip_network(proxy).prefixlen == 0 for proxy in settings.trusted_proxies):
        advice = "name your proxies alone"
        yield Finding(Verdict.BAD, "TRUSTED_PROXIES", f"anybody can say who they are, and has no limits ({advice})")


LOOKS = (
    Look("HOST", _development, frozenset({"TRACKER_ENV", "HOST", "AUTH_ENABLE"})),
    Look("hosts", _production, frozenset({"TRACKER_ENV", "ALLOWED_HOSTS", "CORS_ORIGINS", "TRUSTED_PROXIES"})),
    Look("TRUSTED_PROXIES", _proxies, frozenset({"TRUSTED_PROXIES"})),
)
