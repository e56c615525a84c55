"""Every setting: what it may be, what it is by default, and what it means. All are read at once, and never again."""

from __future__ import annotations

import ipaddress
import os
import re
from enum import StrEnum
from functools import cached_property
from pathlib import Path  # noqa: TC003 - pydantic reads the annotations
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, ValidationInfo, model_validator
from pydantic_settings import BaseSettings, InitSettingsSource, SettingsConfigDict

from tracker import mongo_address, values
from tracker.database_url import database_url, key_file, without_password
from tracker.domain.user import PasswordPolicy
from tracker.environment import ENV_FILE, Misconfigured, given
from tracker.keys import WEAK_BELOW, KeyRing, UnusableKey, kept_key, key_ring, signing_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic_settings import PydanticBaseSettingsSource

_MAKE_A_KEY = 'python -c "import secrets; print(secrets.token_urlsafe(48))"'
_NOT_ITS_ALGORITHM = "ALGORITHM does not fit the key in SIGNING_KEY_FILE; leave it out, and it is that of the key"
_NO_SIGNING_KEY = (
    "ALGORITHM must be HS256 unless SIGNING_KEY_FILE names a key; make one with: "
    "openssl genpkey -algorithm ed25519 -out signing_key.pem"
)


class Environment(StrEnum):
    """``development`` trades safety for comfort on one's own machine; ``production`` never does."""

    PRODUCTION = "production"
    DEVELOPMENT = "development"


