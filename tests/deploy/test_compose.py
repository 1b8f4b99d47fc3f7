"""compose.yaml: its form by the Compose specification, and rules of our own."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from app.settings import names
from panoptes_bot.settings import names as bot_names
from tests.deploy.tools import ROOT, changed, documents

COMPOSE = (ROOT / "compose.yaml").read_text()
# Of check-jsonschema 0.39.0, which carries it: github.com/compose-spec/compose-spec, Apache-2.0.
SCHEMA = json.loads((ROOT / "tests" / "deploy" / "compose-spec.json").read_text())
FORM = Draft202012Validator(SCHEMA)
PINNED = re.compile(r"[a-z0-9./-]+:v?\d+\.\d+(\.\d+)?")
PROFILES = {
    "postgres": {"postgres"},
    "redis": {"redis"},
    "prometheus": {"monitoring"},
    "grafana": {"monitoring"},
}
SECRET = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD)$")

Json = Mapping[str, Any]


def _variables(service: Json) -> Json:
    found: Json = service.get("environment", {})
    return found


# What every service has to be, by the sentence that is said of one that is not.
EVERYONE: Mapping[str, Callable[[Json], bool]] = {
    "its root can be written": lambda it: it.get("read_only") is True,
    "it keeps capabilities": lambda it: it.get("cap_drop") == ["ALL"] and "cap_add" not in it,
    "it may gain privileges": lambda it: "no-new-privileges:true" in it.get("security_opt", []),
    "it is privileged": lambda it: not it.get("privileged"),
    "nothing limits its memory": lambda it: "mem_limit" in it,
    "nothing limits its processes": lambda it: "pids_limit" in it,
    "it is not started again": lambda it: it.get("restart") == "unless-stopped",
    "its image has no version": lambda it: bool(PINNED.fullmatch(it.get("image", ""))),
    "nothing tells whether it is well": lambda it: (
        "test" in it.get("healthcheck", {}) or "build" in it  # then the image says it
    ),
    "its log grows for ever": lambda it: "max-size" in it.get("logging", {}).get("options", {}),
    "a port is open beyond this machine": lambda it: all(
        str(port).startswith("127.0.0.1:") for port in it.get("ports", [])
    ),
    "it has the network of the machine": lambda it: "network_mode" not in it,
    "a secret is written into the file": lambda it: all(
        str(value).startswith("${") or str(value) == ""
        for name, value in _variables(it).items()
        if SECRET.search(name)
    ),
    "a folder of the machine can be written": lambda it: all(
        volume.endswith(":ro") for volume in it.get("volumes", []) if volume.startswith(".")
    ),
    "the engine's socket is mounted": lambda it: "docker.sock" not in str(it.get("volumes")),
}


def faults(text: str) -> list[str]:
    """Return what a Compose file must not be, a line each."""
    (parsed,) = documents(text)
    found = [f"form: {it.message}" for it in FORM.iter_errors(parsed)]
    for name, service in parsed["services"].items():
        found += [f"{name}: {rule}" for rule, holds in EVERYONE.items() if not holds(service)]
        if set(service.get("profiles", ())) != PROFILES.get(name, set()):
            found.append(f"{name}: is in other profiles")
    return [*found, *_ours(parsed["services"]), *_named(parsed)]


def _ours(services: Json) -> Iterator[str]:
    service, bot = services["service"], services["bot"]
    if service["image"] != bot["image"]:
        yield "service and bot are two images"
    for name, it in (("service", service), ("bot", bot)):
        if it.get("stop_grace_period") != "40s":
            yield f"{name}: is killed before it has drained"
        unknown = set(_variables(it)) - {*names(), *bot_names()}
        yield from (f"{name}: no setting is called {each}" for each in sorted(unknown))
    if "env_file" in bot or "secrets" in bot:
        yield "bot: has keys that are not its own"
    if set(_variables(bot)) & {"INTERNAL_API_KEY", "ADMIN_API_KEY", "OPENROUTER_API_KEY"}:
        yield "bot: has keys that are not its own"
    if _variables(service).get("ENVIRONMENT") != "production":
        yield "service: listens to others without being in production"
    if not str(_variables(service).get("ENCRYPTION_KEY_FILE")).startswith("/run/secrets/"):
        yield "service: the sealing key is no secret"


def _named(parsed: Json) -> Iterator[str]:
    """Yield what a service uses and nothing defines."""
    for name, service in parsed["services"].items():
        for kind in ("secrets", "networks"):
            for used in set(service.get(kind, ())) - set(parsed[kind]):
                yield f"{name}: {kind} has no {used}"
        volumes = {volume.partition(":")[0] for volume in service.get("volumes", ())}
        for used in {it for it in volumes if it[0] not in "./"} - set(parsed["volumes"]):
            yield f"{name}: volumes has no {used}"
    for name in ("postgres", "redis"):
        inside = parsed["services"][name].get("networks", ["default"])
        if any(not (parsed["networks"].get(it) or {}).get("internal") for it in inside):
            yield f"{name}: others can reach it"


def test_the_compose_file_keeps_the_rules() -> None:
    assert faults(COMPOSE) == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("  read_only: true\n", "", "bot: its root can be written"),
        ("  cap_drop: [ALL]\n", "", "service: it keeps capabilities"),
        ("[no-new-privileges:true]", "[]", "redis: it may gain privileges"),
        ("    mem_limit: 256m\n", "", "bot: nothing limits its memory"),
        ("  pids_limit: 256\n", "", "service: nothing limits its processes"),
        ("restart: unless-stopped", 'restart: "no"', "grafana: it is not started again"),
        ("postgres:17.7", "postgres:latest", "postgres: its image has no version"),
        ("prom/prometheus:v3.5.0", "prom/prometheus", "prometheus: its image has no version"),
        ("options: {max-size: 10m,", "options: {", "bot: its log grows for ever"),
        ("127.0.0.1:8001:", "8001:", "service: a port is open beyond this machine"),
        ("127.0.0.1:9090:", "0.0.0.0:9090:", "prometheus: a port is open beyond this machine"),
        ("${BOT_API_KEY:-}", "hunter2", "bot: a secret is written into the file"),
        ("prometheus:/etc/prometheus:ro", "prometheus:/etc/prometheus", "prometheus: a folder of"),
        ("volumes: [data:/data]", "volumes: [/var/run/docker.sock:/s]", "service: the engine's"),
        ("profiles: [redis]", "profiles: []", "redis: is in other profiles"),
        ("stop_grace_period: 40s", "stop_grace_period: 10s", "bot: is killed before"),
        (
            "    command: [python",
            "    env_file: [.env]\n    command: [python",
            "bot: has keys that",
        ),
        ("ENVIRONMENT: production", "ENVIRONMENT: development", "service: listens to others"),
        ("ENCRYPTION_KEY_FILE: /run", "ENCRYPTION_KEY_FILE: /data", "service: the sealing key"),
        ("SERVICE_URL:", "SERVICE_ADDRESS:", "bot: no setting is called SERVICE_ADDRESS"),
        ("secrets: [encryption_key]", "secrets: [key]", "service: secrets has no key"),
        ("stores: {internal: true}", "stores: {}", "postgres: others can reach it"),
        ("mem_limit: 1g", "mem_limits: 1g", "form: "),
        ("healthcheck:\n      test: [CMD, pg_isready", "x-h:\n      test: [CMD, x", "postgres: no"),
    ],
)
def test_the_rules_catch(old: str, new: str, fault: str) -> None:
    found = faults(changed(COMPOSE, (old, new)))

    assert any(it.startswith(fault) for it in found), found
