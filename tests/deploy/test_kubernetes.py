"""deploy/kubernetes: the form by Kubernetes' own schemas, and what a restricted pod is."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]
import pytest

from app.settings import names
from panoptes_bot.settings import names as bot_names
from tests.deploy.tools import DEPLOY, changed, documents

FOLDER = DEPLOY / "kubernetes"
FILES = {file.name: file.read_text() for file in sorted(FOLDER.glob("*.yaml"))}
USER = 10001

Json = Mapping[str, Any]


def faults(files: Mapping[str, str]) -> list[str]:
    """Return what the manifests must not be, a line each."""
    (plan,) = documents(files["kustomization.yaml"])
    named = {(it["kind"], it["metadata"]["name"]): it for it in _documents(files)}
    unlisted = set(files) - set(plan["resources"]) - {"kustomization.yaml", "secret.yaml"}
    found = [f"{name}: is not in kustomization.yaml" for name in sorted(unlisted)]
    if "secret.yaml" in plan["resources"]:
        found.append("secret.yaml: an empty one would replace the real one")
    for (kind, name), document in named.items():
        if kind == "Secret" and any(document["stringData"].values()):
            found.append(f"{name}: holds a value")
        if kind == "Deployment":
            found += [f"{name}: {fault}" for fault in _pod(document["spec"]["template"]["spec"])]
    return [*found, *_whole(named)]


def _documents(files: Mapping[str, str]) -> Iterator[Json]:
    for name, text in files.items():
        if name != "kustomization.yaml":
            yield from documents(text)


def misshapen(files: Mapping[str, str]) -> list[str]:
    """Return the kinds of what is not of the form that Kubernetes takes."""
    found = []
    for document in _documents(files):
        try:
            latest = kubernetes_validate.latest_version()
            kubernetes_validate.validate(document, latest, strict=True)
        except kubernetes_validate.ValidationError:
            found.append(document["kind"])
    return found


def _pod(pod: Json) -> Iterator[str]:
    """Yield what the profile `restricted` forbids, and a little more."""
    own = pod.get("securityContext", {})
    there = {volume["name"] for volume in pod.get("volumes", [])}
    holds = {
        "runs as root": not own.get("runAsNonRoot") or own.get("runAsUser") != USER,
        "may make any system call": own.get("seccompProfile") != {"type": "RuntimeDefault"},
        "has a key of the cluster": pod.get("automountServiceAccountToken") is not False,
        "is killed before it has drained": pod.get("terminationGracePeriodSeconds", 30) < 40,
    }
    yield from (fault for fault, it_does in holds.items() if it_does)
    for container in [*pod.get("initContainers", []), *pod["containers"]]:
        yield from _container(container, there)


def _container(container: Json, volumes: set[str]) -> Iterator[str]:
    context = container.get("securityContext", {})
    mounted = {mount["name"] for mount in container.get("volumeMounts", [])}
    holds = {
        "its root can be written": not context.get("readOnlyRootFilesystem"),
        "may gain privileges": context.get("allowPrivilegeEscalation") is not False,
        "keeps capabilities": context.get("capabilities", {}).get("drop") != ["ALL"],
        "nothing limits its memory": "memory" not in container["resources"].get("limits", {}),
        "its image has no version": ":latest" in container["image"],
        "mounts what is not there": bool(mounted - volumes),
    }
    return (fault for fault, it_does in holds.items() if it_does)


def _whole(named: Mapping[tuple[str, str], Json]) -> Iterator[str]:
    service, bot = (
        named["Deployment", "arash"]["spec"],
        named["Deployment", "arash-telegram"]["spec"],
    )
    (container,) = service["template"]["spec"]["containers"]
    probes = {"startupProbe": "live", "livenessProbe": "live", "readinessProbe": "ready"}
    for probe, path in probes.items():
        if container.get(probe, {}).get("httpGet", {}).get("path") != f"/health/{path}":
            yield f"arash: {probe} does not ask /health/{path}"
    if service["replicas"] < 2 or ("PodDisruptionBudget", "arash") not in named:
        yield "arash: an update of a node stops the service"
    if bot["replicas"] != 1 or bot["strategy"]["type"] != "Recreate":
        yield "arash-telegram: two bots may run at once"
    if (
        named["Namespace", "arash"]["metadata"]["labels"].get("pod-security.kubernetes.io/enforce")
        != "restricted"
    ):
        yield "arash: the namespace allows every pod"
    closed = named.get(("NetworkPolicy", "nothing"), {}).get("spec", {})
    if closed.get("podSelector") != {} or closed.get("policyTypes") != ["Ingress", "Egress"]:
        yield "arash: everybody reaches everything"
    own = {it["name"] for it in bot["template"]["spec"]["containers"][0]["env"]}
    settings = {
        *named["ConfigMap", "arash-settings"]["data"],
        *named["Secret", "arash-keys"]["stringData"],
    }
    for unknown in sorted((settings - {*names()}) | (own - {*bot_names()})):
        yield f"no setting is called {unknown}"


def test_the_manifests_keep_the_rules() -> None:
    assert faults(FILES) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "fault"),
    [
        ("service.yaml", "replicas: 2", "replicas: 1", "arash: an update"),
        ("service.yaml", "runAsNonRoot: true", "runAsNonRoot: false", "arash: runs as root"),
        ("service.yaml", "seccompProfile: {type: RuntimeDefault}", "", "arash: may make any"),
        ("service.yaml", "automountServiceAccountToken: false", "", "arash: has a key"),
        ("service.yaml", "Seconds: 45", "Seconds: 20", "arash: is killed before"),
        ("service.yaml", "readOnlyRootFilesystem: true", "", "arash: its root can"),
        ("service.yaml", "{drop: [ALL]}", "{drop: [NET_RAW]}", "arash: keeps capabilities"),
        ("service.yaml", "limits: {memory: 1Gi}", "limits: {cpu: 1}", "arash: nothing limits"),
        ("service.yaml", "/health/ready", "/health", "arash: readinessProbe"),
        ("service.yaml", "- name: tmp\n", "- name: temp\n", "arash: mounts what"),
        ("bot.yaml", "replicas: 1", "replicas: 2", "arash-telegram: two bots"),
        ("bot.yaml", "{type: Recreate}", "{type: RollingUpdate}", "arash-telegram: two bots"),
        ("bot.yaml", "SERVICE_NETWORK_IS_PRIVATE", "PRIVATE", "no setting is called PRIVATE"),
        ("bot.yaml", "image: arash-panoptes", "image: a:latest", "arash-telegram: its image"),
        ("secret.yaml", 'BOT_API_KEY: ""', "BOT_API_KEY: abc", "arash-keys: holds a value"),
        ("settings.yaml", "LOG_FORMAT", "LOG_SHAPE", "no setting is called LOG_SHAPE"),
        ("namespace.yaml", "enforce: restricted", "enforce: baseline", "arash: the namespace"),
        (
            "network.yaml",
            "policyTypes: [Ingress, Egress]",
            "policyTypes: [Ingress]",
            "arash: every",
        ),
        ("kustomization.yaml", "  - network.yaml\n", "", "network.yaml: is not in"),
        ("kustomization.yaml", "resources:\n", "resources:\n  - secret.yaml\n", "secret.yaml: an"),
    ],
)
def test_the_rules_catch(file: str, old: str, new: str, fault: str) -> None:
    found = faults(FILES | {file: changed(FILES[file], (old, new))})

    assert any(it.startswith(fault) for it in found), found


def test_the_manifests_are_of_the_form_that_kubernetes_takes() -> None:
    assert misshapen(FILES) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [("replicas: 2", 'replicas: "two"'), ("periodSeconds: 2", "periodSecond: 2")],
)
def test_another_form_is_caught(old: str, new: str) -> None:
    broken = changed(FILES["service.yaml"], (old, new))

    assert misshapen({"service.yaml": broken}) == ["Deployment"]


def test_every_file_of_the_plan_is_there() -> None:
    (plan,) = documents(FILES["kustomization.yaml"])

    assert [name for name in plan["resources"] if not Path(FOLDER / name).is_file()] == []
