"""What the doctor says of an installation as a whole, and of what is around it."""

from __future__ import annotations

import json
import re
import sqlite3
import threading
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest
from aiosmtpd.smtp import AuthResult
from click.testing import CliRunner, Result

from tests.jobs.letters import mail_server
from tests.silence import silent_server
from tracker.cli import tracker
from tracker.cli.doctor import clocks, disk, findings, machine
from tracker.cli.doctor.findings import Finding, Look, Verdict
from tracker.settings import Settings
from tracker.store.sql import migrations
from tracker.store.sql.store import SqlStore

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = "k3yOf-more_than.thirty2bytes-0123456789"
CANARY = "canary-7c1e"
PATIENCE = 60  # seconds; a look has five at the most, and the machine may be busy


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    with patch.dict("os.environ", {"SECRET_KEY": KEY}, clear=True):
        yield


@pytest.fixture
def database() -> Path:
    with closing(SqlStore.open("sqlite:///tracker.db", connections=1)) as store:
        store.migrate()
    return Path("tracker.db")


def doctor(*options: str, **values: str) -> Result:
    with patch.dict("os.environ", values):
        return CliRunner().invoke(tracker, ["doctor", *options])


def of(subject: str, said: str) -> list[str]:
    return [line for line in said.splitlines() if f" {subject}: " in line]


def at_step(database: Path, step: str) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (step,))
        connection.commit()


def test_a_whole_installation_is_well(database: Path) -> None:
    result = doctor()
    assert result.exit_code == 0
    (contract,) = of("contract", result.stdout)
    assert re.fullmatch(r"ok    contract: each of its \d+ operations has the handler it needs", contract)
    for subject in ("SECRET_KEY", "signing key", "database", "database disk", "temporary disk"):
        assert len(of(subject, result.stdout)) == 1


def test_a_database_that_is_behind_is_bad_and_one_that_is_ahead_does(database: Path) -> None:
    at_step(database, migrations.steps()[0])
    (behind,) = of("database", doctor().stdout)
    assert behind.startswith("BAD")
    assert behind.endswith("run the migrations. (with: tracker migrate)")
    at_step(database, "9999")
    (ahead,) = of("database", doctor().stdout)
    assert ahead.startswith("ok ")


def test_machines_read_the_same_in_a_shape_that_stays(database: Path) -> None:
    result = doctor("--json")
    said = json.loads(result.stdout)
    assert (said["ok"], result.exit_code) == (True, 0)
    assert said["settings"]["SECRET_KEY"] == f"*** ({len(KEY)} bytes)"
    assert {"verdict": "ok", "subject": "SECRET_KEY", "text": f"{len(KEY)} bytes"} in said["findings"]
    assert {tuple(found) for found in said["findings"]} == {("verdict", "subject", "text")}
    database.unlink()
    worse = doctor("--json")
    assert (json.loads(worse.stdout)["ok"], worse.exit_code) == (False, 1)


@pytest.mark.parametrize(
    "broken",
    [
        {"PORT": "none"},
        {"SECRET_KEY": "alpha"},
        {"SMTP_URL": "smtp://localhost"},
        {"REDIS_URL": "nonsense"},
        {"TRACKER_WORKER": "3"},
        {"SIGNING_KEY_FILE": "nowhere.pem"},
        {"DATABASE_URL_FILE": "nowhere"},
        {"PORT": "none", "WORKERS": "no", "SECRET_KEY": ""},
    ],
)
def test_what_does_not_need_a_broken_setting_is_looked_at_all_the_same(database: Path, broken: dict[str, str]) -> None:
    result = doctor(**broken)
    assert result.exit_code == 1
    assert of("settings", result.stdout)[0].startswith("BAD")
    assert of("temporary disk", result.stdout)
    assert bool(of("database", result.stdout)) == ("DATABASE_URL_FILE" not in broken)
    assert len(of("SECRET_KEY", result.stdout)) == ("SECRET_KEY" not in broken)