def _in_lower_case(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _split_at_commas(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _database(url: str, info: ValidationInfo) -> str:
    return database_url(url, info.data.get("mongo_db"))


def _default_database(given: dict[str, Any]) -> str:
    if lacking := mongo_address.missing(given):
        raise Misconfigured(f"{' and '.join(lacking)} must be given too, or DATABASE_URL instead of them all")
    return mongo_address.made_of(given) or "sqlite:///tracker.db"


def _default_workers() -> int:
    return min(len(os.sched_getaffinity(0)), 4) if hasattr(os, "sched_getaffinity") else 1


def _default_drain(given: dict[str, Any]) -> float:
    return 0.0 if given["tracker_env"] is Environment.DEVELOPMENT else 5.0


def _default_hosts(given: dict[str, Any]) -> tuple[str, ...]:
    local = ("localhost", "127.0.0.1", "[::1]", "*.localhost")
    return local if given["tracker_env"] is Environment.DEVELOPMENT else ("*",)


def _default_key(given: dict[str, Any]) -> SecretStr:
    if given["tracker_env"] is not Environment.DEVELOPMENT:
        raise Misconfigured(f"SECRET_KEY is needed unless TRACKER_ENV=development; make one with: {_MAKE_A_KEY}")
    try:
        key = kept_key(key_file(given["database_url"]))
    except OSError as problem:
        raise Misconfigured(f"SECRET_KEY is not given, and none can be kept: {problem.strerror}") from None
    if len(key) < WEAK_BELOW:
        raise Misconfigured("SECRET_KEY is not given, and the one in tracker.key is damaged; remove that file")
    return SecretStr(key)


def _default_algorithm(given: dict[str, Any]) -> str:
    try:
        return signing_key(given["signing_key_file"]).algorithm if given["signing_key_file"] else "HS256"
    except UnusableKey as unusable:
        raise Misconfigured(str(unusable)) from None


Choice = BeforeValidator(_in_lower_case)
Listed = BeforeValidator(_split_at_commas)
Hosts = Annotated[tuple[str, ...], BeforeValidator(_split_at_commas), AfterValidator(values.host_names)]
Rate = Annotated[str, Choice, AfterValidator(values.rate)]


def setting(default: object, meaning: str, **more: Any) -> Any:
    """Declare a setting with its default (or what it is by default, in words) and its meaning for the README."""
    if callable(default):
        return Field(default_factory=default, description=meaning, **more)
    return Field(default, description=meaning, validate_default=True, **more)


def _otherwise(words: str) -> dict[str, Any]:
    return {"json_schema_extra": {"otherwise": words}}


class Settings(BaseSettings):
    """The settings of one process. A member's name in upper case is the name of its variable."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_file=ENV_FILE, case_sensitive=True, hide_input_in_errors=True
    )

    tracker_env: Annotated[Environment, Choice] = setting(
        Environment.PRODUCTION,
        "`production` or `development` (one's own machine: makes a key, takes local hosts only).",
    )
    mongo_user: str | None = setting(
        None,
        "With the next three what Atlas hands out: together they stand for a `DATABASE_URL` that is not given.",
        **_otherwise("none"),
    )
    mongo_password: SecretStr | None = setting(
        None, "See `MONGO_USER`. `MONGO_PASSWORD_FILE` names a file that holds it.", **_otherwise("none")
    )
    mongo_cluster: Annotated[str, AfterValidator(mongo_address.cluster)] | None = setting(
        None, "See `MONGO_USER`: a host such as `cluster0.abcde.mongodb.net`.", **_otherwise("none")
    )
    mongo_db: Annotated[str, AfterValidator(mongo_address.database_name)] | None = setting(
        None,
        "See `MONGO_USER`: the name of the database; also for a `DATABASE_URL` of MongoDB that names none.",
        **_otherwise("none"),
    )
    mongo_allow_standalone: bool = setting(
        default=False,
        meaning="`True` takes a MongoDB that is no replica set, and so has no transactions; see docs/stores.md.",
    )
    database_url: Annotated[str, AfterValidator(_database)] = setting(
        _default_database,
        "`sqlite:///file`, `postgresql://user:password@host/name` or `mongodb://user:password@host/name` (or "
        "`mongodb+srv://…`). `DATABASE_URL_FILE` names a file that holds it.",
        repr=False,
        **_otherwise("`sqlite:///tracker.db`"),
    )
    host: str = setting("127.0.0.1", "The address to listen at; `0.0.0.0` is every address of the machine.")
    port: int = setting(8000, "The port to listen at.", ge=1, le=65535)
    workers: int = setting(
        _default_workers, "How many server processes.", ge=1, le=64, **_otherwise("one per core, at most 4")
    )
    drain_seconds: float = setting(
        _default_drain,
        "How many seconds `tracker serve` goes on answering after SIGTERM, while `/readyz` says that it will stop: so "
        "long that a proxy asks twice.",
        ge=0,
        le=300,
        **_otherwise("`5`; in development `0`"),
    )
    secret_key: SecretStr = setting(
        _default_key,
        "Seals cursors, and signs the tokens unless `SIGNING_KEY_FILE` does: 32 bytes or more, the same everywhere. "
        "`SECRET_KEY_FILE` names a file that holds it.",
        **_otherwise("none; in development one is made and kept in `tracker.key` beside the SQLite file"),
    )
    old_secret_keys: Annotated[tuple[SecretStr, ...], Listed] = setting(
        (),
        "Comma-separated keys that signed tokens before `SECRET_KEY`, or will after it: they verify, and sign nothing. "
        "`OLD_SECRET_KEYS_FILE` names a file that holds them.",
        **_otherwise("none"),
    )
    signing_key_file: Path | None = setting(
        None,
        "A PEM file with the private key that signs the tokens: Ed25519, P-256, or RSA of 2048 bits or more.",
        **_otherwise("none; `SECRET_KEY` signs"),
    )
    verification_key_files: Annotated[tuple[Path, ...], Listed] = setting(
        (),
        "Comma-separated PEM files with the keys, private or public, that signed before `SIGNING_KEY_FILE`, or will "
        "after it: they verify, and sign nothing.",
        **_otherwise("none"),
    )
    algorithm: Literal["HS256", "EdDSA", "ES256", "RS256"] = setting(
        _default_algorithm,
        "How the tokens are signed: `HS256` with `SECRET_KEY`; `EdDSA`, `ES256` or `RS256`, whichever is that of the "
        "key in `SIGNING_KEY_FILE`.",
        **_otherwise("`HS256`; with `SIGNING_KEY_FILE` that of the key"),
    )
    access_token_expire_minutes: int = setting(10, "How long an access token is good for.", ge=1, le=1440)
    auth_enable: bool = setting(
        default=True,
        meaning="`False` lets every request act as a local administrator; only in development, on a loopback `HOST`.",
    )
    require_if_match: bool = setting(
        default=False,
        meaning="`True` takes changes of what there is only with `If-Match`: nobody overwrites what they never saw.",
    )
    demo_logins: Annotated[tuple[str, ...], Listed, AfterValidator(values.logins)] = setting(
        (),
        "Comma-separated `name:password` that `/docs` offers to everybody: for a demo.",
        repr=False,
        **_otherwise("none"),
    )
    password_policy: Annotated[PasswordPolicy, Choice] = setting(
        PasswordPolicy.DEFAULT,
        "`default` (8 to 128 characters) or `strict` (15 or more, and none that is often guessed).",
    )
    log_format: Annotated[Literal["auto", "text", "json"], Choice] = setting(
        "auto", "`text`, `json`, or `auto`: text on a terminal and JSON elsewhere; a line for each event."
    )
    log_level: Annotated[Literal["debug", "info", "warning", "error"], Choice] = setting(
        "info", "`debug`, `info`, `warning` or `error`."
    )
    allowed_hosts: Hosts = setting(
        _default_hosts,
        "Comma-separated host names that are answered, `*.example.com` for all below, `*` for any; others get a 400.",
        **_otherwise("any; in development the local names"),
    )
    trusted_proxies: Annotated[tuple[str, ...], Listed, AfterValidator(values.networks)] = setting(
        (),
        "Comma-separated addresses and networks (`10.0.0.0/8`) of proxies: who they say they speak for, in "
        "`X-Forwarded-For` and `X-Forwarded-Proto`, is believed.",
        **_otherwise("none"),
    )
    cors_origins: Annotated[tuple[str, ...], Listed, AfterValidator(values.origins)] = setting(
        (),
        "Comma-separated origins (`https://app.example.com`) whose pages may call this API from a browser; `*` is any.",
        **_otherwise("none"),
    )
    rate_limit: Rate = setting(
        "1200/minute", "How often a user may ask, or an address without a valid token: `600/minute`, `5/second`, `off`."
    )
    rate_limit_login: Rate = setting(
        "10/15 minutes",
        "How often one name may be tried from one address; ten times as often from all addresses, and all names from "
        "one address.",
    )
    rate_limit_register: Rate = setting(
        "20/hour", "How often one address may register somebody, and how often one name may be registered."
    )
    rate_limit_refresh: Rate = setting(
        "60/minute", "How often one address may refresh tokens, and how often one refresh token may be tried."
    )
    rate_limit_password: Rate = setting(
        "10/15 minutes", "How often one user may ask for another password or e-mail address, or try a one-time secret."
    )
    archive_done_after_days: int | None = setting(
        None,
        "After how many days a done task is archived, where its project says nothing: `0` is at once.",
        ge=0,
        le=3650,
        **_otherwise("none; only where the project says so"),
    )
    due_soon_hours: int = setting(24, "How many hours before a deadline those are told whom it concerns.", ge=1, le=720)
    smtp_url: Annotated[str, AfterValidator(values.smtp_url)] | None = setting(
        None,
        "`smtp://user:password@host:587` (STARTTLS) or `smtps://…`: where mail goes, at most one a minute and person. "
        "`SMTP_URL_FILE` names a file that holds it.",
        repr=False,
        **_otherwise("none; nobody gets mail"),
    )
    mail_from: Annotated[str, AfterValidator(values.mailbox)] | None = setting(
        None, "Who mail comes from: `Tracker <tracker@example.com>`; needed with `SMTP_URL`.", **_otherwise("none")
    )
    redis_url: Annotated[str, AfterValidator(values.redis_url)] | None = setting(
        None,
        "`redis://:password@host:6379/0`: where all processes count rate limits and remember answers together. While "
        "it does not answer, each does so by itself. `REDIS_URL_FILE` names a file that holds it.",
        repr=False,
        **_otherwise("none; each process counts and remembers by itself"),
    )
    cache: Annotated[Literal["on", "off"], Choice] = setting(
        "on", "`on` or `off`: whether lists and summaries are remembered until something they show changes."
    )
    metrics_port: int | None = setting(
        None,
        "The port, at `HOST`, where `tracker serve`, `worker` or `beat` answers Prometheus for all of its processes.",
        ge=1,
        le=65535,
        **_otherwise("none; nobody is answered"),
    )
    celery_broker_url: Annotated[str, AfterValidator(values.broker_url)] | None = setting(
        None,
        "`amqp://user:password@host:5672/vhost` (RabbitMQ) or `redis://:password@host:6379/0`, or the same with "
        "`amqps://` or `rediss://`: what `tracker beat` and `tracker worker` meet at. `CELERY_BROKER_URL_FILE` names a "
        "file that holds it.",
        repr=False,
        **_otherwise("none; the server does that work itself"),
    )
    heartbeat_file: Annotated[Path, AfterValidator(values.heartbeat_file)] | None = setting(
        None,
        "A file that `tracker worker` or `tracker beat` touches every few seconds, one for each: `tracker health "
        "--heartbeat` says whether it gets on.",
        **_otherwise("none"),
    )

    def __init__(self, **given: Any) -> None:
        """Read the environment, with ``given`` before it; raise Misconfigured where that does not work out."""
        try:
            super().__init__(**given)
        except ValidationError as wrong:
            raise Misconfigured("; ".join(_complaints(wrong))) from None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is pydantic's
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - likewise
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - likewise
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is given in code, then the environment, then ``.env``; in each, a setting and its ``_FILE`` are one."""
        return init_settings, InitSettingsSource(settings_cls, given(cls.model_fields))

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        if not self.auth_enable and not (self.development and is_loopback(self.host)):
            raise Misconfigured("AUTH_ENABLE=False is only for TRACKER_ENV=development with a loopback HOST")
        if self.demo_logins and not self.development:
            raise Misconfigured("DEMO_LOGINS is only for TRACKER_ENV=development: everybody is shown them")
        if self.key_is_weak and not self.development:
            raise Misconfigured(f"SECRET_KEY is shorter than {WEAK_BELOW} bytes; make one with: {_MAKE_A_KEY}")
        if self.algorithm != self.key_ring.signing.algorithm:
            raise Misconfigured(_NOT_ITS_ALGORITHM if self.signing_key_file else _NO_SIGNING_KEY)
        return self

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.smtp_url and not self.mail_from:
            raise Misconfigured("MAIL_FROM is needed with SMTP_URL; for example: Tracker <tracker@example.com>")
        if self.metrics_port == self.port:
            raise Misconfigured("METRICS_PORT must be another port than PORT")
        return self

    @cached_property
    def key_ring(self) -> KeyRing:
        """The keys of the access tokens, read once."""
        try:
            return key_ring(
                self.secret_key.get_secret_value(),
                signing_file=self.signing_key_file,
                verification_files=self.verification_key_files,
                old_secrets=[key.get_secret_value() for key in self.old_secret_keys],
            )
        except UnusableKey as unusable:
            raise Misconfigured(str(unusable)) from None

    @property
    def development(self) -> bool:
        """Whether this is somebody's own machine."""
        return self.tracker_env is Environment.DEVELOPMENT

    @property
    def key_is_weak(self) -> bool:
        """Whether the key is shorter than HS256 asks for (RFC 7518, section 3.2); only development gets this far."""
        return len(self.secret_key.get_secret_value().encode()) < WEAK_BELOW

    def shown(self) -> Iterator[tuple[str, str]]:
        """Yield (name, value as it may be shown) for each setting: no key, no password."""
        for name in type(self).model_fields:
            yield name.upper(), _as_shown(name, getattr(self, name))

    @classmethod
    def table(cls) -> Iterator[tuple[str, str, str]]:
        """Yield (name, default, meaning) for each setting, in Markdown."""
        for name, field in cls.model_fields.items():
            extra = field.json_schema_extra
            otherwise = extra.get("otherwise") if isinstance(extra, dict) else None
            yield f"`{name.upper()}`", str(otherwise or f"`{field.default}`"), field.description or ""


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens there."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _as_shown(name: str, value: object) -> str:
    if isinstance(value, SecretStr):
        return f"*** ({len(value.get_secret_value().encode())} bytes)"
    if isinstance(value, tuple):
        return ", ".join(_as_shown(name, one) for one in value)
    return without_password(str(value)) if name.endswith("_url") else str(value)


def _complaints(wrong: ValidationError) -> Iterator[str]:
    for error in wrong.errors(include_url=False, include_context=False, include_input=False):
        if error["type"] != "default_factory_not_called":
            rule = re.sub(r"^(Value error, |Input should )", "", error["msg"]).replace("be ", "must be ", 1)
            yield f"{str(error['loc'][0]).upper()} {rule.replace('must must', 'must')}"
