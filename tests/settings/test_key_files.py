"""Keys in files: which of them signs, which only verify, and which are refused."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.edge.mint import ASYMMETRIC, generated, pem_of
from tests.settings.giving import KEY, given, refusal

if TYPE_CHECKING:
    pass


def a_key(folder: Path, algorithm: str = "EdDSA", name: str = "signing.pem") -> str:
    (folder / name).write_bytes(pem_of(generated(algorithm)))
    return str(folder / name)


def test_without_a_key_file_the_secret_key_signs() -> None:
    settings = given(SECRET_KEY=KEY)
    assert settings.algorithm == settings.key_ring.signing.algorithm == "HS256"
    assert not settings.key_ring.others
    assert not settings.key_ring.public


@pytest.mark.parametrize("algorithm", ASYMMETRIC)
def test_a_key_file_says_itself_how_tokens_are_signed(tmp_path: Path, algorithm: str) -> None:
    file = a_key(tmp_path, algorithm)
    for more in ({}, {"ALGORITHM": algorithm}):
        settings = given(SECRET_KEY=KEY, SIGNING_KEY_FILE=file, **more)
        assert settings.algorithm == settings.key_ring.signing.algorithm == algorithm


def test_a_key_file_does_not_stand_in_for_the_secret_key(tmp_path: Path) -> None:
    assert refusal(SIGNING_KEY_FILE=a_key(tmp_path)).startswith("SECRET_KEY is needed")
    assert refusal(SIGNING_KEY_FILE=a_key(tmp_path), SECRET_KEY="alpha").startswith("SECRET_KEY is shorter")


@pytest.mark.parametrize("algorithm", ["HS256", "ES256", "RS256"])
def test_an_algorithm_that_is_not_that_of_the_key_is_refused(tmp_path: Path, algorithm: str) -> None:
    text = refusal(SECRET_KEY=KEY, SIGNING_KEY_FILE=a_key(tmp_path), ALGORITHM=algorithm)
    assert text == "ALGORITHM does not fit the key in SIGNING_KEY_FILE; leave it out, and it is that of the key"


@pytest.mark.parametrize("algorithm", ASYMMETRIC)
def test_an_algorithm_of_key_files_is_refused_without_one(algorithm: str) -> None:
    assert refusal(SECRET_KEY=KEY, ALGORITHM=algorithm).startswith("ALGORITHM must be HS256 unless SIGNING_KEY_FILE")


def test_old_keys_of_both_kinds_go_on_verifying(tmp_path: Path) -> None:
    files = [a_key(tmp_path, algorithm, f"{algorithm}.pem") for algorithm in ASYMMETRIC]
    old = f"{'o' * 32}, {'p' * 32}"
    ring = given(SECRET_KEY=KEY, VERIFICATION_KEY_FILES=" , ".join(files), OLD_SECRET_KEYS=old).key_ring
    assert [key.algorithm for key in ring.all] == ["HS256", *ASYMMETRIC, "HS256", "HS256"]
    assert ring.signing.kid not in {key.kid for key in ring.others}


def test_old_secret_keys_may_be_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "old").write_text(f"{'o' * 32},{'p' * 32}\n")
    assert len(given(SECRET_KEY=KEY, OLD_SECRET_KEYS_FILE=str(tmp_path / "old")).key_ring.others) == 2


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"SIGNING_KEY_FILE": "geheim.pem"}, "SIGNING_KEY_FILE cannot be read: No such file or directory"),
        ({"SIGNING_KEY_FILE": "geheim"}, "SIGNING_KEY_FILE must be a PEM file with a private key (PKCS#8)"),
        ({"SIGNING_KEY_FILE": "public.pem"}, "SIGNING_KEY_FILE must hold a private key; this is a public one"),
        ({"SIGNING_KEY_FILE": "weak.pem"}, "SIGNING_KEY_FILE must be an Ed25519 key"),
        ({"VERIFICATION_KEY_FILES": "public.pem,geheim.pem"}, "VERIFICATION_KEY_FILES, number 2, cannot be read"),
        ({"VERIFICATION_KEY_FILES": "weak.pem"}, "VERIFICATION_KEY_FILES, number 1, must be an Ed25519 key"),
        ({"VERIFICATION_KEY_FILES": ",".join(["public.pem"] * 17)}, "VERIFICATION_KEY_FILES must be at most 16"),
        ({"OLD_SECRET_KEYS": f"{KEY},geheim"}, "OLD_SECRET_KEYS, number 2, is shorter than 32 bytes"),
        ({"OLD_SECRET_KEYS": "geheim", "TRACKER_ENV": "development"}, "OLD_SECRET_KEYS, number 1, is shorter than 32"),
        ({"OLD_SECRET_KEYS": ",".join([KEY] * 17)}, "OLD_SECRET_KEYS must be at most 16"),
        ({"SECRET_KEY": '{"kty": "oct", "k": "geheim-geheim-geheim-geheim"}'}, "SECRET_KEY must be a random text"),
    ],
)
def test_a_key_that_cannot_be_used_is_refused_by_name_and_rule_and_not_shown(
    tmp_path: Path, values: dict[str, str], text: str
) -> None:
    public = generated("EdDSA").public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "public.pem").write_bytes(public)
    (tmp_path / "weak.pem").write_bytes(pem_of(ec.generate_private_key(ec.SECP384R1())))
    (tmp_path / "geheim").write_text("geheim")
    said = refusal(**({"SECRET_KEY": KEY} | values))
    assert said.startswith(text)
    assert "geheim" not in said
    assert ".pem" not in said


def test_old_keys_are_not_shown(tmp_path: Path) -> None:
    file = a_key(tmp_path)
    settings = given(SECRET_KEY=KEY, OLD_SECRET_KEYS=f"{'o' * 32},{'p' * 40}", VERIFICATION_KEY_FILES=f"{file},{file}")
    shown = dict(settings.shown())
    assert shown["OLD_SECRET_KEYS"] == "*** (32 bytes), *** (40 bytes)"
    assert shown["VERIFICATION_KEY_FILES"] == f"{file}, {file}"
    assert "ooo" not in f"{settings!r} {settings.key_ring!r}"
