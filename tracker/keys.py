"""The keys of access tokens: the one that signs, those that go on verifying, and the one that development makes itself.

A key is for one algorithm: neither a token nor a setting can use it with another (RFC 8725, section 3.1).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from jwt.algorithms import HMACAlgorithm, get_default_algorithms
from jwt.exceptions import InvalidKeyError
from jwt.utils import base64url_encode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    T = TypeVar("T")

PrivateKey = Ed25519PrivateKey | EllipticCurvePrivateKey | RSAPrivateKey
PublicKey = Ed25519PublicKey | EllipticCurvePublicKey | RSAPublicKey

WEAK_BELOW = 32  # bytes: RFC 7518, section 3.2, for HS256
MOST = 16  # keys of each kind that verify beside the one that signs
_RSA_BITS = range(2048, 8192 + 1)  # RFC 7518, section 3.3; the signature of a longer one would fill a header
# What a public key consists of, and what its id is made from (RFC 7638, section 3.2, and RFC 8037, section 2).
_MEMBERS = {"EdDSA": ("crv", "kty", "x"), "ES256": ("crv", "kty", "x", "y"), "RS256": ("e", "kty", "n")}


class UnusableKey(Exception):
    """A key cannot be used; the text is the rule it breaks and shows nothing of it."""


@dataclass(frozen=True)
class Key:
    """A key with the one algorithm it is for. ``signs`` is None where it only verifies.

    ``jwk`` is what anybody may verify with (RFC 7517); None for a secret, which is not to be told.
    """

    kid: str
    algorithm: str
    strength: str
    verifies: PublicKey | bytes = field(repr=False)
    signs: PrivateKey | bytes | None = field(default=None, repr=False)
    jwk: Mapping[str, str] | None = None

    @property
    def weak(self) -> bool:
        """Whether it is a secret shorter than HS256 asks for; only development gets this far."""
        return isinstance(self.verifies, bytes) and len(self.verifies) < WEAK_BELOW


@dataclass(frozen=True)
class KeyRing:
    """The key that signs, and those that only verify: what signed until lately, and what is to sign next."""

    signing: Key
    others: tuple[Key, ...] = ()

    @property
    def all(self) -> tuple[Key, ...]:
        """Every key once, the one that signs first."""
        return tuple({key.kid: key for key in (self.signing, *self.others)}.values())

    @property
    def public(self) -> tuple[Mapping[str, str], ...]:
        """The JSON Web Keys that anybody may verify tokens with."""
        return tuple(key.jwk for key in self.all if key.jwk is not None)


def key_ring(
    secret: str, *, signing_file: Path | None, verification_files: Sequence[Path], old_secrets: Sequence[str]
) -> KeyRing:
    """Return the keys that the settings name; raise UnusableKey, which then names the setting too."""
    signing = signing_key(signing_file) if signing_file else _of("SECRET_KEY", secret_key, secret)
    files = _numbered("VERIFICATION_KEY_FILES", pem_key, verification_files)
    return KeyRing(signing, (*files, *_numbered("OLD_SECRET_KEYS", _old_secret_key, old_secrets)))


def signing_key(place: Path) -> Key:
    """Return the private key in a PEM file; raise UnusableKey, which names the setting."""
    key = _of("SIGNING_KEY_FILE", pem_key, place)
    if key.signs is None:
        raise UnusableKey("SIGNING_KEY_FILE must hold a private key; this is a public one")
    return key


def secret_key(secret: str) -> Key:
    """Return a secret as a key for HS256. Its id tells nothing of it: that is a MAC, of a text that is no token."""
    key = secret.encode()
    try:
        HMACAlgorithm(HMACAlgorithm.SHA256).prepare_key(key)
    except InvalidKeyError:
        raise UnusableKey("must be a random text; name a PEM file in SIGNING_KEY_FILE") from None
    kid = base64url_encode(hmac.digest(key, b"tracker key id", hashlib.sha256)[:12]).decode()
    return Key(kid, "HS256", f"{len(key)} bytes", key, key)


def pem_key(place: Path) -> Key:
    """Return the private or public key in a PEM file, for the algorithm of its type."""
    try:
        return _from_pem(place.read_bytes())
    except OSError as problem:
        raise UnusableKey(f"cannot be read: {problem.strerror}") from None


def kept_key(place: Path) -> str:
    """Return the key kept in a file, making both if need be; of many that do so at once, all get the same.

    The file appears whole or not at all, readable by its owner alone. Raises OSError where it cannot be kept or read.
    """
    if not place.exists():
        _keep(secrets.token_urlsafe(48), place)
    return place.read_text(encoding="ascii").strip()


def _keep(key: str, place: Path) -> None:
    descriptor, draft = tempfile.mkstemp(dir=place.parent, prefix=".tracker-key-")  # mode 0600
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(f"{key}\n")
        with suppress(FileExistsError):  # somebody was first: theirs is the key
            os.link(draft, place)
    finally:
        Path(draft).unlink()


def _of(setting: str, make: Callable[[T], Key], given: T) -> Key:
    try:
        return make(given)
    except UnusableKey as unusable:
        raise UnusableKey(f"{setting} {unusable}") from None


def _numbered(setting: str, make: Callable[[T], Key], given: Sequence[T]) -> Iterable[Key]:
    if len(given) > MOST:
        raise UnusableKey(f"{setting} must be at most {MOST}")
    return [_of(f"{setting}, number {number},", make, one) for number, one in enumerate(given, 1)]


def _old_secret_key(secret: str) -> Key:
    key = secret_key(secret)
    if key.weak:
        raise UnusableKey(f"is shorter than {WEAK_BELOW} bytes: whoever guesses it can make tokens")
    return key


@lru_cache(maxsize=2 * MOST)  # an RSA key of 4096 bits takes 0.3 s to check, and the settings look at it twice
def _from_pem(pem: bytes) -> Key:
    private, public = _pair(pem)
    algorithm, strength = _purpose(public)
    jwk = get_default_algorithms()[algorithm].to_jwk(public, as_dict=True)
    members = {name: jwk[name] for name in _MEMBERS[algorithm]}
    kid = _thumbprint(members)
    return Key(kid, algorithm, strength, public, private, {**members, "kid": kid, "use": "sig", "alg": algorithm})


def _pair(pem: bytes) -> tuple[PrivateKey | None, PublicKey]:
    try:
        if b"PRIVATE KEY-----" not in pem:
            return None, load_pem_public_key(pem)  # type: ignore[return-value]  # _purpose refuses others
        private = load_pem_private_key(pem, password=None)
    except TypeError:
        raise UnusableKey("must not be encrypted: nobody is there to type its password") from None
    except (ValueError, UnsupportedAlgorithm):
        raise UnusableKey("must be a PEM file with a private key (PKCS#8) or a public key") from None
    return private, private.public_key()  # type: ignore[return-value]  # likewise


def _purpose(public: PublicKey) -> tuple[str, str]:
    match public:
        case Ed25519PublicKey():
            return "EdDSA", "Ed25519"
        case EllipticCurvePublicKey(curve=SECP256R1()):
            return "ES256", "P-256"
        case RSAPublicKey() if public.key_size in _RSA_BITS:
            return "RS256", f"RSA, {public.key_size} bits"
        case _:
            raise UnusableKey("must be an Ed25519 key, a P-256 key, or an RSA key of 2048 to 8192 bits")


def _thumbprint(members: Mapping[str, str]) -> str:
    text = json.dumps(members, separators=(",", ":"), sort_keys=True)
    return base64url_encode(hashlib.sha256(text.encode()).digest()).decode()
