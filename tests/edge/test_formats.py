"""Every format the contract names is enforced, whatever checkers happen to be installed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.client import Client
from tests.world import DOCUMENT
from tracker.edge.validation import compiled

if TYPE_CHECKING:
    from collections.abc import Iterator

# A good sample, and bad ones. A format that joins the contract needs a line here.
SAMPLES: dict[str, tuple[str, list[str]]] = {
    "uuid": (
        "0192f3a4-5b6c-7d8e-9f00-112233445566",
        ["", "x", "0192f3a4-5b6c-7d8e-9f00-11223344556", "0192f3a4-5b6c-7d8e-9f00-11223344556g", "0192f3a4_5b6c"],
    ),
    "date": ("2026-12-01", ["", "2026-13-01", "2026-02-29", "2026-12-32", "2026-12-1", "01.12.2026", "tomorrow"]),
    "date-time": (
        "2026-11-21T09:30:00.000Z",
        ["", "2026-11-21", "2026-11-21T25:00:00Z", "2026-11-21T09:30:00", "2026-02-30T09:30:00Z", "not-a-date"],
    ),
    "idn-email": (
        "zoë@example.com",
        ["", "ann", "@example.com", "ann@", "a b@example.com", "ann@exa mple.com", "a@b@c"],
    ),
    "uri-reference": ("/problems/not-found", ["\\", "a b", "%zz"]),
}
NOT_A_RULE = {"password"}  # tells a form to hide what is typed
BOUNDED_INSTEAD = {"int32", "int64"}  # every integer has a minimum and a maximum: test_spec.py


def formats(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("format"), str):
            yield node["format"]
        for value in node.values():
            yield from formats(value)
    elif isinstance(node, list):
        for value in node:
            yield from formats(value)


def test_every_format_of_the_contract_has_samples() -> None:
    assert set(formats(DOCUMENT.root)) == SAMPLES.keys() | NOT_A_RULE | BOUNDED_INSTEAD


@pytest.mark.parametrize(("name", "bad"), [(name, bad) for name, (_, bads) in SAMPLES.items() for bad in bads])
def test_a_format_alone_refuses_what_is_not_in_it(name: str, bad: str) -> None:
    assert not compiled({"type": "string", "format": name}).is_valid(bad)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_format_takes_what_is_in_it(name: str) -> None:
    assert compiled({"type": "string", "format": name}).is_valid(SAMPLES[name][0])


@pytest.mark.parametrize(
    "day",
    ["2026-02-29", "2026-02-30", "2026-13-01", "2026-00-10", "2026-04-31", "1899-12-31", "3000-01-01", "0000-00-00"],
)
def test_a_day_that_is_not_in_the_calendar_is_refused(client: Client, day: str) -> None:
    refused = client.post("/tasks", {"title": "a", "due": {"date": day}})

    assert (refused.status, set(refused.errors)) == (400, {"/due/date"})


@pytest.mark.parametrize("day", ["1900-01-01", "2028-02-29", "2000-02-29", "2999-12-31"])
def test_every_day_from_1900_to_2999_can_be_a_deadline(client: Client, day: str) -> None:
    assert client.post("/tasks", {"title": "a", "due": {"date": day}}).json["due"]["date"] == day


@pytest.mark.parametrize("at", ["24:00", "23:60", "7:00", "17:00:00", "17:00Z", "\u0661\u0667:00", "5 pm"])
def test_a_time_that_no_clock_shows_is_refused(client: Client, at: str) -> None:
    refused = client.post("/tasks", {"title": "a", "due": {"date": "2026-12-01", "time": at}})

    assert set(refused.errors) == {"/due/time"}


@pytest.mark.parametrize(
    "address", ["ann", "ann@", "@example.com", "a b@example.com", "a@b@c.example", "ann@exam\0ple.com"]
)
def test_an_address_that_cannot_be_one_is_refused(client: Client, address: str) -> None:
    refused = client.as_(None).post("/register", {"username": "x1", "email": address, "password": "correct horse"})

    assert (refused.status, set(refused.errors)) == (400, {"/email"})
