"""Who asks: a bearer token becomes claims before the request is validated, and claims become an Actor after it."""

from __future__ import annotations

import re
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from tracker.domain.access import Actor
from tracker.domain.sight import Sight
from tracker.domain.user import UserStatus
from tracker.edge.problems import InvalidToken

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

    from tracker.domain.clock import Clock
    from tracker.domain.project import ProjectRole
    from tracker.edge.call import Call
    from tracker.edge.tokens import AccessTokens
    from tracker.store.contract import Reader, Standing

    Claims = dict[str, Any]

_REMEMBERED_USERS = 4096
_ID = re.compile(r"[0-9a-f-]{36}", re.ASCII)


def _is_id(claim: object) -> bool:
    """Whether a claim can be asked for: who holds the key may still have signed a NUL, which a database refuses."""
    return isinstance(claim, str) and _ID.fullmatch(claim) is not None


class Bearer:
    """Reads ``Authorization``. Pure computation: what the token says is looked up later, in the actor's own read."""

    def __init__(self, tokens: AccessTokens, clock: Clock, *, everybody: Callable[[], Claims] | None = None) -> None:
        """Take what gives ``everybody`` claims without a token: AUTH_ENABLE=False, in development alone."""
        self._tokens = tokens
        self._clock = clock
        self._everybody = everybody

    def claims(self, call: Call) -> Claims | None:
        """Return the claims of a good token and None without a token; a bad one is left in ``call.refusal``."""
        if "authorization" not in call.headers:
            return self._everybody() if self._everybody else None
        claims = self._good(call.headers["authorization"])
        if claims is None:
            call.refusal = InvalidToken()
            return {}
        return claims

    def user_id(self, call: Call) -> str | None:
        """Return whom a good token names; None without one, and nothing is refused."""
        claims = self._good(call.headers.get("authorization", ""))
        return str(claims["sub"]) if claims else None

    def _good(self, authorization: str) -> Claims | None:
        scheme, _, token = authorization.partition(" ")
        return self._tokens.claims(token, at=self._clock()) if scheme.lower() == "bearer" else None


class Actors:
    """Turns claims into whoever they stand for right now."""

    def __init__(self, store: Reader, clock: Clock) -> None:
        """Remember memberships under the access_version they were read for: a new version is a new key."""
        self._store = store
        self._clock = clock
        self._memberships: OrderedDict[tuple[str, int], Mapping[str, ProjectRole]] = OrderedDict()

    def actor(self, claims: Mapping[str, Any], *, task_id: str | None = None) -> Actor:
        """Return the actor; InvalidToken where the session is over, or the user is disabled or another.

        ``task_id`` is that of the task that the operation is about, if it is about one.
        """
        sid = claims["sid"]
        return self._actor_of(self._store.standing(sid, task_id=task_id) if _is_id(sid) else None, claims)

    def sight(self, claims: Mapping[str, Any], *, asked: Hashable) -> Sight:
        """Return the actor likewise, and what names all they see; ``asked`` tells which list it is that they ask for.

        The more projects there are, the longer that takes: it is for lists alone.
        """
        sid = claims["sid"]
        standing = self._store.standing(sid, asked=asked) if _is_id(sid) else None
        actor, heads = self._actor_of(standing, claims), standing and standing.heads
        assert heads is not None, "heads are counted for lists"  # noqa: S101 - see Reader.standing
        return Sight(actor, heads)

    def _actor_of(self, standing: Standing | None, claims: Mapping[str, Any]) -> Actor:
        if standing is None or not self._good(standing, claims):
            raise InvalidToken
        return Actor(
            id=standing.user_id,
            session_id=standing.session_id,
            role=standing.role,
            inbox_id=standing.inbox_id,
            access_version=standing.access_version,
            memberships=self._memberships_of(standing.user_id, standing.access_version),
        )

    def _good(self, standing: Standing, claims: Mapping[str, Any]) -> bool:
        return (
            standing.user_id == claims["sub"]
            and standing.status is UserStatus.ACTIVE
            and standing.session_ended_at is None
            and self._clock() < standing.session_expires_at
        )

    def _memberships_of(self, user_id: str, access_version: int) -> Mapping[str, ProjectRole]:
        key = (user_id, access_version)
        memberships = self._memberships.get(key)
        if memberships is None:
            # Read after the version: it may be newer than its key says, never older.
            memberships = self._memberships[key] = self._store.memberships(user_id)
            while len(self._memberships) > _REMEMBERED_USERS:
                self._memberships.popitem(last=False)
        return memberships
