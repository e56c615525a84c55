"""One operation, carried out: actor, permission, handler, commit; and again where somebody else was first.

What is HTTP about a commit is here: Idempotency-Key, If-Match, If-None-Match and ``dry_run``. Handlers see none of it.
"""

from __future__ import annotations

import inspect
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple

from tracker.api.reply import Reply, Unread
from tracker.domain.access import Actor, Permission
from tracker.domain.changes import ChangeSet
from tracker.domain.identity import new_id
from tracker.domain.refusals import Refusal
from tracker.edge import conditions
from tracker.edge.answers import answer_to, not_modified
from tracker.edge.cache import Cache, Forgetful, Question, Remembered
from tracker.edge.call import Answer, Call
from tracker.edge.idempotency import Attempt, Records, is_kept
from tracker.store.contract import Claim, Receipt, Store
from tracker.store.deciding import decide_and_commit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tracker.domain.clock import Clock
    from tracker.domain.sight import Sight
    from tracker.edge.document import Operation
    from tracker.edge.security import Actors


NOBODY = "nobody"
DRY_RUN = "dry_run"
HEADERS = frozenset({"If-Match", "If-None-Match", "Idempotency-Key"})
_NOTHING = Receipt({}, {})
_SAFE = frozenset({"GET", "HEAD"})


class Misfit(Exception):
    """A handler and the contract do not fit each other: the start-up stops."""


