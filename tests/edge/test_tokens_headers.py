"""The header of a token chooses nothing: not its algorithm, not its key, not how it is to be read (RFC 8725)."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from tests.edge.mint import (
    ALGORITHMS,
    ED25519_ORDER,
    P256_ORDER,
    SECRET,
    Mint,
    Pair,
    Secret,
    Signer,
    ask,
    assert_no_token,
    b64,
    dumped,
    signer,
    unb64,
)
from tests.edge.test_tokens import PAYLOADS
from tests.world import World
from tracker.keys import secret_key

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NEVER_OURS = (
    *("none", "None", "NONE", "nOnE", "", " ", "HS1", "hs256", "HS256 ", "HMAC", "HS384", "HS512", "RS384", "RS512"),
    *("PS256", "PS384", "PS512", "ES384", "ES512", "ES256K", "eddsa", "es256", "rs256", "Ed25519", "Ed448", "ESP256"),
    *("A128KW", "RSA1_5", "dir", "SHA256", "md5", "\0", "EdDSA\0", "x" * 1000),
)
HEADERS: dict[str, dict[str, Any]] = {
    **{f"alg {alg[:9]!r}": {"alg": alg} for alg in NEVER_OURS},
    "alg missing": {"alg": ...},
    "alg a number": {"alg": 256},
    "alg a list": {"alg": list(ALGORITHMS)},
    "alg an object": {"alg": {"HS256": 1}},
    "alg true": {"alg": True},
    "alg null": {"alg": None},
    "typ JWT": {"typ": "JWT"},
    "typ at": {"typ": "at"},
    "typ in capitals": {"typ": "AT+JWT"},
    "typ with its family": {"typ": "application/at+jwt"},
    "typ missing": {"typ": ...},
    "typ of a refresh token": {"typ": "rt+jwt"},
    "typ of a reset": {"typ": "reset+jwt"},
    "typ null": {"typ": None},
    "typ a list": {"typ": ["at+jwt"]},
    "kid missing": {"kid": ...},
    "kid null": {"kid": None},
    "kid empty": {"kid": ""},
    "kid a number": {"kid": 0},
    "kid true": {"kid": True},
    "kid a list": {"kid": ["0"]},
    "kid an object": {"kid": {"$ne": None}},
    "kid unknown": {"kid": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"},
    "kid a path": {"kid": "../../dev/null"},
    "kid a longer path": {"kid": "../../../../../../dev/null"},
    "kid a URL": {"kid": "file:///dev/null"},
    "kid SQL": {"kid": "x' UNION SELECT '' --"},
    "kid a command": {"kid": "| echo k"},
    "kid with a newline": {"kid": "a\nb"},
    "kid a NUL": {"kid": "\0"},
    "kid a lone surrogate": {"kid": "\ud800"},
    "kid of 1 kilobyte": {"kid": "k" * 1000},
    "kid of 10 kilobytes": {"kid": "k" * 10_000},
    "jwk": {"jwk": {"kty": "oct", "k": ""}},
    "jwk a private one": {"jwk": {"kty": "oct", "k": b64(SECRET.encode())}},
    "jku": {"jku": "https://example.com/keys"},
    "jku here": {"jku": "/.well-known/jwks.json"},
    "jku a file": {"jku": "file:///dev/null"},
    "x5u": {"x5u": "https://example.com/cert"},
    "x5c": {"x5c": ["AAAA"]},
    "x5t": {"x5t": "AAAA"},
    "crit": {"crit": ["exp"]},
    "crit of nothing": {"crit": []},
    "crit null": {"crit": None},
    "crit that nobody knows": {"crit": ["b64", "house"], "house": 1},
    "b64 false": {"b64": False, "crit": ["b64"]},
    "b64 false, not critical": {"b64": False},
    "b64 true": {"b64": True, "crit": ["b64"]},
    "compressed": {"zip": "DEF"},
    "encrypted": {"enc": "A128GCM"},
    "nested": {"cty": "JWT"},
    "claims": {"iss": "tracker"},
    "something new": {"new": 1},
}
every_header = pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)

pytestmark = pytest.mark.usefixtures("discreet")


@every_header
def test_a_token_with_another_header_is_refused_though_it_is_signed(
    everywhere: World, mint: Mint, header: dict[str, Any]
) -> None:
    assert_no_token(everywhere, f"Bearer {mint.token(header=header)}")


@every_header
def test_and_more_so_without_a_signature_or_with_one_of_no_key(
    everywhere: World, mint: Mint, header: dict[str, Any]
) -> None:
    unsigned = mint.token(header=header).rpartition(".")[0]
    for mutant in (unsigned, f"{unsigned}.", f"{unsigned}.{b64(Secret('').sign(unsigned.encode()))}"):
        assert_no_token(everywhere, f"Bearer {mutant}")


SPELLINGS: dict[str, Callable[[bytes], bytes]] = {
    "spaces": lambda header: header.replace(b",", b", "),
    "a newline": lambda header: header + b"\n",
    "another order": lambda header: b"{" + b",".join(reversed(header[1:-1].split(b","))) + b"}",
    "an escape": lambda header: header.replace(b"typ", b"t\\u0079p"),
    "a byte order mark": lambda header: b"\xef\xbb\xbf" + header,
    "UTF-16": lambda header: header.decode().encode("utf-16"),
    "alg twice": lambda header: header[:-1] + b',"alg":"none"}',
    "alg none first": lambda header: b'{"alg":"none",' + header[1:],
    "typ twice": lambda header: header[:-1] + b',"typ":"JWT"}',
    "kid twice": lambda header: header[:-1] + b',"kid":"0"}',
    "cut off": lambda header: header[:-1],
}


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
def test_a_header_has_one_spelling(everywhere: World, mint: Mint, spelling: Callable[[bytes], bytes]) -> None:
    header = dumped(mint.header)
    assert spelling(header) != header
    assert_no_token(everywhere, f"Bearer {mint.signed(spelling(header), dumped(mint.claims))}")


@pytest.mark.parametrize("header", PAYLOADS.values(), ids=PAYLOADS)
def test_a_header_that_is_none_is_refused(everywhere: World, mint: Mint, header: bytes) -> None:
    assert_no_token(everywhere, f"Bearer {mint.signed(header, dumped(mint.claims))}")


# What the key is, and what it is not.


def test_what_others_know_of_a_key_is_no_secret_to_sign_with(everywhere: World, mint: Mint) -> None:
    told = list(mint.signer.told())
    assert len(told) >= (3 if mint.signer.algorithm == "HS256" else 15)
    for known in told:
        by = Secret(known.decode("latin-1"))
        kids = {mint.signer.key.kid, secret_key("x").kid, ...}
        for header in ({"alg": "HS256", "kid": kid} for kid in kids):
            assert_no_token(everywhere, f"Bearer {mint.token(header=header, by=by)}")
        assert_no_token(everywhere, f"Bearer {mint.token(by=by)}")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_key_of_a_stranger_opens_nothing_whatever_it_calls_itself(
    everywhere: World, mint: Mint, algorithm: str, tmp_path: Path
) -> None:
    theirs: Signer = Secret("s" * 40) if algorithm == "HS256" else Pair.new(algorithm, tmp_path)
    for header in (
        {},
        {"alg": algorithm},
        {"alg": algorithm, "kid": theirs.key.kid},
        {"alg": algorithm, "kid": theirs.key.kid, "jwk": dict(theirs.key.jwk or {})},
        {"alg": algorithm, "kid": ...},
        {"kid": theirs.key.kid},
    ):
        assert_no_token(everywhere, f"Bearer {mint.token(header=header, by=theirs)}")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_our_own_signature_under_the_name_of_another_algorithm_is_none(
    everywhere: World, mint: Mint, algorithm: str
) -> None:
    refused = [a for a in (algorithm, *NEVER_OURS[:3]) if a != mint.signer.algorithm]
    for alg in refused:
        assert_no_token(everywhere, f"Bearer {mint.token(header={'alg': alg})}")


@pytest.mark.parametrize(
    "secret", ["", "alpha", "k" * 39, "k" * 41, "-----BEGIN PUBLIC KEY-----", "null", '{"kty":"oct"}']
)
def test_a_secret_that_is_nearly_ours_is_not_ours(everywhere: World, mint: Mint, secret: str) -> None:
    for header in ({}, {"alg": "HS256"}, {"alg": "HS256", "kid": secret_key(SECRET).kid}):
        assert_no_token(everywhere, f"Bearer {mint.token(header=header, by=Secret(secret))}")


@pytest.mark.parametrize("digest", ["sha384", "sha512", "sha1", "md5", "sha3_256", "blake2s"])
def test_another_digest_makes_another_signature(everywhere: World, mint: Mint, digest: str) -> None:
    for alg in ("HS256", digest.replace("sha", "HS"), ...):
        assert_no_token(everywhere, f"Bearer {mint.token(header={'alg': alg}, by=Secret(digest=digest))}")


def test_the_secret_that_is_always_there_signs_nothing_where_a_file_does(everywhere: World, mint: Mint) -> None:
    by = Secret()
    token = mint.token(header={"alg": "HS256", "kid": by.key.kid}, by=by)
    assert (ask(everywhere, f"Bearer {token}").status == 200) == (mint.signer.algorithm == "HS256")


# Signatures that have fooled somebody.


def halves(signature: bytes) -> tuple[int, int]:
    return int.from_bytes(signature[:32]), int.from_bytes(signature[32:])


def forged(mint: Mint, signature: bytes) -> list[bytes]:
    """Return signatures made without the key, from a good one where that helps."""
    size = len(signature)
    anywhere = [b"\0", bytes(size), bytes(size - 1) + b"\1", b"\xff" * size, signature[::-1], signature + b"\0"]
    anywhere += [b"\0" + signature, signature[:-1], signature[: size // 2], signature * 2]
    match mint.signer.algorithm:
        case "ES256":
            r, s = halves(signature)
            pairs = [(0, s), (r, 0), (0, 0), (1, 1), (P256_ORDER, P256_ORDER), (P256_ORDER, s), (s, r)]
            anywhere += [one.to_bytes(32) + other.to_bytes(32) for one, other in pairs]
            anywhere += [encode_dss_signature(r, s), b"\0" + signature[:32] + b"\0" + signature[32:]]
        case "EdDSA":
            point, number = signature[:32], int.from_bytes(signature[32:], "little")
            anywhere += [point + (number + ED25519_ORDER).to_bytes(32, "little"), b"\1" + bytes(63), point + bytes(32)]
        case "RS256":
            modulus = int.from_bytes(unb64((mint.signer.key.jwk or {})["n"]))
            anywhere += [(modulus - 1).to_bytes(size), (int.from_bytes(signature) + modulus).to_bytes(size + 1)]
        case _:
            anywhere.append(hmac.digest(mint.signer.key.kid.encode(), b"", "sha256"))
    return anywhere


def test_a_signature_that_proves_nothing_is_refused(everywhere: World, mint: Mint) -> None:
    unsigned, _, signature = mint.token().rpartition(".")
    mutants = forged(mint, unb64(signature))
    assert len(mutants) >= 11
    for mutant in mutants:
        assert_no_token(everywhere, f"Bearer {unsigned}.{b64(mutant)}")


def test_every_bit_of_a_signature_counts(everywhere: World, mint: Mint) -> None:
    unsigned, _, signature = mint.token().rpartition(".")
    good = unb64(signature)
    for place in range(0, len(good), 7):
        flipped = bytes(byte ^ (1 << place % 8) if at == place else byte for at, byte in enumerate(good))
        assert ask(everywhere, f"Bearer {unsigned}.{b64(flipped)}").status == 401


def test_the_twin_of_an_es256_signature_is_the_same_token(world: World, tmp_path: Path) -> None:
    """Whoever has (r, s) can make (r, -s). Nothing is told by the text of a token, so both end with their session."""
    signs = signer("ES256", tmp_path)
    signing = World(world.store, **signs.settings())
    mint = Mint(signing.person("ella"), signing.person("emil"), signs)
    unsigned, _, signature = mint.token().rpartition(".")
    r, s = halves(unb64(signature))
    twin = f"{unsigned}.{b64(r.to_bytes(32) + (P256_ORDER - s).to_bytes(32))}"

    assert ask(signing, f"Bearer {twin}").json["username"] == "ella"
    assert signing.client.as_(mint.token()).post("/logout").status == 204
    assert_no_token(signing, f"Bearer {twin}")


def test_there_are_mutants_enough() -> None:
    assert len(HEADERS) * 4 + len(SPELLINGS) + len(PAYLOADS) >= 120
