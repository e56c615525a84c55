"""Tokens made by hand, with keys of every algorithm: good ones, and what comes near them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from uuid import uuid4

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from tests.edge.wire import assert_discreet
from tests.world import NOON, Person, World
from tracker.keys import Key, pem_key, secret_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.client import Received

ASYMMETRIC = ("EdDSA", "ES256", "RS256")
ALGORITHMS = ("HS256", *ASYMMETRIC)
SECRET = "k" * 40
NOW = int(NOON.timestamp())
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493

PrivateKey = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def dumped(members: dict[str, Any]) -> bytes:
    kept = {name: value for name, value in members.items() if value is not ...}
    return json.dumps(kept, separators=(",", ":")).encode()


@dataclass(frozen=True)
class Secret:
    """A secret, as whoever knows it would use it."""

    text: str = SECRET
    digest: str = "sha256"
    algorithm: str = "HS256"

    def sign(self, text: bytes) -> bytes:
        return hmac.digest(self.text.encode("latin-1"), text, self.digest)

    @cached_property
    def key(self) -> Key:
        return secret_key(self.text)

    def told(self) -> Iterator[bytes]:
        """Yield what others can know of it."""
        yield from (b"", self.key.kid.encode(), hashlib.sha256(self.text.encode()).digest())

    def settings(self) -> dict[str, Any]:
        return {"secret_key": self.text}

    def settings_to_verify(self) -> dict[str, Any]:
        return {"old_secret_keys": (self.text,)}


@dataclass(frozen=True)
class Pair:
    """A private key and its file, as whoever has stolen it would use it."""

    algorithm: str
    private: PrivateKey
    file: Path

    @classmethod
    def new(cls, algorithm: str, folder: Path) -> Self:
        private = generated(algorithm)
        file = folder / f"{uuid4()}.pem"
        file.write_bytes(pem_of(private))
        return cls(algorithm, private, file)

    def sign(self, text: bytes) -> bytes:
        match self.private:
            case ed25519.Ed25519PrivateKey():
                return self.private.sign(text)
            case ec.EllipticCurvePrivateKey():
                r, s = decode_dss_signature(self.private.sign(text, ec.ECDSA(hashes.SHA256())))
                return r.to_bytes(32) + s.to_bytes(32)
            case rsa.RSAPrivateKey():
                return self.private.sign(text, padding.PKCS1v15(), hashes.SHA256())

    @cached_property
    def key(self) -> Key:
        return pem_key(self.file)

    def told(self) -> Iterator[bytes]:
        """Yield the public key in every form it is handed on in: each has been taken for an HMAC secret somewhere."""
        public = self.private.public_key()
        forms = [(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)]
        forms.append((Encoding.OpenSSH, PublicFormat.OpenSSH))
        if isinstance(public, rsa.RSAPublicKey):
            forms += [(Encoding.PEM, PublicFormat.PKCS1), (Encoding.DER, PublicFormat.PKCS1)]
        if isinstance(public, ed25519.Ed25519PublicKey):
            forms.append((Encoding.Raw, PublicFormat.Raw))
        if isinstance(public, ec.EllipticCurvePublicKey):
            points = (PublicFormat.CompressedPoint, PublicFormat.UncompressedPoint)
            forms += [(Encoding.X962, point) for point in points]
        for encoding, form in forms:
            data = public.public_bytes(encoding, form)
            yield from (data, data.strip(), base64.b64encode(data), b64(data).encode())
        jwk = dict(self.key.jwk or {})
        yield from (json.dumps(jwk).encode(), dumped(jwk), dumped({"keys": [jwk]}))
        yield from (value.encode() for value in jwk.values())
        yield from (unb64(jwk[name]) for name in ("x", "n", "kid") if name in jwk)

    def settings(self) -> dict[str, Any]:
        return {"signing_key_file": self.file}

    def settings_to_verify(self) -> dict[str, Any]:
        return {"verification_key_files": (self.file,)}


Signer = Secret | Pair


def signer(algorithm: str, folder: Path) -> Signer:
    """Return what signs with an algorithm: the secret of the tests, or a new pair of keys."""
    return Secret() if algorithm == "HS256" else Pair.new(algorithm, folder)


def generated(algorithm: str) -> PrivateKey:
    if algorithm == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    if algorithm == "ES256":
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(65537, 2048)


def pem_of(private: Any) -> bytes:
    """Return a private key as ``openssl genpkey`` writes it."""
    pem: bytes = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return pem


@dataclass(frozen=True)
class Mint:
    """Makes tokens for Ann, and for nobody: in her session, and in Bob's."""

    ann: Person
    bob: Person
    signer: Signer

    @property
    def header(self) -> dict[str, Any]:
        return {"alg": self.signer.algorithm, "kid": self.signer.key.kid, "typ": "at+jwt"}

    @property
    def claims(self) -> dict[str, Any]:
        return {
            "iss": "tracker",
            "aud": "tracker-api",
            "sub": self.ann.id,
            "sid": self.ann.session.id,
            "jti": "1",
            "iat": NOW,
            "exp": NOW + 600,
        }

    def token(self, *, header: dict[str, Any] | None = None, by: Signer | None = None, **claims: Any) -> str:
        """Return a token that is good but for what is given; ``...`` leaves a member out."""
        return self.signed(dumped(self.header | (header or {})), dumped(self.claims | claims), by)

    def signed(self, header: bytes, payload: bytes, by: Signer | None = None) -> str:
        text = f"{b64(header)}.{b64(payload)}"
        return f"{text}.{b64((by or self.signer).sign(text.encode()))}"

    def parts(self, token: str | None = None) -> list[str]:
        return (token or self.token()).split(".")


def ask(world: World, authorization: str, path: str = "/me") -> Received:
    return world.client.request("GET", path, headers={"authorization": authorization})


def assert_no_token(world: World, authorization: str) -> None:
    """Fail unless what was sent opens nothing, and the answer says no more than that."""
    refused = ask(world, authorization)
    assert (refused.status, refused.problem) == (401, "invalid-token")
    assert refused.headers["www-authenticate"] == 'Bearer realm="tracker", error="invalid_token"'
    assert_discreet(refused)
    made = world.client.request("POST", "/tasks", {"title": "a"}, headers={"authorization": authorization})
    assert made.status == 401
