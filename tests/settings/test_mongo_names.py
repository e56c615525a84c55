"""A MongoDB by the names that Atlas hands out, or by DATABASE_URL; its password is shown nowhere."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch
from urllib.parse import unquote, urlsplit

import pytest
from click.testing import CliRunner
from pymongo.uri_parser import parse_uri

from tests.servers import HOST
from tests.settings.giving import KEY
from tracker.cli import tracker
from tracker.cli.server import free_port
from tracker.database_url import without_password
from tracker.environment import Misconfigured
from tracker.settings import Settings

if TYPE_CHECKING:
    pass

FOUR = {
    "MONGO_USER": "ann",
    "MONGO_PASSWORD": "c4nary",
    "MONGO_CLUSTER": "cluster0.abcde.example.net",
    "MONGO_DB": "tracker",
}
HARD = "c4nary@/:%?#[]&=+ é'\"\\"


def given(**values: str) -> Settings:
    with patch.dict("os.environ", {"SECRET_KEY": KEY, **values}, clear=True):
        return Settings()


def refusal(**values: str) -> str:
    with pytest.raises(Misconfigured) as refused:
        given(**values)
    text = str(refused.value)
    assert "\n" not in text
    assert "c4nary" not in text
    return text


def test_the_four_names_make_an_address() -> None:
    settings = given(**FOUR)
    assert settings.database_url == "mongodb+srv://ann:c4nary@cluster0.abcde.example.net/tracker"


@pytest.mark.parametrize(("user", "password"), [(HARD, HARD), ("a:b@c", "%41"), ("ann@example.com", "p/../q?w=0")])
def test_who_and_with_which_password_reach_the_driver_to_the_letter(user: str, password: str) -> None:
    url = given(**{**FOUR, "MONGO_USER": user, "MONGO_PASSWORD": password}).database_url
    address = urlsplit(url)
    assert (address.hostname, address.path, address.query, address.fragment) == (
        FOUR["MONGO_CLUSTER"],
        "/tracker",
        "",
        "",
    )
    assert (unquote(address.username or ""), unquote(address.password or "")) == (user, password)
    parsed = parse_uri(url.replace("mongodb+srv", "mongodb"))  # whose servers are found by asking no name server
    assert (parsed["username"], parsed["password"], parsed["database"]) == (user, password, "tracker")


@pytest.mark.parametrize("left_out", FOUR)
def test_three_of_the_four_are_refused_with_the_name_of_the_other(left_out: str) -> None:
    assert left_out in refusal(**{name: value for name, value in FOUR.items() if name != left_out})


def test_the_password_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "password").write_text(f"{HARD}\n", encoding="utf-8")
    names = {name: value for name, value in FOUR.items() if name != "MONGO_PASSWORD"}
    address = urlsplit(given(**names, MONGO_PASSWORD_FILE=str(tmp_path / "password")).database_url)
    assert unquote(address.password or "") == HARD


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MONGO_CLUSTER", "ann:c4nary@cluster0.abcde.example.net"),
        ("MONGO_CLUSTER", "mongodb+srv://cluster0.abcde.example.net"),
        ("MONGO_CLUSTER", "cluster0.abcde.example.net/other?tls=false"),
        ("MONGO_DB", "a/b"),
        ("MONGO_DB", "tracker?w=0"),
        ("MONGO_DB", "$admin"),
        ("DATABASE_URL", "mongodb://"),
        ("DATABASE_URL", "mongodb://ann:c4nary@host"),
        ("DATABASE_URL", "mongo://ann:c4nary@host/tracker"),
    ],
)
def test_what_is_no_address_is_refused_by_name_and_not_shown(name: str, value: str) -> None:
    assert name in refusal(**{**(FOUR if name != "DATABASE_URL" else {}), name: value})


@pytest.mark.parametrize(
    "names",
    [
        FOUR,
        {**FOUR, "MONGO_PASSWORD": HARD},
        {"DATABASE_URL": "mongodb://ann:c4nary%40@h1:27017,h2:27018/tracker?replicaSet=rs0"},
        {"DATABASE_URL": "mongodb+srv://ann:c4nary@cluster0.abcde.example.net/tracker?authSource=c4nary"},
    ],
)
def test_no_password_is_in_what_settings_show(names: dict[str, str]) -> None:
    settings = given(**names)
    shown = [repr(settings), str(settings), repr(list(settings.shown())), without_password(settings.database_url)]
    assert not any("c4nary" in text for text in shown)


@pytest.mark.parametrize("command", [["doctor"], ["doctor", "--repair"], ["migrate"], ["serve"]])
def test_no_password_is_in_what_commands_say_or_log_of_a_server_that_is_not_there(
    command: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    url = f"mongodb://ann:c4nary%40%2F@{HOST}:{free_port(HOST)}/tracker?authSource=admin"
    with patch.dict("os.environ", {"SECRET_KEY": KEY, "DATABASE_URL": url}, clear=True):
        said = CliRunner().invoke(tracker, command)

    assert said.exit_code == 1
    assert "mongodb://ann:***@" in said.output or "does not answer" in said.output
    assert "c4nary" not in said.output + caplog.text + repr(said.exception)
