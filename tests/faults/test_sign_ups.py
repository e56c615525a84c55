"""Sixty-four who sign up with one address at once, each writing it another way: one has it."""

from __future__ import annotations

import unicodedata
from collections import Counter
from itertools import cycle, islice

import pytest

from tests.hashes import CHEAP
from tests.racing import at_once
from tests.world import World
from tracker.domain.user import folded
from tracker.edge import passwords

MANY = 64
ROUNDS = 100
NAMES = ("zoë.straße", "josé", "ann.σίσυφος", "plain")  # an accent, a letter that folds to two, a final sigma


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The race is for the store; what is hashed before it costs a thousandth here."""
    monkeypatch.setattr(passwords, "_HASHER", CHEAP)


def spellings(address: str) -> list[str]:
    """Return so many ways to write one address: in other cases, composed and not."""
    cases = (address, address.upper(), address.title(), address.swapcase().capitalize())
    written = {unicodedata.normalize(form, case) for case in cases for form in ("NFC", "NFD")}
    assert {folded(each) for each in written} == {folded(address)}
    return list(islice(cycle(sorted(written)), MANY))


def test_of_sixty_four_who_sign_up_with_one_address_one_does(world: World) -> None:
    _ = world.responder
    for n in range(ROUNDS):
        addresses = spellings(f"{NAMES[n % len(NAMES)]}.{n}@example.com")
        statuses = Counter(at_once(MANY, lambda at: sign_up(world, f"user-{n}-{at}", addresses[at])))  # noqa: B023 - over in this round
        assert statuses == {201: 1, 409: MANY - 1}
        winner = world.store.user_named(email=addresses[0])
        assert winner is not None
        assert winner.email in addresses
        assert [user for user in range(MANY) if world.store.user_named(username=f"user-{n}-{user}")] == [
            int(winner.username.rpartition("-")[2])
        ]


def sign_up(world: World, username: str, email: str) -> int:
    """Register, again where so many are at it already: that is answered before anything happens."""
    person = {"username": username, "email": email, "password": "correct horse battery"}
    while True:
        answer = world.client.post("/register", person)
        if answer.status != 503:
            assert answer.status == 201 or answer.problem == "taken"
            return answer.status
