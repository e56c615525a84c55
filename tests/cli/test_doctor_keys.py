"""What the doctor says of keys."""

from __future__ import annotations

from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest
from click.testing import CliRunner

from tests.edge.mint import ASYMMETRIC, Pair
from tracker.cli import tracker
from tracker.keys import secret_key

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "a-key-of-more-than-thirty-two-bytes-0123456789"
STRENGTHS = {"EdDSA": "Ed25519", "ES256": "P-256", "RS256": "RSA, 2048 bits"}


def says(monkeypatch: pytest.MonkeyPatch, folder: Path, **values: str) -> str:
    monkeypatch.chdir(folder)
    with patch.dict("os.environ", {"SECRET_KEY": SECRET, **values}, clear=True):
        return CliRunner().invoke(tracker, ["doctor"]).stdout


def test_the_doctor_names_the_secret_that_signs_by_its_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = says(monkeypatch, tmp_path)
    assert f"ok    signing key: HS256 (46 bytes), kid {secret_key(SECRET).kid}\n" in said
    assert "other keys" not in said
    assert SECRET not in said


@pytest.mark.parametrize("algorithm", ASYMMETRIC)
def test_the_doctor_names_the_key_that_signs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, algorithm: str) -> None:
    pair = Pair.new(algorithm, tmp_path)
    said = says(monkeypatch, tmp_path, SIGNING_KEY_FILE=str(pair.file))
    assert f"ok    signing key: {algorithm} ({STRENGTHS[algorithm]}), kid {pair.key.kid}\n" in said
    assert f"ALGORITHM = {algorithm}\n" in said


def test_the_doctor_counts_the_keys_that_only_verify(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pair = Pair.new("EdDSA", tmp_path)
    old = f"{SECRET}-of-last-year"
    said = says(monkeypatch, tmp_path, VERIFICATION_KEY_FILES=str(pair.file), OLD_SECRET_KEYS=old)
    assert "note  other keys: 2 verify and sign nothing (an old one can go 10 minutes after it last signed)" in said
    assert pair.key.kid in said
    assert secret_key(old).kid in said
    assert old not in said


def test_the_doctor_finds_an_old_key_that_somebody_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = says(monkeypatch, tmp_path, OLD_SECRET_KEYS="o" * 40)
    assert "BAD   OLD_SECRET_KEYS: long, but not random" in said


@pytest.mark.parametrize(("mode", "notes"), [(0o644, 1), (0o640, 0), (0o600, 0)])
def test_the_doctor_finds_a_key_that_everybody_can_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int, notes: int
) -> None:
    pair = Pair.new("EdDSA", tmp_path)
    pair.file.chmod(mode)
    said = says(monkeypatch, tmp_path, SIGNING_KEY_FILE=str(pair.file))
    assert said.count("note  SIGNING_KEY_FILE: everybody on this machine can read it") == notes
