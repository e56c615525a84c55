"""Access tokens: JWTs as RFC 8725 and RFC 9068 ask. The algorithm belongs to the key, never to the token."""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import jwt
from jwt.utils import base64url_encode

from tracker.domain.identity import new_id

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from tracker.domain.session import Session
    from tracker.domain.user import User

ISSUER = "tracker"
AUDIENCE = "tracker-api"
MAX_LENGTH = 4096
_REMEMBERED = 10_000
_SKEW = 60  # seconds that the clocks of two servers may differ
_CLAIMS = ("iss", "aud", "sub", "sid", "iat", "exp", "jti")
# PyJWT also takes a padded signature, and any bits that do not count in its last letter; a token has one spelling only.
_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)


class AccessTokens:
    """Issues and checks access tokens with one symmetric key."""

    def __init__(self, key: str, *, algorithm: str, lifetime: timedelta) -> None:
        """Take a key of at least 32 bytes for HS256; a shorter one is for development alone."""
        self.lifetime = lifetime
        self._key = key.encode()
        self._algorithm = algorithm
        # By digest, so that no token is kept where a dump of memory would show it.
        self._known: OrderedDict[bytes, dict[str, Any]] = OrderedDict()
        self._jwt = jwt.PyJWT(
            options={"require": list(_CLAIMS), "verify_exp": False, "verify_iat": False, "strict_aud": True}
        )

    def issue(self, user: User, session: Session, *, at: datetime) -> str:
        """Return a token that names the user and the session, good from ``at`` for ``lifetime``."""
        issued = int(at.timestamp())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": user.id,
            "sid": session.id,
            "iat": issued,
            "exp": issued + int(self.lifetime.total_seconds()),
            "jti": new_id(),
        }
        return self._jwt.encode(claims, self._key, algorithm=self._algorithm, headers={"typ": "at+jwt"})

    def claims(self, token: str, *, at: datetime) -> dict[str, Any] | None:
        """Return the claims of a token that is ours and good at ``at``, None for any other."""
        claims = self._signed(token) if len(token) <= MAX_LENGTH else None
        in_time = claims is not None and self._in_time(claims["iat"], claims["exp"], at.timestamp())
        return claims.copy() if claims is not None and in_time else None

    def _signed(self, token: str) -> dict[str, Any] | None:
        """Return the claims of a token that we signed. A good signature stays good and is checked once; time is not."""
        digest = hashlib.sha256(token.encode("latin-1", "replace")).digest()
        claims = self._known.get(digest)
        if claims is None and (claims := self._verified(token)) is not None:
            self._known[digest] = claims
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return claims

    def _verified(self, token: str) -> dict[str, Any] | None:
        if not _COMPACT.fullmatch(token):
            return None
        try:
            whole = self._jwt.decode_complete(
                token, self._key, algorithms=[self._algorithm], audience=AUDIENCE, issuer=ISSUER
            )
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError):
            return None
        claims: dict[str, Any] = whole["payload"]
        spelled = token.endswith("." + base64url_encode(whole["signature"]).decode())
        return claims if spelled and whole["header"].get("typ") == "at+jwt" else None

    def _in_time(self, issued: object, expires: object, now: float) -> bool:
        if type(issued) is not int or type(expires) is not int:
            return False
        return issued - _SKEW <= now < expires and expires - issued <= self.lifetime.total_seconds()
