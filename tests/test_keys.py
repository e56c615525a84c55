"""Keys as they are read: their algorithm, their id, and which are refused."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from jwt.algorithms import OKPAlgorithm, RSAAlgorithm

from tests.edge.mint import ALGORITHMS, ASYMMETRIC, Pair, generated, pem_of, signer
from tracker.keys import Key, KeyRing, UnusableKey, key_ring, pem_key, secret_key, signing_key

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "a-key-of-more-than-thirty-two-bytes-0123456789"
# The keys whose thumbprints RFC 7638, section 3.1, and RFC 8037, appendix A.3, give.
RSA_OF_THE_RFC = {
    "kty": "RSA",
    "n": (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjB"
        "ZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8"
        "KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_"
        "xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
    ),
    "e": "AQAB",
}
PLAIN = NoEncryption()
ED25519_OF_THE_RFC = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}


def public_pem(public: Any) -> bytes:
    pem: bytes = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem


def read(pem: bytes, folder: Path) -> Key:
    (folder / "key.pem").write_bytes(pem)
    return pem_key(folder / "key.pem")


def refusal(pem: bytes, folder: Path) -> str:
    with pytest.raises(UnusableKey) as refused:
        read(pem, folder)
    return str(refused.value)


@pytest.mark.parametrize(
    ("public", "kid"),
    [
        (RSAAlgorithm.from_jwk(RSA_OF_THE_RFC), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"),
        (OKPAlgorithm.from_jwk(ED25519_OF_THE_RFC), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"),
    ],
)
def test_the_id_of_a_public_key_is_its_thumbprint(public: Any, kid: str, tmp_path: Path) -> None:
    assert read(public_pem(public), tmp_path).kid == kid


@pytest.mark.parametrize("algorithm", ASYMMETRIC)
def test_both_halves_of_a_pair_are_one_key_and_the_public_one_signs_nothing(algorithm: str, tmp_path: Path) -> None:
    private = generated(algorithm)
    whole, half = read(pem_of(private), tmp_path), read(public_pem(private.public_key()), tmp_path)

    assert (whole.kid, whole.algorithm, whole.jwk) == (half.kid, half.algorithm, half.jwk)
    assert whole.algorithm == algorithm
    assert whole.signs is not None
    assert half.signs is None


@pytest.mark.parametrize("kind", [PrivateFormat.TraditionalOpenSSL, PrivateFormat.PKCS8])
def test_a_private_key_may_be_written_as_openssl_used_to(kind: PrivateFormat, tmp_path: Path) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    pem = private.private_bytes(Encoding.PEM, kind, PLAIN)
    assert read(pem, tmp_path).algorithm == "ES256"


REFUSED: dict[str, Any] = {
    "Ed448": ed448.Ed448PrivateKey.generate(),
    "X25519": x25519.X25519PrivateKey.generate(),
    "P-384": ec.generate_private_key(ec.SECP384R1()),
    "secp256k1": ec.generate_private_key(ec.SECP256K1()),
    "RSA of 1024 bits": rsa.generate_private_key(65537, 1024),  # noqa: S505 - that it is weak is the point
    "RSA of 2040 bits": rsa.generate_private_key(65537, 2040),  # noqa: S505 - likewise
    "DSA": dsa.generate_private_key(2048),
}


@pytest.mark.parametrize("private", REFUSED.values(), ids=REFUSED)
def test_a_key_of_another_kind_or_a_weak_one_is_refused(private: Any, tmp_path: Path) -> None:
    for pem in (pem_of(private), public_pem(private.public_key())):
        assert refusal(pem, tmp_path) == "must be an Ed25519 key, a P-256 key, or an RSA key of 2048 to 8192 bits"


GARBAGE = {
    "nothing": b"",
    "text": b"alpha",
    "bytes": b"\xff\xfe\x00",
    "an empty key": b"-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n",
    "no key": b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    "no public key": b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
    "a certificate": b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    "half of one": pem_of(ed25519.Ed25519PrivateKey.generate())[:60],
}


@pytest.mark.parametrize("pem", GARBAGE.values(), ids=GARBAGE)
def test_what_is_no_key_is_refused(pem: bytes, tmp_path: Path) -> None:
    assert refusal(pem, tmp_path) == "must be a PEM file with a private key (PKCS#8) or a public key"


def test_a_key_behind_a_password_is_refused(tmp_path: Path) -> None:
    private = ed25519.Ed25519PrivateKey.generate()
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"geheim"))
    assert "must not be encrypted" in refusal(pem, tmp_path)


@pytest.mark.parametrize("place", ["none.pem", "."])
def test_a_file_that_cannot_be_read_is_refused(place: str, tmp_path: Path) -> None:
    with pytest.raises(UnusableKey, match="cannot be read"):
        pem_key(tmp_path / place)


def test_a_public_key_cannot_sign(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_bytes(public_pem(generated("EdDSA").public_key()))
    with pytest.raises(UnusableKey, match=r"^SIGNING_KEY_FILE must hold a private key"):
        signing_key(tmp_path / "key.pem")


# Secrets.


def test_the_id_of_a_secret_is_always_the_same_and_that_of_another_is_not() -> None:
    assert secret_key(SECRET).kid == secret_key(SECRET).kid == "NyKrsxuM-bP0Qwy0"
    assert secret_key(SECRET + "0").kid != secret_key(SECRET).kid


def test_the_id_of_a_secret_is_no_digest_that_somebody_could_look_up() -> None:
    kid = secret_key(SECRET).kid
    assert len(kid) == 16
    for name in ("md5", "sha1", "sha224", "sha256", "sha384", "sha512"):
        digest = hashlib.new(name, SECRET.encode()).digest()
        assert kid not in base64.urlsafe_b64encode(digest).decode()


@pytest.mark.parametrize(
    "secret",
    [
        pem_of(ed25519.Ed25519PrivateKey.generate()).decode(),
        public_pem(ed25519.Ed25519PrivateKey.generate().public_key()).decode(),
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHGdeNPUHnWA0zGgbFFd6bn0wZkVJ0nVvLtTTp0cFnn5",
        '{"kty": "oct", "k": "a-key-of-more-than-thirty-two-bytes-0123456789"}',
    ],
)
def test_a_key_for_something_else_is_no_secret(secret: str) -> None:
    with pytest.raises(UnusableKey, match="must be a random text"):
        secret_key(secret)


# The ring.


def test_a_key_is_never_shown(tmp_path: Path) -> None:
    pair = Pair.new("EdDSA", tmp_path)
    ring = key_ring(SECRET, signing_file=pair.file, verification_files=[], old_secrets=["o" * 40])
    shown = f"{ring} {ring!r}"
    assert "o" * 40 not in shown
    assert "private" not in shown.lower()
    assert ring.signing.kid in shown


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_key_that_is_named_twice_is_there_once(algorithm: str, tmp_path: Path) -> None:
    key = signer(algorithm, tmp_path).key
    assert KeyRing(key, (key, key)).all == (key,)


def test_only_a_secret_can_be_weak(tmp_path: Path) -> None:
    assert secret_key("alpha").weak
    assert not secret_key("k" * 32).weak
    assert not any(signer(algorithm, tmp_path).key.weak for algorithm in ASYMMETRIC)
