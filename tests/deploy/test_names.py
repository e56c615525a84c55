"""Dockerfile, Compose and Kubernetes name commands, settings, ports, paths and files that there are."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from typing import TYPE_CHECKING
from unittest.mock import patch

import click
import pytest
import yaml
from pydantic import SecretStr

from tests.deploy.dockerfile import DOCKERFILE, parsed
from tests.deploy.reading import (
    DEPLOY,
    DEVELOPMENT,
    IMAGE,
    KUBERNETES,
    PRODUCTION,
    ROOT,
    Process,
    compose,
    named,
    of_tracker,
    processes,
    services,
    workloads,
)
from tracker import worker
from tracker.cli import tracker
from tracker.settings import Environment, Settings

if TYPE_CHECKING:
    from pathlib import Path

PROCESSES = list(processes())
PORT = Settings.model_fields["port"].default
each_process = pytest.mark.parametrize("process", PROCESSES, ids=lambda process: process.where)


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that ``make-secrets`` makes, somewhere else."""
    folder = tmp_path_factory.mktemp("deploy")
    script = folder / "make-secrets"
    script.write_bytes((DEPLOY / "make-secrets").read_bytes())
    subprocess.run(["sh", script], check=True, env={"PATH": os.defpath}, capture_output=True)
    return folder / "secrets"


def as_read(process: Process, secrets: Path, folder: Path) -> Settings:
    """Return the settings of a process, with the files of its secrets where they are here."""
    here = {
        name: re.sub(r"^/run/secrets/(tracker/)?", f"{secrets}/", value) for name, value in process.environment.items()
    }
    if process.environment.get("TRACKER_ENV") == Environment.DEVELOPMENT:
        here["SECRET_KEY"] = "k" * 40  # which it keeps in its volume
    with patch.dict("os.environ", here, clear=True), pytest.MonkeyPatch.context() as patched:
        patched.chdir(folder)
        return Settings()


def understood(arguments: list[str]) -> None:
    """Raise what is wrong with a command line, without running it."""
    name, *rest = arguments
    command = tracker.get_command(click.Context(tracker), name)
    assert command is not None, name
    command.make_context(name, rest)


@each_process
def test_every_setting_exists_and_can_have_its_value(process: Process, secrets: Path, tmp_path: Path) -> None:
    settings = as_read(process, secrets, tmp_path)
    given = {name.lower() for name, _ in settings.shown()}
    for name in process.environment:
        assert name.lower() in given or name.removesuffix("_FILE").lower() in given, name


@each_process
def test_every_secret_comes_from_the_file_that_holds_it(process: Process, secrets: Path, tmp_path: Path) -> None:
    settings = as_read(process, secrets, tmp_path)
    for name, value in process.environment.items():
        if value.startswith("/run/secrets/"):
            setting = name.removesuffix("_FILE").lower()
            read = getattr(settings, setting)
            held = (secrets / value.rpartition("/")[2]).read_text(encoding="utf-8").strip()
            assert held == (read.get_secret_value() if isinstance(read, SecretStr) else read)


@each_process
def test_every_command_line_is_understood(process: Process) -> None:
    understood(process.arguments)


def test_the_image_runs_the_command_line() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    (program,) = IMAGE.only("ENTRYPOINT").command
    assert program in scripts
    understood(IMAGE.only("CMD").command)


def health_checks() -> list[tuple[str, list[str]]]:
    """Return who runs which process, and what says how it is."""
    found = [("serve", IMAGE.health_check)]
    for file in (PRODUCTION, DEVELOPMENT):
        for service in of_tracker(file).values():
            check = service["healthcheck"]
            found += [] if check.get("disable") else [(service["command"][0], check["test"][1:])]
    for _, _, container in workloads():
        probes = [container[kind] for kind in ("startupProbe", "livenessProbe") if kind in container]
        found += [(container["args"][0], probe["exec"]["command"]) for probe in probes if "exec" in probe]
    return found


@pytest.mark.parametrize(("command", "check"), health_checks())
def test_a_server_is_asked_and_a_heartbeat_is_looked_at(command: str, check: list[str]) -> None:
    program, *arguments = check
    assert program == "tracker"
    understood(arguments)
    assert ("--heartbeat" in arguments) == (command in {"worker", "beat"})


def test_who_has_a_heartbeat_shows_it() -> None:
    for process in PROCESSES:
        assert ("HEARTBEAT_FILE" in process.environment) == (process.command in {"worker", "beat"}), process.where


def test_every_process_that_production_needs_is_run() -> None:
    for kind in ("compose.yaml", "tracker-"):
        run = {process.command for process in PROCESSES if process.where.startswith(kind)}
        assert run == {"serve", "worker", "beat", "migrate"}


def test_probes_ask_what_the_contract_answers() -> None:
    paths = set(yaml.safe_load((ROOT / "spec" / "openapi.yaml").read_text(encoding="utf-8"))["paths"])
    asked = {
        probe["httpGet"]["path"]
        for _, _, container in workloads()
        for kind, probe in container.items()
        if kind.endswith("Probe") and "httpGet" in probe
    }
    asked |= set(re.findall(r"health_uri (\S+)", (DEPLOY / "Caddyfile").read_text(encoding="utf-8")))
    assert asked == {"/livez", "/readyz"} <= paths


def test_everybody_means_the_same_port() -> None:
    (_, _, web) = next(found for found in workloads() if found[2]["name"] == "web")
    ports = {port["name"]: port["containerPort"] for port in web["ports"]}
    metrics = {process.environment["METRICS_PORT"] for process in PROCESSES if "METRICS_PORT" in process.environment}
    assert ports == {"http": PORT, "metrics": int(*metrics)}
    assert IMAGE.only("EXPOSE").rest == str(PORT)
    assert services(DEVELOPMENT)["web"]["ports"] == [f"127.0.0.1:{PORT}:{PORT}"]
    assert not [process.where for process in PROCESSES if {"PORT", "HOST"} & set(process.environment)]


