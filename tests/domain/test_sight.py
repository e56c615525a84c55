"""What names the state of all that somebody sees."""

from __future__ import annotations

from tracker.domain.access import Actor, Permission
from tracker.domain.sight import Sight, State
from tracker.domain.user import Role


def a_sight(user_id: str, role: Role, access_version: int = 1, heads: int = 1) -> Sight:
    return Sight(Actor(user_id, "session", role, "inbox", access_version, {}), heads)


def test_what_one_sees_has_another_state_for_another_user_role_access_or_head() -> None:
    sights = [
        a_sight("0-same-last-12", Role.MEMBER),
        a_sight("1-same-last-12", Role.MEMBER),
        a_sight("0-same-last-12", Role.VIEWER),
        a_sight("0-same-last-12", Role.MEMBER, access_version=2),
        a_sight("0-same-last-12", Role.MEMBER, heads=2),
    ]
    assert len({sight.state for sight in sights}) == len(sights)


def test_whoever_sees_every_task_shares_a_state_with_their_role_and_nobody_else_does() -> None:
    def state(user_id: str, role: Role, **seen: int) -> State:
        sight = a_sight(user_id, role, **seen)
        return sight.state_within(sight.actor.scopes(Permission.READ_TASK))

    assert state("root", Role.ADMIN) == state("rita", Role.ADMIN, access_version=7)
    assert state("root", Role.ADMIN) != state("root", Role.ADMIN, heads=2)
    assert state("ann", Role.MEMBER) == a_sight("ann", Role.MEMBER).state
    assert state("ann", Role.MEMBER) != state("bob", Role.MEMBER)
