"""What is in ``deploy/`` says what it is meant to: no Docker runs here, so the files are read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

DEPLOY = Path(__file__).parents[2] / "deploy"
FILE = DEPLOY / "compose.mongo.yaml"


@pytest.fixture
def mongo() -> dict[str, Any]:
    composed = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    assert set(composed) == {"name", "services", "volumes"}
    assert set(composed["services"]) == {"mongo"}
    service: dict[str, Any] = composed["services"]["mongo"]
    return service


def test_the_mongodb_is_the_replica_set_of_one_that_the_urls_beside_it_name(mongo: dict[str, Any]) -> None:
    begun = " ".join(mongo["healthcheck"]["test"])
    named = re.findall(r"--replSet (\w+)", " ".join(mongo["command"])) + re.findall(r'_id: "(\w+)"', begun)
    written = FILE.read_text(encoding="utf-8")

    assert set(named) == set(re.findall(r"replicaSet=(\w+)", written)) == {"rs0"}
    assert re.findall(r"\{_id: (\d), host: \"([^\"]+)\"\}", begun) == [("0", "127.0.0.1:27017")]
    assert set(re.findall(r"mongodb://([^/]+)/", written)) == {"127.0.0.1:27017"}


def test_the_mongodb_asks_for_no_password_and_so_listens_to_its_own_machine_alone(mongo: dict[str, Any]) -> None:
    assert "--auth" not in mongo["command"]
    assert mongo["ports"] == ["127.0.0.1:27017:27017"]


def test_the_mongodb_keeps_what_it_has_when_it_is_made_anew(mongo: dict[str, Any]) -> None:
    volumes = yaml.safe_load(FILE.read_text(encoding="utf-8"))["volumes"]
    assert [volume.split(":") for volume in mongo["volumes"]] == [[name, "/data/db"] for name in volumes]
