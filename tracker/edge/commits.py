"""One operation, carried out: actor, permission, handler, commit; and again where somebody else was first."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from tracker.api.reply import Body, Reply
from tracker.domain.access import Actor, Permission
from tracker.domain.changes import ChangeSet
from tracker.domain.identity import new_id
from tracker.domain.refusals import Refusal
from tracker.edge.answers import response_to
from tracker.store.contract import Receipt, Store, decide_and_commit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from flask import Response

    from tracker.domain.clock import Clock
    from tracker.edge.call import Call
    from tracker.edge.document import Operation
    from tracker.edge.security import Actors


NOBODY = "nobody"


class Misfit(Exception):
    """A handler and the contract do not fit each other: the start-up stops."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a handler decided: the reply, the commit it rests on, and the refusal if it is one that carries changes."""

    reply: Reply
    changes: ChangeSet | None
    refusal: Refusal | None = None

    @property
    def touched(self) -> Iterable[str]:
        """The ids of the entities it changes."""
        return self.changes.touched if self.changes else ()


class Carrier:
    """Carries out one operation of the contract."""

    def __init__(  # noqa: PLR0913 - everything an operation touches, by name
        self,
        operation: Operation,
        handler: Callable[..., Reply],
        *,
        store: Store,
        actors: Actors,
        clock: Clock,
        collaborators: Mapping[str, Any],
    ) -> None:
        """Tie a handler to its operation; Misfit where its arguments or its permission are not the contract's."""
        asked = set(inspect.signature(handler).parameters)
        declared = {parameter.name for parameter in operation.parameters} | ({"body"} if operation.body else set())
        known = {**collaborators, "store": store, "clock": clock}
        if unknown := (asked ^ declared) - known.keys() - {"actor"}:
            raise Misfit(f"{operation.id}: {', '.join(sorted(unknown))} is not both declared and taken")
        if operation.permission is None and not operation.public:
            raise Misfit(f"{operation.id} names no x-permission and is not public")
        self._permission = Permission(operation.permission) if operation.permission else None
        self._handler = partial(handler, **{name: value for name, value in known.items() if name in asked})
        self._takes_actor = "actor" in asked
        self._store, self._actors, self._clock = store, actors, clock

    def carry_out(self, call: Call) -> Response:
        """Return the answer, once all that makes it true is committed; raise the refusal there is instead."""
        reply, body = self.carried(call)
        return response_to(reply, body, call)

    def carried(self, call: Call) -> tuple[Reply, Body | None]:
        """Return the handler's reply and its body, once all that makes it true is committed; raise as above."""
        decision, receipt = decide_and_commit(partial(self._decide, call), self._commit)
        if decision.refusal is not None:
            raise decision.refusal
        return decision.reply, decision.reply.told(receipt)

    def _decide(self, call: Call) -> Decision:
        actor = self._actors.actor(call.claims) if call.claims else None
        if actor is not None and self._permission is not None:
            actor.condition(self._permission)
        arguments = {**call.arguments, "actor": actor} if self._takes_actor else call.arguments
        try:
            reply = self._handler(**arguments)
        except Refusal as refusal:
            if not refusal.changes:
                raise
            reply = Reply(changes=refusal.changes)
            return Decision(reply, self._change_set(reply, actor), refusal)
        return Decision(reply, self._change_set(reply, actor))

    def _change_set(self, reply: Reply, actor: Actor | None) -> ChangeSet | None:
        changes = tuple(change for change in reply.changes if not change.idle)
        who = actor.id if actor else reply.by or NOBODY
        return ChangeSet(new_id(), who, self._clock(), changes) if changes else None

    def _commit(self, decision: Decision) -> Receipt | None:
        return self._store.commit(decision.changes) if decision.changes else None
