"""The settings as a whole: where some cannot be used, the rest is looked at without them."""

from __future__ import annotations

import re
import secrets

from tracker.cli.doctor.findings import Finding, Verdict
from tracker.environment import Misconfigured, forget, hand_down
from tracker.settings import Settings

_MOST = 10  # settings that are broken one behind the other


def read() -> tuple[Settings | None, list[Finding], frozenset[str]]:
    """Return the settings, with defaults for those that are broken; what is wrong; and the names of the broken ones."""
    findings: list[Finding] = []
    broken: frozenset[str] = frozenset()
    for _ in range(_MOST):
        try:
            return Settings(), findings, broken
        except Misconfigured as wrong:
            findings.append(Finding(Verdict.BAD, "settings", str(wrong)))
            names = _named_in(str(wrong)) - broken
            if not names:
                break
            broken |= names
            _do_without(names)
    return None, findings, broken


def _named_in(complaint: str) -> frozenset[str]:
    """Return the names that the parts of a complaint begin with."""
    words = (re.match(r"[A-Z_]+", part) for part in complaint.split("; "))
    return frozenset(word[0].removesuffix("_FILE") if not _is_known(word[0]) else word[0] for word in words if word)


def _is_known(name: str) -> bool:
    return name.lower() in Settings.model_fields


def _do_without(names: frozenset[str]) -> None:
    for name in names:
        forget(name)
    if "SECRET_KEY" in names:
        hand_down(secret_key=secrets.token_urlsafe(48))  # nothing is sealed with it
    if "MAIL_FROM" in names:
        forget("SMTP_URL")
