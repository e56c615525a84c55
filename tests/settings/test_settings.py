"""What the environment may say, and what is made of it."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest

from tests.settings.giving import KEY, given, refusal
from tracker.cli.listing import markdown_table
from tracker.database_url import key_file, without_password
from tracker.environment import Misconfigured, hand_down, is_given
from tracker.keys import kept_key
from tracker.settings import Settings

if TYPE_CHECKING:
    pass

ROOT = Path(__file__).parents[2]


def test_production_starts_with_nothing_but_a_key() -> None:
    settings = given(SECRET_KEY=KEY)
    assert (settings.tracker_env, settings.database_url) == ("production", "sqlite:///tracker.db")
    assert (settings.host, settings.port, settings.auth_enable) == ("127.0.0.1", 8000, True)
    assert 1 <= settings.workers <= 4
    assert settings.allowed_hosts == ("*",)


def test_production_without_a_key_says_how_to_make_one() -> None:
    assert "secrets.token_urlsafe(48)" in refusal()


def test_production_refuses_a_short_key_without_showing_it() -> None:
    text = refusal(SECRET_KEY="alpha")
    assert "shorter than 32 bytes" in text
    assert "secrets.token_urlsafe(48)" in text
    assert "alpha" not in text


def test_development_takes_a_short_key_that_was_given() -> None:
    assert given(SECRET_KEY="alpha", TRACKER_ENV="development").key_is_weak


def test_development_makes_a_key_beside_the_database_and_keeps_it(tmp_path: Path) -> None:
    there = {"TRACKER_ENV": "development", "DATABASE_URL": f"sqlite:///{tmp_path}/tasks.db"}
    first, second = given(**there), given(**there)
    assert first.secret_key == second.secret_key
    assert len(first.secret_key.get_secret_value()) >= 32
    assert (tmp_path / "tracker.key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["tracker.key"]


def test_with_postgresql_the_key_of_development_is_in_the_working_directory() -> None:
    assert key_file("postgresql://localhost/tracker") == Path("tracker.key")


def test_of_many_that_make_the_key_at_once_all_get_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        keys = set(pool.map(kept_key, [tmp_path / "tracker.key"] * 64))
    assert len(keys) == 1


def test_a_damaged_key_of_development_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tracker.key").write_text("")
    assert "remove that file" in refusal(TRACKER_ENV="development")


def test_a_key_that_cannot_be_kept_is_refused() -> None:
    text = refusal(TRACKER_ENV="development", DATABASE_URL="sqlite:///no/such/folder/tasks.db")
    assert "SECRET_KEY" in text


def test_development_answers_local_names_only() -> None:
    assert given(TRACKER_ENV="development").allowed_hosts == ("localhost", "127.0.0.1", "[::1]", "*.localhost")


def test_hosts_are_a_list_with_commas() -> None:
    assert given(SECRET_KEY=KEY, ALLOWED_HOSTS="Tracker.example.com, *.example.org").allowed_hosts == (
        "tracker.example.com",
        "*.example.org",
    )


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("TRACKER_ENV", "staging", "'production' or 'development'"),
        ("DATABASE_URL", "mysql://ann:geheim@db/tracker", "sqlite:/// (and name a file), postgresql:// or mongodb://"),
        ("DATABASE_URL", "sqlite:///:memory:", "in-memory"),
        ("PORT", "0", "greater than or equal to 1"),
        ("PORT", "http", "valid integer"),
        ("WORKERS", "-1", "greater than or equal to 1"),
        ("ALGORITHM", "none", "'HS256', 'EdDSA', 'ES256' or 'RS256'"),
        ("ALGORITHM", "HS512", "'HS256', 'EdDSA', 'ES256' or 'RS256'"),
        ("AUTH_ENABLE", "perhaps", "valid boolean"),
        ("PASSWORD_POLICY", "lax", "'default' or 'strict'"),
        ("LOG_FORMAT", "xml", "'text' or 'json'"),
        ("LOG_LEVEL", "loud", "'debug', 'info', 'warning' or 'error'"),
        ("ACCESS_TOKEN_EXPIRE_MINUTES", "0", "greater than or equal to 1"),
        ("ALLOWED_HOSTS", "https://tracker.example.com", "without scheme or port"),
        ("TRUSTED_PROXIES", "10.0.0.1/8", "networks such as 10.0.0.0/8"),
        ("TRUSTED_PROXIES", "proxy.example.com", "addresses such as"),
        ("CORS_ORIGINS", "https://app.example.com/", "without a path"),
        ("CORS_ORIGINS", "app.example.com", "origins such as https://"),
        ("CORS_ORIGINS", "https://*.example.com", "origins such as https://"),
        ("DEMO_LOGINS", "ann", "logins such as ann:password"),
        ("DEMO_LOGINS", "ann:", "logins such as"),
        ("RATE_LIMIT", "often", "'off' or a rate such as '600/minute'"),
        ("RATE_LIMIT", "10", "'off' or a rate"),
        ("RATE_LIMIT", "10/minute; 100/hour", "'off' or a rate"),
        ("RATE_LIMIT_LOGIN", "10/fortnight", "'off' or a rate"),
        ("RATE_LIMIT_REGISTER", "0/hour", "1 to 1000000 requests in a day at the most"),
        ("RATE_LIMIT_REFRESH", "10/month", "1 to 1000000 requests in a day at the most"),
        ("RATE_LIMIT_PASSWORD", "10000000/hour", "1 to 1000000 requests in a day at the most"),
        ("REDIS_URL", "http://:geheim@cache:6379", "redis://:password@host:6379/0"),
        ("REDIS_URL", "redis://:geheim@cache:6379/0?no_such_option=1", "redis://:password@host:6379/0"),
        ("REDIS_URL", "redis://:geheim@cache:port", "redis://:password@host:6379/0"),
        ("CELERY_BROKER_URL", "http://:geheim@cache:5672", "redis://:password@host:6379/0"),
        ("CELERY_BROKER_URL", "unix:///geheim", "redis://:password@host:6379/0"),
        ("CELERY_BROKER_URL", "amqp://me:geheim@one:5672//;amqp://me:geheim@other:5672//", "rediss://"),
        ("CELERY_BROKER_URL", "amqp://me:geheim@host:port/", "amqps://"),
        ("CELERY_BROKER_URL", "amqp://me:ge/heim@host/", "amqps://"),
        ("CELERY_BROKER_URL", "redis://:geheim@host/tracker", "rediss://"),
        ("CELERY_BROKER_URL", "rediss://:geheim@host/0?ssl_cert_reqs=none", "rediss://"),
    ],
)
def test_a_value_that_is_not_right_is_refused_by_name_and_rule_and_not_shown(name: str, value: str, rule: str) -> None:
    text = refusal(**{"SECRET_KEY": KEY, name: value})
    assert text.startswith(f"{name} must")
    assert rule in text
    assert "geheim" not in text
    assert KEY not in text


@pytest.mark.parametrize(
    "url",
    [
        "amqp://tracker:geheim@rabbit:5672//",
        "amqps://tracker:ge%2Fheim@rabbit.example.com/tracker",
        "amqp://rabbit",
        "redis://:geheim@cache:6379/0",
        "rediss://me:geheim@[2001:db8::7]:6380",
    ],
)
def test_a_broker_is_rabbitmq_or_redis_and_is_shown_without_its_password(url: str) -> None:
    settings = given(SECRET_KEY=KEY, CELERY_BROKER_URL=url)
    assert settings.celery_broker_url == url
    shown = dict(settings.shown())["CELERY_BROKER_URL"]
    assert "heim" not in shown + repr(settings)
    assert shown.startswith(url.partition("://")[0])


def test_all_that_is_wrong_is_said_in_one_line() -> None:
    text = refusal(SECRET_KEY=KEY, PORT="x", WORKERS="y")
    assert "PORT" in text
    assert "WORKERS" in text


@pytest.mark.parametrize(
    ("name", "hint"), [("TRACKER_EVN", "TRACKER_ENV"), ("TRACKER_PORT", "PORT"), ("TRACKER_SECRET_KEY", "SECRET_KEY")]
)
def test_an_unknown_name_of_ours_is_refused_with_the_nearest_known_one(name: str, hint: str) -> None:
    assert refusal(**{"SECRET_KEY": KEY, name: "1"}) == f"{name} is not a setting; did you mean {hint}?"


@pytest.mark.parametrize(
    "link",
    [
        {"TRACKER_SERVICE_HOST": "10.0.0.7", "TRACKER_SERVICE_PORT": "80", "TRACKER_SERVICE_PORT_HTTP": "80"},
        {"TRACKER_PORT": "tcp://10.0.0.7:80", "TRACKER_PORT_80_TCP_ADDR": "10.0.0.7"},
        {"TRACKER_WEB_PORT": "tcp://10.0.0.7:80", "TRACKER_WEB_SERVICE_HOST": "10.0.0.7"},
    ],
)
def test_what_kubernetes_says_of_a_service_called_tracker_is_not_a_mistake(link: dict[str, str]) -> None:
    assert given(SECRET_KEY=KEY, **link).port == 8000


def test_an_empty_value_is_none() -> None:
    assert given(SECRET_KEY=KEY, PORT="", ALLOWED_HOSTS="").port == 8000


def test_a_key_may_be_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{KEY}\n")
    assert given(SECRET_KEY_FILE=str(tmp_path / "key")).secret_key.get_secret_value() == KEY


def test_a_key_and_its_file_are_one_too_many(tmp_path: Path) -> None:
    text = refusal(SECRET_KEY=KEY, SECRET_KEY_FILE=str(tmp_path / "key"))
    assert text == "SECRET_KEY and SECRET_KEY_FILE are both given; one of them has to go"


def test_a_file_that_cannot_be_read_is_named_by_its_setting(tmp_path: Path) -> None:
    assert refusal(SECRET_KEY_FILE=str(tmp_path / "none")).startswith("SECRET_KEY_FILE cannot be read: No such file")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    assert refusal(SECRET_KEY_FILE=str(tmp_path / "binary")) == "SECRET_KEY_FILE cannot be read: not UTF-8"


# Keys of the tokens.


def test_the_environment_goes_before_the_file_in_the_working_directory(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"PORT=9000\nHOST=0.0.0.0\nSECRET_KEY={KEY}\nSOMEBODY_ELSES=1\n")
    settings = given(PORT="9001")
    assert (settings.port, settings.host) == (9001, "0.0.0.0")


def test_a_key_in_the_environment_goes_before_a_key_file_in_the_working_directory(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("SECRET_KEY_FILE=/nowhere\n")
    assert given(SECRET_KEY_FILE="", SECRET_KEY=KEY).secret_key.get_secret_value() == KEY


def test_an_unknown_name_of_ours_in_the_working_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("TRACKER_EVN=development\n")
    assert "did you mean TRACKER_ENV?" in refusal(SECRET_KEY=KEY)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_authentication_may_be_off_on_ones_own_machine(host: str) -> None:
    assert not given(TRACKER_ENV="development", AUTH_ENABLE="False", HOST=host).auth_enable


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"TRACKER_ENV": "production"},
        {"TRACKER_ENV": "development", "HOST": "0.0.0.0"},
        {"TRACKER_ENV": "development", "HOST": "::"},
        {"TRACKER_ENV": "development", "HOST": "tracker.example.com"},
    ],
)
def test_authentication_cannot_be_off_anywhere_else(elsewhere: dict[str, str]) -> None:
    assert refusal(SECRET_KEY=KEY, AUTH_ENABLE="False", **elsewhere).startswith("AUTH_ENABLE=False is only for")


def test_a_production_offers_nobody_a_login() -> None:
    assert refusal(SECRET_KEY=KEY, DEMO_LOGINS="ann:secret").startswith(
        "DEMO_LOGINS is only for TRACKER_ENV=development"
    )
    assert given(TRACKER_ENV="development", DEMO_LOGINS="ann:secret").demo_logins == ("ann:secret",)


def test_neither_the_key_nor_a_password_is_shown_anywhere() -> None:
    settings = given(SECRET_KEY=KEY, DATABASE_URL="postgresql://ann:geheim@db/tracker")
    shown = f"{settings!r} {settings} {dict(settings.shown())}"
    assert KEY not in shown
    assert "geheim" not in shown


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://ann:geheim@db:5432/tracker", "postgresql://ann:***@db:5432/tracker"),
        ("postgresql://ann:ge/h@eim@db/tracker", "postgresql://ann:***@db/tracker"),
        ("postgresql://db/tracker?password=geheim", "postgresql://db/tracker?***"),
        ("postgresql://ann@db/tracker", "postgresql://ann@db/tracker"),
        ("sqlite:///tracker.db", "sqlite:///tracker.db"),
    ],
)
def test_a_database_is_shown_without_its_password(url: str, shown: str) -> None:
    assert without_password(url) == shown


def test_what_is_handed_down_replaces_what_was_given() -> None:
    with patch.dict("os.environ", {"SECRET_KEY_FILE": "/nowhere"}, clear=True):
        hand_down(secret_key=KEY, port=9000)
        assert is_given("SECRET_KEY")
        assert not is_given("HOST")
        assert Settings().port == 9000


def test_a_setting_nobody_knows_is_refused_in_code_too() -> None:
    with pytest.raises(Misconfigured, match="POTR"):
        Settings(secret_key=KEY, potr=1)


def test_metrics_need_a_port_of_their_own() -> None:
    with pytest.raises(Misconfigured, match="METRICS_PORT must be another port than PORT"):
        Settings(secret_key=KEY, port=9000, metrics_port=9000)


def test_every_setting_has_a_meaning_and_a_default_in_words() -> None:
    for name, default, meaning in Settings.table():
        assert meaning.endswith("."), name
        assert "Undefined" not in default, name


def test_the_readme_lists_the_settings_as_they_are() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    listed = re.search(r"<!-- settings -->\n(.*)\n<!-- /settings -->", readme, re.DOTALL)
    assert listed, "README.md has the table between <!-- settings --> and <!-- /settings -->"
    assert listed[1].strip() == markdown_table(), "copy it from: python -m tracker settings --markdown"


def test_the_example_names_only_settings_that_exist() -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    named = {match[1] for line in lines if (match := re.match(r"#?([A-Z_]+)=", line))}
    assert named == {name.upper() for name in Settings.model_fields}
