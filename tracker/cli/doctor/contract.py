"""The document against the handlers: what the server checks at its start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracker.app import responder
from tracker.cli.doctor.findings import Finding, Look, Verdict
from tracker.edge.commits import Misfit
from tracker.edge.document import contract
from tracker.wiring import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracker.settings import Settings


def _contract(settings: Settings) -> Iterator[Finding]:
    try:
        responder(settings, open_store(settings, connections=1))  # it asks neither the database nor Redis anything
    except Misfit as misfit:
        advice = "this installation is not whole: install it anew"
        yield Finding(Verdict.BAD, "contract", f"{misfit} ({advice})")
    else:
        operations = len(contract().operations)
        yield Finding(Verdict.GOOD, "contract", f"each of its {operations} operations has the handler it needs")


LOOKS = (Look("contract", _contract, frozenset({"DATABASE_URL", "REDIS_URL"})),)