class Decision(NamedTuple):
    """What was decided: the reply, what is to be committed for it, and the refusal if it is one that carries changes.

    ``attempt`` is there where the request names a key; ``replayed`` where that key has its answer already, or whoever
    asks has the list.
    """

    reply: Reply
    changes: ChangeSet | None = None
    refusal: Refusal | None = None
    attempt: Attempt | None = None
    replayed: Answer | None = None

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
        records: Records,
        collaborators: Mapping[str, Any],
        cache: Cache | None = None,
        require_if_match: bool = False,
    ) -> None:
        """Tie a handler to its operation; Misfit where its arguments or its permission are not the contract's."""
        declared = {parameter.name for parameter in operation.parameters}
        known = {**collaborators, "store": store, "clock": clock}
        asked = _asked(operation, handler, known)
        self._permission = Permission(operation.permission) if operation.permission else None
        self._handler = partial(handler, **{name: value for name, value in known.items() if name in asked})
        self._who = next((name for name in ("sight", "actor") if name in asked), None)  # as what it takes who asks
        self._safe = operation.method in _SAFE
        self._takes_key = "Idempotency-Key" in declared
        self._takes_match = "If-Match" in declared
        self._requires_match = require_if_match and self._takes_match
        self._store, self._actors, self._clock, self._records = store, actors, clock, records
        self._cache = cache or Forgetful()

    def carry_out(self, call: Call) -> Answer:
        """Return the answer, once all that makes it true is committed; raise the refusal there is instead."""
        with self._store.visit():
            return self._carried_out(call)

    def _carried_out(self, call: Call) -> Answer:
        dry = bool(call.arguments.pop(DRY_RUN, False))
        decision, receipt = decide_and_commit(
            lambda: self._decide(call, dry=dry), lambda decided: self._commit(call, decided, dry=dry)
        )
        if decision.replayed is not None:
            return decision.replayed
        if decision.refusal is not None:
            raise decision.refusal
        return self._answer(call, decision, receipt, dry=dry)

    def _decide(self, call: Call, *, dry: bool) -> Decision:
        sight = self._sight(call)
        actor = sight.actor if sight else self._actor(call)
        if self._permission is not None and actor is not None:
            actor.condition(self._permission)
        attempt = self._records.attempt(call, actor) if self._takes_key and not dry else None
        replayed = self._replayed(attempt) if attempt else self._had(call, sight)
        if replayed is not None:
            return Decision(Reply(), replayed=replayed)
        if self._requires_match:
            conditions.check_given(call)
        arguments = {**call.arguments, self._who: sight or actor} if self._who else call.arguments
        return self._handled(call, arguments, actor, attempt)

    def _sight(self, call: Call) -> Sight | None:
        if not call.claims or self._who != "sight":
            return None
        return self._actors.sight(call.claims, asked=(call.path, call.query))

    def _actor(self, call: Call) -> Actor | None:
        return self._actors.actor(call.claims, task_id=call.arguments.get("task_id")) if call.claims else None

    def _handled(self, call: Call, arguments: dict[str, Any], actor: Actor | None, attempt: Attempt | None) -> Decision:
        try:
            reply = self._handler(**arguments)
        except Refusal as refusal:
            if not refusal.changes:
                raise
            reply = Reply(changes=refusal.changes)
            return Decision(reply, self._change_set(reply, actor), refusal)
        if self._takes_match:
            conditions.check_match(call, next(iter(reply.changes), None))
        return Decision(reply, self._change_set(reply, actor, attempt), attempt=attempt)

    def _had(self, call: Call, sight: Sight | None) -> Answer | None:
        """Return that whoever asks has this list already, before anything is done for it."""
        if sight is None or "if-none-match" not in call.headers:
            return None
        tag = conditions.tag_still_good(call, sight.state.name, self._clock())
        return None if tag is None else not_modified(tag)

    def _replayed(self, attempt: Attempt) -> Answer | None:
        claimed = self._store.claimed(attempt.owner, attempt.key)
        if claimed is None or not is_kept(claimed, self._clock()):
            return None
        return self._records.replay(attempt, claimed)

    def _change_set(self, reply: Reply, actor: Actor | None, attempt: Attempt | None = None) -> ChangeSet | None:
        """Return what is to be committed: also nothing, where a key has to be kept; None where there is no need."""
        changes = tuple(change for change in reply.changes if not change.idle)
        if not changes and attempt is None:
            return None
        who = actor.id if actor else reply.by or NOBODY
        return ChangeSet(new_id(), who, self._clock(), changes, reply.requires)

    def _commit(self, call: Call, decision: Decision, *, dry: bool) -> Receipt:
        if decision.changes is None:
            return _NOTHING
        if dry:
            return self._store.rehearse(decision.changes)
        return self._store.commit(decision.changes, self._claim(call, decision))

    def _claim(self, call: Call, decision: Decision) -> Claim | None:
        attempt = decision.attempt
        if attempt is None:
            return None

        def answer(receipt: Receipt) -> str:
            return self._records.sealed(self._answer(call, decision, receipt, dry=False))

        return Claim(attempt.owner, attempt.key, attempt.fingerprint, self._clock(), answer)

    def _answer(self, call: Call, decision: Decision, receipt: Receipt, *, dry: bool) -> Answer:
        reply = decision.reply
        if isinstance(reply.body, Unread):
            return self._list(call, reply, reply.body)
        changes = decision.changes
        operation_id = changes.operation_id if changes and changes.changes and not dry else None
        answer = answer_to(reply, reply.told(receipt), call, operation_id=operation_id)
        return self._unless_known(call, answer) if self._safe and "if-none-match" in call.headers else answer

    def _unless_known(self, call: Call, answer: Answer) -> Answer:
        tag = (answer[b"etag"] or b"").decode()
        return not_modified(tag) if tag and conditions.has_already(call, tag) else answer

    def _list(self, call: Call, reply: Reply, unread: Unread) -> Answer:
        (audience, state), at = unread.state, self._clock()
        had = conditions.tag_still_good(call, state, at)
        if had is not None:
            return not_modified(had)

        def make() -> Remembered:
            body, until = unread.read()
            answer = answer_to(reply, body, call, tag=conditions.tag_of_list(call, state, until))
            return Remembered(answer.headers, answer.body, until)

        question = Question(audience, state, call.path, call.query)
        memorable = self._safe and reply.status == HTTPStatus.OK and not reply.secret
        known = self._cache.answer(question, at, make) if memorable else make()
        return Answer(reply.status, known.headers, known.body)


def _asked(operation: Operation, handler: Callable[..., Reply], known: Mapping[str, Any]) -> set[str]:
    """Return the names of the arguments that a handler takes; Misfit where they are not those the contract gives."""
    taken = inspect.signature(handler).parameters.values()
    declared = {parameter.name for parameter in operation.parameters} | ({"body"} if operation.body else set())
    asked = {parameter.name for parameter in taken if parameter.kind is not parameter.VAR_KEYWORD}
    if len(asked) < len(taken):  # by **name it takes all that is declared besides
        asked |= declared
    if unknown := (asked ^ declared) - known.keys() - {"actor", "sight", DRY_RUN} - HEADERS:
        raise Misfit(f"{operation.id}: {', '.join(sorted(unknown))} is not both declared and taken")
    if operation.permission is None and not operation.public:
        raise Misfit(f"{operation.id} names no x-permission and is not public")
    return asked
