"""What the doctor says of a database that is not in a file."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

import pytest
from click.testing import CliRunner

from tests.databases import database
from tracker.cli import tracker


@pytest.mark.postgresql
def test_the_doctor_asks_postgresql_for_its_schema_and_its_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with database("postgresql") as url:
        given = {"SECRET_KEY": "k3yOf-more_than.thirty2bytes-0123456789", "DATABASE_URL": url}
        with patch.dict("os.environ", given, clear=True):
            result = CliRunner().invoke(tracker, ["doctor"])
    assert result.exit_code == 0, result.stdout
    assert "its schema is up to date" in result.stdout
    assert "ok    clock: that of the database says the same" in result.stdout
    assert "database disk" not in result.stdout
