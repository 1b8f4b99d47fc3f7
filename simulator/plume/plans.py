"""What is particular about a location."""

from dataclasses import dataclass
from typing import Literal

from simulator.plume.dice import chance, number, pick

Level = Literal["fullService", "basicService", "noService"]


@dataclass(frozen=True)
class Plan:
    """How one location is equipped, and what is wrong with it.

    Pods are numbered from 1; the gateway is 0. `line` is (down, up) in Mbit/s, `load` how much
    of it an evening takes (1: an eighth on average), `outages` how many begin a day.
    `far` lets some devices hear their pod badly.
    `name` is what everything there is called, `service` None where Plume says nothing.
    """

    pods: int = 2
    devices: int = 12
    installed: bool = True
    gateway_up: bool = True
    down: tuple[int, ...] = ()
    ill: tuple[int, ...] = ()
    service: Level | None = "fullService"
    speed_test: Literal["succeeded", "failed"] | None = "succeeded"
    mode: Literal["router", "bridge"] = "router"
    lte: bool = False
    pppoe: bool = False
    zone: int | None = None
    line: tuple[float, float] = (500.0, 100.0)
    load: float = 1.0
    outages: float = 0.04
    far: bool = True
    name: str | None = None
    label: str = "Home"


LINES = ((50.0, 10.0), (100.0, 40.0), (250.0, 50.0), (500.0, 100.0), (1000.0, 1000.0))


def drawn(*words: object) -> Plan:
    """Return the plan of an ordinary location: nine in ten have nothing wrong."""
    fate = chance(*words, "fate")
    usual = Plan(
        pods=number(*words, "pods") % 5,
        devices=3 + number(*words, "devices") % 25,
        line=pick(LINES, *words, "line"),
        load=0.3 + 1.2 * chance(*words, "load"),
    )
    pods, devices, line = max(usual.pods, 1), usual.devices, usual.line
    odd = (
        (0.015, Plan(pods=pods, devices=devices, line=line, gateway_up=False)),
        (0.045, Plan(pods=pods, devices=devices, line=line, down=(1,))),
        (0.075, Plan(pods=pods, devices=devices, line=line, ill=(1,))),
        (0.080, Plan(pods=pods, devices=devices, line=line, service="noService")),
        (0.085, Plan(pods=pods, devices=devices, line=line, service="basicService")),
        (0.090, Plan(installed=False, pods=0, devices=0, speed_test=None)),
        (0.095, Plan(pods=pods, devices=devices, line=line, mode="bridge")),
        (0.100, Plan(pods=pods, devices=devices, line=line, speed_test="failed")),
    )
    return next((plan for limit, plan in odd if fate < limit), usual)
