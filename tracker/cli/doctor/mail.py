"""The mail server: whether it answers and lets us in. No mail is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracker.cli.doctor.findings import Finding, Look, Verdict
from tracker.database_url import without_password
from tracker.domain.refusals import Refusal
from tracker.jobs.post import Smtp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracker.settings import Settings

_PATIENCE = 4.0  # seconds for each of its answers


def _mail(settings: Settings) -> Iterator[Finding]:
    if settings.smtp_url is None or settings.mail_from is None:
        return
    place = without_password(settings.smtp_url)
    try:
        with Smtp(settings.smtp_url, settings.mail_from, timeout=_PATIENCE).opened():
            pass
    except Refusal:
        advice = "until it does, nobody gets mail; start it, or mend SMTP_URL and its password"
        yield Finding(Verdict.BAD, "mail", f"{place} does not answer, or does not let us in ({advice})")
    else:
        yield Finding(Verdict.GOOD, "mail", f"{place} answers and lets us in")


LOOKS = (Look("mail", _mail, frozenset({"SMTP_URL", "MAIL_FROM"})),)
