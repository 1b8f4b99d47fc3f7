"""What a present look alone does not show: the backup line, and outages that are over."""

from datetime import timedelta

from app.network.check import check
from app.network.incidents import location_incidents
from app.network.status import location_status
from app.network.uptime import online_history
from app.plume.models import Outage
from tests.network.test_check import card
from tests.network.worlds import NOW, gateway, location, pod, samples

OUTAGE = Outage.model_validate({"start": "2026-11-20T15:04:00Z", "end": "2026-11-20T15:11:00Z"})


def test_a_gateway_on_its_backup_line_is_not_fine() -> None:
    report = location_status(location(), [gateway(backhaulType="lte"), pod()], NOW)

    assert (report.state, report.severity) == ("degraded", "major")
    assert [(each.code, each.reading) for each in report.causes] == [("on_backup", "lte")]


def test_a_backup_line_explains_a_line_that_is_full() -> None:
    report = card([gateway(backhaulType="lte")], rate=99.0)

    assert [each.code for each in report.findings] == ["on_backup", "line_full_down"]


def test_a_location_without_equipment_is_not_called_fine() -> None:
    report = card([])

    assert report.likely is not None
    assert (report.verdict, report.likely.code) == ("minor", "no_equipment")
    assert "status" not in report.fine


def test_an_outage_that_is_over_is_told() -> None:
    before = Outage.model_validate({"start": "2026-11-19T08:00:00Z", "end": "2026-11-19T08:20:00Z"})
    incidents = location_incidents(
        location(), NOW, outages=[OUTAGE, before], reboots=[], uptime=None
    )

    report = check(
        location(), NOW, status=location_status(location(), [gateway()], NOW), wan=None,
        uptime=None, wifi=None, devices=None, speed=None, incidents=incidents,
    )  # fmt: skip

    (found,) = report.findings
    assert (found.code, found.reading, found.detail) == ("outages", 2, 27 * 60)
    assert found.at == OUTAGE.start
    assert "incidents" not in report.fine


def test_a_quarter_of_an_hour_is_unsteady_once_where_an_outage_explains_it() -> None:
    values = ["online"] * 97
    values[72] = "intermittent"  # 15:00
    values[40] = "intermittent"  # 07:00
    uptime = online_history(location(), samples(values), NOW, "24h")

    report = location_incidents(location(), NOW, outages=[OUTAGE], reboots=[], uptime=uptime)

    assert [(each.kind, each.start) for each in report.events] == [
        ("outage", OUTAGE.start),
        ("intermittent", NOW - timedelta(hours=14)),
    ]
