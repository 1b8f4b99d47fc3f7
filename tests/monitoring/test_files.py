"""What dashboard and alerts name is there to be read."""

import json
import re

from app import metrics
from tests.monitoring.files import ALERT_TESTS, ALERTS, DASHBOARD, DEPLOY, queries

NAME = re.compile(r"\barash_[a-z_]+")
# Which samples a metric of each type has, behind its name.
SAMPLES = {
    "counter": ("_total",),
    "gauge": ("",),
    "histogram": ("_bucket", "_count", "_sum"),
}


def defined() -> dict[str, str]:
    """Return the samples that there may be, and the metric of each."""
    return {
        f"{family.name}{suffix}": family.name
        for family in metrics.REGISTRY.collect()
        for suffix in SAMPLES[family.type]
        if family.name.startswith("arash_")
    }


def asked() -> set[str]:
    board = " ".join(query.text for query in queries())
    return {name for text in (board, _expressions()) for name in NAME.findall(text)}


def _expressions() -> str:
    rules = ALERTS.read_text().split("- alert: ")[1:]
    found = [rule.partition("expr: ")[2].partition("\n        labels:")[0] for rule in rules]
    assert all(found)
    return " ".join(found)


def _alerts() -> list[str]:
    return re.findall(r"- alert: (\w+)", ALERTS.read_text())


def test_every_metric_that_is_asked_for_is_defined() -> None:
    assert asked() - defined().keys() == set()


def test_every_metric_that_is_defined_is_looked_at() -> None:
    samples = defined()

    assert set(samples.values()) - {samples[name] for name in asked() if name in samples} == set()


def test_every_alert_is_seen_to_fire() -> None:
    told = ALERT_TESTS.read_text()

    assert [name for name in _alerts() if f'alertname="{name}"' not in told] == []


def test_every_alert_says_what_to_do() -> None:
    alerts = ALERTS.read_text().split("- alert: ")[1:]

    assert [it for it in alerts if 'do: "' not in it or 'summary: "' not in it] == []


def test_every_panel_asks_the_datasource_that_is_provisioned() -> None:
    board = json.loads(DASHBOARD.read_text())
    source = (DEPLOY / "grafana/provisioning/datasources/prometheus.yml").read_text()
    panels = [panel for panel in board["panels"] if panel["type"] != "row"]

    named = {target["datasource"]["uid"] for panel in panels for target in panel["targets"]}
    assert named == {"prometheus"}
    assert "uid: prometheus\n" in source


def test_no_two_panels_lie_on_each_other() -> None:
    board = json.loads(DASHBOARD.read_text())
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        at = panel["gridPos"]
        cells = {
            (at["x"] + right, at["y"] + down) for right in range(at["w"]) for down in range(at["h"])
        }
        assert at["x"] + at["w"] <= 24
        assert not taken & cells, panel["title"]
        taken |= cells
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
