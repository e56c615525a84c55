"""What runs in production may do what it needs, sees whom it needs, and is a version that somebody chose."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.deploy.dockerfile import DOCKERFILE, parsed
from tests.deploy.reading import DEPLOY, KUBERNETES, PRODUCTION, compose, named, objects, services, workloads

if TYPE_CHECKING:
    from tests.deploy.reading import Json

PINNED = re.compile(r"[\w./-]+:v?\d+(\.\d+)*[\w.-]*(@sha256:[0-9a-f]{64})?", re.ASCII)
BUILT_HERE = {"tracker:dev"}
SERVICES = services(PRODUCTION)
WORKLOADS = {each["metadata"]["name"]: (pod, container) for each, pod, container in workloads()}


def images() -> set[str]:
    """Return every image that is named anywhere."""
    found = {stage.base for stage in parsed(DOCKERFILE.read_text(encoding="utf-8"))}
    for file in DEPLOY.glob("compose*.yaml"):
        found |= {service["image"] for service in services(file).values()}
    return (found | {container["image"] for _, container in WORKLOADS.values()}) - BUILT_HERE


@pytest.mark.parametrize("image", sorted(images()))
def test_an_image_names_its_version(image: str) -> None:
    assert PINNED.fullmatch(image)
    assert "latest" not in image


@pytest.mark.parametrize("image", ["postgres", "postgres:latest", "tracker:dev", "registry.example.com:5000/tracker"])
def test_an_image_without_a_version_would_be_found(image: str) -> None:
    assert not PINNED.fullmatch(image)


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_no_more_than_it_needs(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.get("privileged")
    assert service.get("cap_add", []) == (["NET_BIND_SERVICE"] if name == "proxy" else [])
    assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory", "pids"}


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_comes_back_and_says_how_it_is(name: str) -> None:
    service = SERVICES[name]
    assert service["restart"] == ("on-failure:5" if name == "migrate" else "unless-stopped")
    assert service["healthcheck"].get("disable", False) == (name == "migrate")
    assert "user" in service or name == "proxy"


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_service_waits_for_says_that_it_is_there(name: str) -> None:
    for other, how in SERVICES[name].get("depends_on", {}).items():
        once = SERVICES[other]["healthcheck"].get("disable", False)
        assert how == {"condition": "service_completed_successfully" if once else "service_healthy"}


def test_the_proxy_does_not_see_the_database_and_the_world_sees_the_proxy_alone() -> None:
    networks = compose(PRODUCTION)["networks"]
    kept = {"database", "broker", "cache"}
    assert {name for name, service in SERVICES.items() if "ports" in service} == {"proxy"}
    assert all(SERVICES[name]["networks"] == ["back"] for name in kept)
    assert "back" not in SERVICES["proxy"]["networks"]
    assert {name for name, network in networks.items() if (network or {}).get("internal")} == {"front", "back"}


def test_the_broker_forgets_nothing_and_the_cache_keeps_nothing() -> None:
    broker, cache = (" ".join(SERVICES[name]["command"]) for name in ("broker", "cache"))
    assert "--maxmemory-policy noeviction --appendonly yes" in broker
    assert "--maxmemory-policy allkeys-lru" in cache
    assert "--appendonly no" in cache
    assert "volumes" not in SERVICES["cache"]


@pytest.mark.parametrize("name", WORKLOADS)
def test_a_pod_has_no_more_than_it_needs(name: str) -> None:
    pod, container = WORKLOADS[name]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "privileged": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert set(container["resources"]["requests"]) == {"cpu", "memory"}
    assert "memory" in container["resources"]["limits"]


def test_a_rolling_update_takes_nobody_away_before_another_is_ready() -> None:
    for each, _, container in workloads():
        if each["kind"] == "Deployment":
            assert each["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
            assert {"startupProbe", "livenessProbe"} <= set(container)
    web = WORKLOADS["tracker-web"][1]
    assert web["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert web["livenessProbe"]["httpGet"]["path"] == web["startupProbe"]["httpGet"]["path"] == "/livez"


def chosen(selector: Json) -> set[str]:
    """Return the workloads whose pods a selector means."""
    wanted = dict(selector.get("matchLabels", {}))
    either = {each["key"]: each["values"] for each in selector.get("matchExpressions", [])}
    return {
        each["metadata"]["name"]
        for each, _, _ in workloads()
        if wanted.items() <= (labels := each["spec"]["template"]["metadata"]["labels"]).items()
        and all(labels[key] in values for key, values in either.items())
    }


def test_every_selector_means_somebody() -> None:
    for each, pod, _ in workloads():
        name = each["metadata"]["name"]
        if each["kind"] == "Deployment":
            assert chosen(each["spec"]["selector"]) == {name}
        for spread in pod.get("topologySpreadConstraints", []):
            assert chosen(spread["labelSelector"]) == {name}
    assert chosen({"matchLabels": named("Service", "tracker")["spec"]["selector"]}) == {"tracker-web"}
    for budget in (each for each in objects() if each["kind"] == "PodDisruptionBudget"):
        assert chosen(budget["spec"]["selector"]) == {budget["metadata"]["name"]}
    assert named("HorizontalPodAutoscaler", "tracker-web")["spec"]["scaleTargetRef"]["name"] == "tracker-web"


def test_a_pod_may_reach_what_its_settings_name_and_nothing_else() -> None:
    reach: dict[str, set[int]] = {name: set() for name in WORKLOADS}
    denied: Json = {}
    for policy in (each for each in objects() if each["kind"] == "NetworkPolicy"):
        spec = policy["spec"]
        if policy["metadata"]["name"] == "default-deny":
            denied = spec
        for name in chosen(spec["podSelector"]):
            reach[name] |= {port["port"] for rule in spec.get("egress", []) for port in rule["ports"]}
    assert denied == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    names, database, redis, mail = {53}, {5432}, {6379}, {587, 465}
    assert reach == {
        "tracker-web": names | database | redis,
        "tracker-worker": names | database | redis | mail,
        "tracker-beat": names | redis,
        "tracker-migrate": names | database,
    }


def test_the_base_has_every_file_there_is() -> None:
    base = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text(encoding="utf-8"))
    files = {file.name for file in KUBERNETES.glob("*.yaml")} - {"kustomization.yaml"}
    assert set(base["resources"]) == files
    assert len(base["resources"]) == len(files)