def test_the_doctor_says_no_secret_whatever_is_wrong() -> None:
    urls = {
        "DATABASE_URL": f"postgresql://ann:{CANARY}@127.0.0.1:1/tracker?application_name={CANARY}",
        "REDIS_URL": f"redis://:{CANARY}@127.0.0.1:1/0",
        "CELERY_BROKER_URL": f"amqp://ann:{CANARY}@127.0.0.1:1/vhost",
        "SMTP_URL": f"smtp://ann:{CANARY}@127.0.0.1:1",
    }
    given = {**urls, "MAIL_FROM": "tracker@example.com", "OLD_SECRET_KEYS": CANARY * 4, "SECRET_KEY": f"{CANARY}-{KEY}"}
    for broken in ({}, {"SECRET_KEY": CANARY}, {"SMTP_URL": f"http://{CANARY}"}, {"CELERY_BROKER_URL": f"x{CANARY}"}):
        for options in ((), ("--json",)):
            result = doctor(*options, **{**given, **broken})
            assert result.exit_code == 1
            assert CANARY not in result.output
            assert "127.0.0.1" in result.output


@pytest.mark.parametrize(
    ("name", "url", "subject"),
    [
        ("DATABASE_URL", "postgresql://ann:geheim@127.0.0.1:{}/tracker", "database"),
        ("REDIS_URL", "redis://:geheim@127.0.0.1:{}/0", "redis"),
        ("CELERY_BROKER_URL", "amqp://ann:geheim@127.0.0.1:{}/", "broker"),
        ("CELERY_BROKER_URL", "redis://:geheim@127.0.0.1:{}/0", "broker"),
        ("SMTP_URL", "smtp://ann:geheim@127.0.0.1:{}", "mail"),
    ],
)
def test_who_is_connected_to_and_says_nothing_holds_nobody_up(name: str, url: str, subject: str) -> None:
    began = time.monotonic()
    with silent_server() as port:
        result = doctor(**{name: url.format(port), "MAIL_FROM": "tracker@example.com"})
    assert time.monotonic() - began < PATIENCE
    (found,) = of(subject, result.stdout)
    assert found.startswith(f"BAD   {subject}: ")
    assert ":***@127.0.0.1" in found
    assert of("contract", result.stdout)


def test_a_look_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings, "PATIENCE", 0.1)
    forever = threading.Event()

    def hang(_: Settings) -> list[Finding]:
        forever.wait()
        return []

    (found,) = findings.look_at_all([Look("hangs", hang)], Settings())
    forever.set()
    assert (found.verdict, found.subject) == (Verdict.BAD, "hangs")


def test_a_look_that_fails_leaves_the_others_be() -> None:
    def fail(_: Settings) -> list[Finding]:
        raise RuntimeError(CANARY)

    good = Finding(Verdict.GOOD, "good", "fine")
    failed, other = findings.look_at_all([Look("fails", fail), Look("good", lambda _: [good])], Settings())
    assert (failed.verdict, CANARY in failed.text, "RuntimeError" in failed.text) == (Verdict.BAD, False, True)
    assert other == good


@pytest.mark.parametrize(
    ("seconds", "verdict"), [(0, "ok"), (1, "ok"), (5, "note"), (-5, "note"), (90, "BAD"), (-90, "BAD")]
)
def test_a_clock_that_differs_is_a_note_and_then_bad(seconds: int, verdict: str) -> None:
    (found,) = clocks.compared("Redis", lambda: datetime.now(UTC) + timedelta(seconds=seconds))
    assert found.verdict == verdict


def test_an_answer_that_takes_long_makes_no_clock_wrong() -> None:
    began = datetime.now(UTC) - timedelta(minutes=5)
    with patch.object(clocks, "datetime") as clock:
        clock.now.side_effect = [began, datetime.now(UTC)]
        (found,) = clocks.compared("Redis", lambda: began + timedelta(seconds=1))
    assert found.verdict == "ok"


def test_a_mail_server_is_greeted_and_sent_nothing() -> None:
    with mail_server() as letterbox:
        said = doctor(SMTP_URL=letterbox.url, MAIL_FROM="tracker@example.com").stdout
    assert of("mail", said) == [f"ok    mail: {letterbox.url} answers and lets us in"]
    assert letterbox.letters == []


def test_a_mail_server_that_does_not_take_the_password_is_found() -> None:
    no = AuthResult(success=False, handled=False)
    with mail_server(auth_require_tls=False, authenticator=lambda *_: no) as letterbox:
        url = letterbox.url.replace("smtp://", f"smtp://ann:{CANARY}@")
        said = doctor(SMTP_URL=url, MAIL_FROM="tracker@example.com").stdout
    (found,) = of("mail", said)
    assert found.startswith("BAD   mail: smtp://ann:***@127.0.0.1")
    assert CANARY not in said


