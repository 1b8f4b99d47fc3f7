import asyncio
from typing import NamedTuple

from app import texts, words
from app.commands.base import Call, Outcome
from app.commands.networks import wording
from app.commands.networks.base import Rows, button, counted, elsewhere, refusal, rows
from app.commands.networks.reading import ReportCommand, View, drawn, view
from app.errors import PlumeError
from app.network.captions import speed_alt
from app.network.pictures import SpeedPicture
from app.network.report import Unknown
from app.network.speed import SpeedReport
from app.network.speedtest import SpeedReading
from app.panoptes import measuring
from app.panoptes.panoptes import Panoptes
from wire.reply import Button, Image, Reply

MOST_TESTS = 7
MOST_FAILED = 3
SAID: tuple[Unknown, ...] = ("speed_test", "speed_tests")
TEST, YES = "test", "yes"


class Seen(NamedTuple):
    """A report, and whether whoever looks can start a test."""

    report: SpeedReport
    testable: bool


class Speed(ReportCommand[Seen]):
    """`/speed` shows, `/speed test` asks first, `/speed test yes` starts a test.

    The button's `yes` names its location: another one can be chosen before it is pressed.
    """

    name = "speed"
    usage = "[test]"
    summary = "the speed tests of the line, and a new one"

    async def look(self, call: Call, panoptes: Panoptes) -> Outcome:
        match call.words.lower().split():
            case []:
                return await super().look(call, panoptes)
            case ["test"]:
                return await self._ask(await view(call, panoptes))
            case ["test", "yes", *location] if len(location) <= 1:
                return await self._start(await view(call, panoptes), *location)
        return refusal(words.SPEED_USE, "command_usage", rows("speed"))

    async def fetch(self, seen: View) -> Seen:
        report, testable = await asyncio.gather(
            seen.panoptes.reports.speed(seen.sight, seen.place),
            measuring.testable(seen.sight, seen.place),
        )
        return Seen(report, testable)

    def following(self, report: Seen, seen: View) -> Rows:
        new = (button("speed", f"/{self.name} {TEST}", words.TEST_BUTTON),)
        others = rows(self.refresh(), "wan", "stats", "check", "status", elsewhere())
        return (new, *others) if report.testable else others

    async def picture(self, report: Seen, seen: View) -> tuple[Image, ...]:
        if not report.report.tests:
            return ()
        alt = speed_alt(report.report)
        return await drawn(seen, SpeedPicture(report=report.report), alt)

    def word(self, report: Seen, seen: View) -> str:
        found = report.report
        parts = [wording.head(found, seen.place.customer, words.SPEED_TITLE)]
        if found.state == "no_data":
            return "\n\n".join((*parts, words.SPEED_NO_DATA, wording.foot(found, SAID)))
        parts += filter(None, ("\n".join(_last(found)), "\n".join(_usual(found))))
        parts += filter(None, ("\n".join(_latest(found)), _failed(found)))
        parts.append(wording.foot(found))
        return "\n\n".join(parts)

    async def _ask(self, seen: View) -> Outcome:
        _, hindrance = await measuring.readiness(seen.sight, seen.place)
        if hindrance is not None:
            return _hindered(hindrance)
        where = wording.owned(seen.place.location, seen.place.customer)
        yes = f"/{self.name} {TEST} {YES} {seen.place.location_id}"
        start = Button(label=words.TEST_START, send=yes, style="primary")
        text = words.TEST_ASK.format(location=where)
        return Outcome(Reply(response=text, buttons=((start, button("speed")),)))

    async def _start(self, seen: View, location: str | None = None) -> Outcome:
        if location not in {None, seen.place.location_id}:
            return refusal(words.TEST_ELSEWHERE, "location_changed", rows("speed"))
        gateway, hindrance = await measuring.readiness(seen.sight, seen.place)
        if hindrance is not None:
            return _hindered(hindrance)
        result = ((button("speed", label=words.TEST_RESULT),),)
        try:
            await measuring.start(seen.panoptes.access, seen.sight, seen.place, gateway)
        except PlumeError as error:
            if not error.retryable:
                raise
            return refusal(words.TEST_UNSURE.format(reason=error), error.code, result)
        text = words.TEST_STARTED.format(
            location=wording.owned(seen.place.location, seen.place.customer)
        )
        return Outcome(Reply(response=text, buttons=result, actions=("replace",)))


def _hindered(hindrance: measuring.Hindrance) -> Outcome:
    text = words.TEST_HINDERED[hindrance]
    return refusal(text, f"speed_test_{hindrance}", rows("speed", "status"))


def _last(report: SpeedReport) -> list[str]:
    test = report.last
    if test is None:
        return []
    lines = [_reading(test, report)]
    if test.state == "succeeded" and report.is_slow is not None:
        text = words.SPEED_SLOW if report.is_slow else words.SPEED_USUAL_WAY
        share = wording.percent(report.down.last_of_median_percent, 0)
        lines.append(text.format(percent=share))
    if test.is_old:
        lines.append(words.SPEED_OLD)
    return lines


def _reading(test: SpeedReading, report: SpeedReport) -> str:
    text = {
        "succeeded": words.SPEED_LAST,
        "failed": words.SPEED_LAST_FAILED,
        "running": words.SPEED_LAST_RUNS,
        "other": words.SPEED_LAST_OTHER,
        "unknown": words.SPEED_LAST_UNKNOWN,
    }[test.state]
    latency = test.latency_ms
    return text.format(
        down=wording.mbps(test.download_mbps),
        up=wording.mbps(test.upload_mbps),
        latency="" if latency is None else words.SPEED_LATENCY.format(latency=latency),
        time=wording.time_of(test.at, report.zone),
        ago=wording.ago(test.at, report.read_at),
        word=texts.code(test.status or words.UNKNOWN_VALUE),
    )


def _usual(report: SpeedReport) -> list[str]:
    down, up = report.down, report.up
    if not report.tests:
        return []
    lines = [
        words.SPEED_MEDIAN.format(
            tests=counted(len(report.tests), "test"),
            down=wording.mbps(down.median_mbps),
            up=wording.mbps(up.median_mbps),
        )
    ]
    if len(report.tests) > 1:
        lines.append(
            words.SPEED_RANGE.format(
                down_worst=wording.mbps(down.worst_mbps),
                down_best=wording.mbps(down.best_mbps),
                up_worst=wording.mbps(up.worst_mbps),
                up_best=wording.mbps(up.best_mbps),
            )
        )
    if down.trend:
        lines.append(words.SPEED_TRENDS[down.trend])
    return lines


def _latest(report: SpeedReport) -> list[str]:
    lines = [
        words.SPEED_TEST.format(
            time=wording.time_of(test.at, report.zone),
            down=wording.mbps(test.download_mbps),
            up=wording.mbps(test.upload_mbps),
        )
        for test in report.tests[::-1][:MOST_TESTS]
    ]
    return [words.SPEED_TESTS_HEAD, *lines] if lines else []


def _failed(report: SpeedReport) -> str:
    if not report.failed_at:
        return ""
    latest = report.failed_at[::-1][:MOST_FAILED]
    more = len(report.failed_at) - len(latest)
    return words.SPEED_FAILED_HEAD.format(
        count=counted(len(report.failed_at), "test"),
        times=", ".join(wording.time_of(at, report.zone) for at in latest),
    ) + (words.SPEED_MORE_FAILED.format(count=more) if more else "")