def test_the_proxy_knows_every_web_process() -> None:
    caddyfile = (DEPLOY / "Caddyfile").read_text(encoding="utf-8")
    (upstreams,) = re.findall(r"\{\$UPSTREAMS:([^}]*)\}", caddyfile)
    web = [name for name, service in of_tracker(PRODUCTION).items() if service["command"] == ["serve"]]
    assert upstreams.split() == [f"{name}:{PORT}" for name in web]
    assert len(web) == 2
    assert set(services(PRODUCTION)["proxy"]["environment"]) <= set(re.findall(r"\{\$(\w+):", caddyfile))


def test_the_proxy_and_nobody_else_is_believed_about_clients() -> None:
    (front,) = compose(PRODUCTION)["networks"]["front"]["ipam"]["config"]
    for name in ("web-1", "web-2"):
        assert services(PRODUCTION)[name]["environment"]["TRUSTED_PROXIES"] == front["subnet"]
    assert {name for name, service in services(PRODUCTION).items() if "front" in service["networks"]} == {
        "proxy",
        "web-1",
        "web-2",
    }


def test_everybody_means_the_same_user() -> None:
    uid, _, gid = IMAGE.only("USER").rest.partition(":")
    assert min(int(uid), int(gid)) >= 10_000
    assert {service["user"] for service in of_tracker(PRODUCTION).values()} == {f"{uid}:{gid}"}
    for each, pod, _ in workloads():
        context = pod["securityContext"]
        ids = {context["runAsUser"], context["runAsGroup"], context["fsGroup"]}
        assert ids == {int(uid)} == {int(gid)}, each["metadata"]["name"]


def test_the_secrets_that_are_made_are_those_that_are_named(secrets: Path) -> None:
    made = {file.name for file in secrets.iterdir()}
    declared = compose(PRODUCTION)["secrets"]
    assert {name: f"./secrets/{name}" for name in made} == {name: secret["file"] for name, secret in declared.items()}
    for name, service in services(PRODUCTION).items():
        used = set(re.findall(r"/run/secrets/(\w+)", f"{service.get('command')} {service.get('environment')}"))
        assert used == set(service.get("secrets", ())), name


def test_each_url_that_is_made_leads_to_a_service_with_its_password(secrets: Path) -> None:
    def read(name: str) -> str:
        return (secrets / name).read_text(encoding="utf-8").strip()

    database, broker, cache = (
        read("database_password"),
        *(read(f"{name}_configuration").removeprefix("requirepass ") for name in ("broker", "cache")),
    )
    assert len({database, broker, cache, read("secret_key")}) == 4
    assert read("database_url") == f"postgresql://tracker:{database}@database:5432/tracker"
    assert (read("celery_broker_url"), read("redis_url")) == (
        f"redis://:{broker}@broker:6379/0",
        f"redis://:{cache}@cache:6379/0",
    )
    assert {"database", "broker", "cache"} <= set(services(PRODUCTION))
    assert secrets.stat().st_mode & 0o077 == 0


def test_secrets_are_made_once(secrets: Path) -> None:
    before = {file.name: file.read_text(encoding="utf-8") for file in secrets.iterdir()}
    again = subprocess.run(
        ["sh", secrets.parent / "make-secrets"], check=False, env={"PATH": os.defpath}, capture_output=True
    )
    assert again.returncode == 1
    assert {file.name: file.read_text(encoding="utf-8") for file in secrets.iterdir()} == before
    assert [path.name for path in secrets.parent.iterdir() if path.name.startswith("secrets.")] == []


def test_the_secret_of_kubernetes_is_said_to_have_what_is_read_of_it() -> None:
    read = {
        value.rpartition("/")[2]
        for value in named("ConfigMap", "tracker")["data"].values()
        if value.startswith("/run/secrets/tracker/")
    }
    page = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    assert set(re.findall(r"--from-file=(\w+)=", page)) == read
    assert not any(KUBERNETES.glob("*secret*"))


def test_a_worker_has_time_for_what_it_is_at_and_the_web_for_requests() -> None:
    for name, service in of_tracker(PRODUCTION).items():
        seconds = int(service.get("stop_grace_period", "10s").removesuffix("s"))
        assert seconds >= {"worker": worker._LONGEST + 5, "serve": 30}.get(service["command"][0], 10), name
    graces = {container["name"]: pod["terminationGracePeriodSeconds"] for _, pod, container in workloads()}
    assert graces["worker"] >= worker._LONGEST + 5
    assert graces["web"] >= 30 + 5


def test_what_is_watched_lies_where_the_image_has_it() -> None:
    version = re.match(r"python:(\d+\.\d+)", parsed(DOCKERFILE.read_text(encoding="utf-8"))[0].base)
    assert version is not None
    package = f"/venv/lib/python{version[1]}/site-packages/tracker"
    for service in of_tracker(DEVELOPMENT).values():
        watched = {each["path"]: each.get("target") for each in service["develop"]["watch"]}
        assert (watched["../tracker"], watched["../spec/openapi.yaml"]) == (package, f"{package}/openapi.yaml")
        assert all((DEPLOY / path).exists() for path in watched)


def test_the_image_is_named_by_the_version_of_its_content() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    images = {service["image"] for service in of_tracker(PRODUCTION).values()}
    images |= {container["image"] for _, _, container in workloads()}
    assert images == {f"tracker:{version}"}