@pytest.mark.parametrize(
    ("values", "finding"),
    [
        ({}, "note  ALLOWED_HOSTS: every host name is answered"),
        ({}, "note  TRUSTED_PROXIES: none (behind a proxy, name it"),
        ({"TRUSTED_PROXIES": "10.0.0.0/8,0.0.0.0/0"}, "BAD   TRUSTED_PROXIES: anybody can say who they are"),
        ({"TRUSTED_PROXIES": "::/0"}, "BAD   TRUSTED_PROXIES: anybody can say who they are"),
        ({"CORS_ORIGINS": "*"}, "note  CORS_ORIGINS: pages of anybody"),
        ({"WORKERS": "64"}, "note  WORKERS: 64 processes on "),
        ({"HOST": "a..b"}, "BAD   server: HOST is neither an address nor a name of this machine"),
    ],
)
def test_settings_that_look_wrong_in_production_are_found(database: Path, values: dict[str, str], finding: str) -> None:
    with patch("os.sched_getaffinity", return_value={0, 1}):
        result = doctor(**values)
    assert finding in result.stdout
    assert result.exit_code == int(finding.startswith("BAD"))


def test_hosts_and_proxies_that_are_named_are_not_spoken_of(database: Path) -> None:
    said = doctor(
        ALLOWED_HOSTS="tracker.example.com", TRUSTED_PROXIES="10.0.0.7", CORS_ORIGINS="https://a.example"
    ).stdout
    assert of("ALLOWED_HOSTS", said) == of("TRUSTED_PROXIES", said) == of("CORS_ORIGINS", said) == []


@pytest.mark.parametrize(("mode", "found"), [(0o600, []), (0o644, ["note"]), (0o666, ["BAD"])])
def test_a_secret_in_a_file_is_for_its_owner_alone(database: Path, mode: int, found: list[str]) -> None:
    secret = Path("secret_key")
    secret.write_text(KEY)
    secret.chmod(mode)
    with patch.dict("os.environ", clear=True):
        lines = of("SECRET_KEY_FILE", doctor(SECRET_KEY_FILE=str(secret)).stdout)
    assert [line.split()[0] for line in lines] == found
    assert all("chmod 600" in line for line in lines)


def test_a_database_that_everybody_reads_is_noted(database: Path) -> None:
    database.chmod(0o600)
    assert of("database file", doctor().stdout) == []
    database.chmod(0o644)
    (found,) = of("database file", doctor().stdout)
    assert found.startswith("note  ")


@pytest.mark.parametrize(("mebibytes", "verdict"), [(50, "BAD"), (500, "note"), (5000, "ok")])
def test_a_disk_that_is_nearly_full_is_found(database: Path, mebibytes: int, verdict: str) -> None:
    with patch("shutil.disk_usage") as usage:
        usage.return_value.free = mebibytes * 1024 * 1024
        (found,) = of("database disk", doctor().stdout)
    assert found.split()[0] == verdict


def test_sqlite_on_a_disk_of_another_machine_is_bad(database: Path) -> None:
    with patch.object(disk, "file_system", return_value="nfs4"):
        found = of("database disk", doctor().stdout)
    assert "BAD   database disk: SQLite is not made for nfs4" in found[-1]


def test_the_file_system_of_a_folder_is_that_of_the_nearest_mount(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(f"a / ext4 rw 0 0\nb {tmp_path} nfs4 rw 0 0\nc {tmp_path}-other xfs rw 0 0\n")
    assert disk.file_system(tmp_path, mounts) == "nfs4"
    assert disk.file_system(Path("/"), mounts) == "ext4"
    assert disk.file_system(tmp_path, tmp_path / "none") is None


@pytest.mark.parametrize(("content", "limit"), [("max\n", None), ("134217728\n", 134217728), (None, None)])
def test_the_memory_of_a_container_is_read(tmp_path: Path, content: str | None, limit: int | None) -> None:
    if content:
        (tmp_path / "memory.max").write_text(content)
    assert machine.memory_limit((tmp_path / "memory.max", tmp_path / "older")) == limit


def test_too_little_memory_and_too_few_files_are_noted(database: Path) -> None:
    with (
        patch.object(machine, "memory_limit", return_value=64 * 1024 * 1024),
        patch("resource.getrlimit", return_value=(256, 256)),
        patch("os.sched_getaffinity", return_value={0, 1}),
    ):
        said = doctor(WORKERS="2").stdout
    assert "note  memory: 64 MiB are allowed, WORKERS=2 need about 476 when many log in" in said
    assert "note  open files: at most 256" in said
