"""What the commands do, on a database of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING
from unittest.mock import patch

import jwt
import pytest
import yaml
from click.testing import CliRunner, Result

from tests.world import World
from tracker.app import passwords
from tracker.cli import COMMANDS, tracker
from tracker.domain.clock import now
from tracker.domain.user import Role, User, UserStatus
from tracker.settings import Settings
from tracker.wiring import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tracker.store.contract import Store

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    with patch.dict("os.environ", {"TRACKER_ENV": "development"}, clear=True):
        yield


@pytest.fixture
def store() -> Iterator[Store]:
    store = open_store(Settings(), connections=1)
    store.migrate()
    yield store
    store.close()


def run(*arguments: str, says: str | None = None) -> Result:
    return CliRunner().invoke(tracker, arguments, input=says, prog_name="tracker")


def create_user(*more: str, username: str = "ann", says: str = f"{PASSWORD}\n") -> Result:
    named = ["--username", username, "--email", f"{username}@example.com"]
    return run("user", "create", *named, "--password-stdin", *more, says=says)


def refusal(result: Result, exit_code: int = 1) -> str:
    assert result.exit_code == exit_code
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.output
    return lines[0].removeprefix("tracker: ")


def user(store: Store, name: str) -> User:
    found = store.user_named(username=name)
    assert found is not None
    return found


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str) -> None:
    assert run(name, "--help").exit_code == 0
    assert COMMANDS[name][1] in " ".join(run("--help").stdout.split())


def test_a_command_that_does_not_exist_is_a_wrong_use() -> None:
    assert run("destroy").exit_code == 2


def test_the_first_admin_comes_from_the_command_line(store: Store) -> None:
    result = create_user("--role", "admin")
    assert (result.stdout, result.exit_code) == ("ann (admin) is created.\n", 0)
    ann = user(store, "ann")
    assert ann.role is Role.ADMIN
    assert passwords(Settings()).verify(ann.password_hash, PASSWORD)
    inbox = store.project(ann.inbox_id)
    assert inbox is not None
    assert store.memberships(ann.id) == {inbox.id: "owner"}


def test_a_password_is_asked_for_twice_and_not_shown(store: Store) -> None:
    named = ["--username", "ann", "--email", "ann@example.com"]
    result = run("user", "create", *named, says=f"{PASSWORD}\n{PASSWORD}\n")
    assert result.exit_code == 0
    assert PASSWORD not in result.output
    assert user(store, "ann").role is Role.MEMBER


def test_a_name_is_given_once(store: Store) -> None:
    create_user()
    assert refusal(create_user("--email", "other@example.com", username="ANN")) == "This username is already in use."


@pytest.mark.parametrize(
    ("username", "password", "rule"),
    [
        ("ann", "short", "password has at least 8 characters"),
        ("an n", PASSWORD, "username matches"),
        ("ann@home", PASSWORD, "username matches"),
        ("annemarie", "annemarie", "password must not be the username"),
    ],
)
def test_what_the_contract_refuses_is_refused_here(store: Store, username: str, password: str, rule: str) -> None:
    text = refusal(create_user(username=username, says=f"{password}\n"))
    assert text.startswith(rule)
    assert not store.has_users()


def test_a_disabled_user_gets_no_token(store: Store) -> None:
    create_user()
    assert run("user", "disable", "ann").stdout == "ann is disabled.\n"
    assert run("user", "disable", "ann@example.com").exit_code == 0
    assert (user(store, "ann").status, user(store, "ann").version) == (UserStatus.DISABLED, 2)
    assert refusal(run("token", "ann")) == "this user is disabled"


def test_a_user_that_was_disabled_is_let_in_again(store: Store) -> None:
    create_user()
    run("user", "disable", "ann")
    assert run("user", "enable", "ann@example.com").stdout == "ann@example.com is active.\n"
    assert user(store, "ann").active
    assert run("token", "ann").exit_code == 0


def test_a_user_is_given_another_role(store: Store) -> None:
    create_user()
    assert run("user", "role", "ann", "admin").stdout == "ann is admin.\n"
    assert user(store, "ann").role is Role.ADMIN
    assert run("user", "role", "ann", "king").exit_code == 2


@pytest.mark.parametrize("arguments", [("user", "disable", "ann"), ("user", "role", "ann", "member")])
def test_the_last_admin_stays_one_from_here_too(store: Store, arguments: tuple[str, ...]) -> None:
    create_user("--role", "admin")
    assert "last active admin" in refusal(run(*arguments))
    create_user("--role", "admin", username="root")
    assert run(*arguments).exit_code == 0


def test_who_is_locked_out_is_given_a_secret_that_sets_another_password(store: Store) -> None:
    create_user("--role", "admin")
    first, secret = (run("user", "reset", "ann").stdout.strip() for _ in range(2))
    world = World(store)
    world.clock.at = now()
    redemption = {"new_password": "seven green umbrellas"}

    assert world.client.post("/password/reset", {**redemption, "secret": first}).status == 401
    assert world.client.post("/password/reset", {**redemption, "secret": secret}).status == 204
    assert passwords(Settings()).verify(user(store, "ann").password_hash, "seven green umbrellas")


def test_a_token_names_a_live_session(store: Store) -> None:
    create_user()
    printed = run("token", "ann").stdout.strip()
    claims = jwt.decode(printed, options={"verify_signature": False})
    session = store.session(claims["sid"])
    assert session is not None
    assert session.alive(user(store, "ann"), now())
    assert session.user_id == user(store, "ann").id == claims["sub"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("token", "bob"),
        ("user", "disable", "bob@example.com"),
        ("user", "enable", "bob"),
        ("user", "role", "bob", "admin"),
        ("user", "reset", "bob"),
    ],
)
def test_whom_nobody_knows_is_refused(store: Store, arguments: tuple[str, ...]) -> None:
    assert refusal(run(*arguments)) == "there is no such user"


def test_accounts_wait_for_the_schema() -> None:
    assert "migrations" in refusal(create_user())


def test_migrating_twice_is_migrating_once() -> None:
    assert run("migrate").stdout == run("migrate").stdout == "The schema of sqlite:///tracker.db is up to date.\n"


def test_a_database_that_is_down_is_one_line() -> None:
    with patch.dict("os.environ", DATABASE_URL="postgresql://ann:geheim@127.0.0.1:1/tracker"):
        result = run("migrate")
    refusal(result)
    assert "geheim" not in result.output


def test_unusable_settings_are_one_line_and_exit_code_two() -> None:
    with patch.dict("os.environ", TRACKER_ENV="production", SECRET_KEY="alpha"):
        assert "shorter than 32 bytes" in refusal(run("migrate"), exit_code=2)


def test_the_document_is_printed_as_it_stands_and_is_valid() -> None:
    assert yaml.safe_load(run("openapi").stdout)["openapi"] == "3.0.4"
    assert run("openapi", "--check").stdout == "The document is valid OpenAPI 3.0.4.\n"


def test_a_document_that_is_not_valid_is_refused_at_the_place() -> None:
    with patch("tracker.cli.document.document_bytes", return_value=b"openapi: 3.0.4\ninfo: {title: x}\npaths: {}\n"):
        assert "at /info" in refusal(run("openapi", "--check"))


def test_the_settings_are_listed_for_people() -> None:
    listed = run("settings").stdout
    assert "PORT (default: 8000)\n" in listed
    assert "`" not in listed


def test_the_doctor_names_what_is_missing_and_what_to_do() -> None:
    result = run("doctor")
    assert result.exit_code == 1
    assert "BAD   database: sqlite:///tracker.db does not exist yet; make it with: tracker migrate" in result.stdout
    assert "note  server: nothing answers at http://127.0.0.1:8000" in result.stdout


def test_the_doctor_is_content_with_a_migrated_database(store: Store) -> None:
    result = run("doctor")
    assert result.exit_code == 0
    assert "ok    database: sqlite:///tracker.db answers" in result.stdout


def test_the_doctor_shows_no_secret() -> None:
    secrets = {"SECRET_KEY": "alpha-beta-gamma", "DATABASE_URL": "postgresql://ann:geheim@127.0.0.1:1/tracker"}
    with patch.dict("os.environ", secrets):
        result = run("doctor")
    assert "DATABASE_URL = postgresql://ann:***@127.0.0.1:1/tracker" in result.stdout
    assert "SECRET_KEY = *** (16 bytes)" in result.stdout
    assert "BAD   database" in result.stdout
    assert "geheim" not in result.output
    assert "alpha" not in result.output


@pytest.mark.parametrize(
    ("values", "finding"),
    [
        ({"SECRET_KEY": "a" * 64}, "BAD   SECRET_KEY: long, but not random"),
        ({"SECRET_KEY": "alpha"}, "note  SECRET_KEY: shorter than 32 bytes"),
        ({"HOST": "0.0.0.0"}, "note  HOST: others can reach a development server"),
        ({"AUTH_ENABLE": "False"}, "note  AUTH_ENABLE: whoever reaches this port is an administrator"),
        ({"PORT": "none"}, "BAD   settings: PORT must be a valid integer"),
    ],
)
def test_the_doctor_finds(store: Store, values: dict[str, str], finding: str) -> None:
    with patch.dict("os.environ", values):
        result = run("doctor")
    assert finding in result.stdout
    assert result.exit_code == int(finding.startswith("BAD"))


@pytest.mark.parametrize("command", ["worker", "beat"])
def test_without_a_broker_there_is_no_worker_and_no_beat(command: str) -> None:
    with patch.dict("os.environ", {"SECRET_KEY": "k" * 40}, clear=True):
        refused = CliRunner().invoke(tracker, [command])
    assert refused.exit_code == 2
    assert refused.stderr.splitlines() == [
        "tracker: CELERY_BROKER_URL is not given; without a broker the server does this work itself"
    ]
