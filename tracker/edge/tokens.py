"""Access tokens: JWTs as RFC 8725 and RFC 9068 ask. The algorithm belongs to the key, never to the token."""

from __future__ import annotations

import hashlib
import json
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
    from tracker.keys import Key, KeyRing

ISSUER = "tracker"
AUDIENCE = "tracker-api"
MAX_LENGTH = 4096
_TYPE = "at+jwt"
_REMEMBERED = 10_000
_SKEW = 60  # seconds that the clocks of two servers may differ
_CLAIMS = ("iss", "aud", "sub", "sid", "iat", "exp", "jti")
# PyJWT also takes parts that are padded; a token has one spelling only.
_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)


class AccessTokens:
    """Issues access tokens with the key that signs, and checks those of every key of the ring."""

    def __init__(self, keys: KeyRing, *, lifetime: timedelta) -> None:
        """Take the keys; a weak one is for development alone."""
        self.lifetime = lifetime
        self._signing = keys.signing
        # All our tokens of one key begin alike, so the header is looked up as it is spelled. Nothing that a stranger
        # wrote is parsed, and jku, jwk, crit or another alg is no different from a key that nobody knows.
        self._keys = {_header(key): key for key in keys.all}
        # By digest, so that no token is kept where a dump of memory would show it.
        self._known: OrderedDict[bytes, dict[str, Any]] = OrderedDict()
        self._jwt = jwt.PyJWT(
            options={
                "require": list(_CLAIMS),
                "verify_exp": False,
                "verify_iat": False,
                "strict_aud": True,
                "enforce_minimum_key_length": not keys.signing.weak,
            }
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
        key = self._signing
        assert key.signs is not None, "the key that signs can sign"  # noqa: S101 - a programming error
        return self._jwt.encode(claims, key.signs, algorithm=key.algorithm, headers={"kid": key.kid, "typ": _TYPE})

    def claims(self, token: str, *, at: datetime) -> dict[str, Any] | None:
        """Return the claims of a token that is ours and good at ``at``, None for any other."""
        claims = self._signed(token) if len(token) <= MAX_LENGTH else None
        in_time = claims is not None and self._in_time(claims["iat"], claims["exp"], at.timestamp())
        return claims.copy() if claims is not None and in_time else None

    def _signed(self, token: str) -> dict[str, Any] | None:
        """Return the claims of a token that we signed. A good signature stays good and is checked once; time is not."""
        # Python's own BLAKE2: SHA-256 goes through OpenSSL, and takes twice as long where nothing of it is at hand.
        digest = hashlib.blake2s(token.encode("latin-1", "replace")).digest()
        claims = self._known.get(digest)
        if claims is None and (claims := self._verified(token)) is not None:
            self._known[digest] = claims
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return claims

    def _verified(self, token: str) -> dict[str, Any] | None:
        key = self._keys.get(token.partition(".")[0])
        if key is None or not _COMPACT.fullmatch(token):
            return None
        try:
            claims: dict[str, Any] = self._jwt.decode(
                token, key.verifies, algorithms=[key.algorithm], audience=AUDIENCE, issuer=ISSUER
            )
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError):
            return None
        return claims

    def _in_time(self, issued: object, expires: object, now: float) -> bool:
        if type(issued) is not int or type(expires) is not int:
            return False
        return issued - _SKEW <= now < expires and expires - issued <= self.lifetime.total_seconds()


def _header(key: Key) -> str:
    """Return the first part of every token that a key signs, as PyJWT spells it: members in order, no spaces."""
    header = {"alg": key.algorithm, "kid": key.kid, "typ": _TYPE}
    return base64url_encode(json.dumps(header, separators=(",", ":"), sort_keys=True).encode()).decode()
