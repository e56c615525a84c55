"""What an actor sees, and what names the state of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tracker.domain.access import Scope

if TYPE_CHECKING:
    from tracker.domain.access import Actor


class State(NamedTuple):
    """Names the state of all that ``audience`` sees, who are one user in their role, or everybody of a role."""

    audience: str
    name: str


class Sight(NamedTuple):
    """All that an actor can see at one instant.

    ``heads``, the sum over the projects they see, goes up with any commit: with the ``access_version`` it names what
    their lists would answer.
    """

    actor: Actor
    heads: int

    @property
    def state(self) -> State:
        """What names the state of all of it: what they see is another wherever this is."""
        actor = self.actor
        return State(f"{actor.role} {actor.id}", f"{actor.id[-12:]}.{actor.access_version}.{self.heads}")

    def state_within(self, scopes: tuple[Scope, ...]) -> State:
        """The same for what says nothing of them: whoever sees every task has it in common with all of their role."""
        role = self.actor.role
        return State(role, f"{role}.{self.heads}") if Scope(None) in scopes else self.state
