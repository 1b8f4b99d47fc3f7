"""The files for Prometheus and Grafana, as the tests read them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

DEPLOY = Path(__file__).parents[2] / "deploy"
CONFIG = DEPLOY / "prometheus" / "prometheus.yml"
ALERTS = DEPLOY / "prometheus" / "alerts.yml"
DASHBOARD = DEPLOY / "grafana" / "dashboard.json"
ALERT_TESTS = Path(__file__).parent / "alerts_test.yml"


class Query(NamedTuple):
    panel: str
    text: str


def queries() -> Iterator[Query]:
    """Yield what every panel asks, and the variables."""
    board = json.loads(DASHBOARD.read_text())
    for panel in board["panels"]:
        for target in panel.get("targets", ()):
            yield Query(panel["title"], target["expr"])
