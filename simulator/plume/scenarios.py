"""Named customers of the first partner: each shows one thing, and tests call it by name."""

from dataclasses import dataclass

from simulator.plume import hostile
from simulator.plume.plans import Plan


@dataclass(frozen=True)
class Scenario:
    """A customer made by hand. `name` is for code, `customer` what the person is called."""

    name: str
    customer: str
    about: str
    plans: tuple[Plan, ...] = (Plan(),)
    email: str | None = None


def _hostile(name: str, said: str, about: str) -> Scenario:
    plan = Plan(name=said, label=said, ill=(1,), down=(2,))
    return Scenario(name, said, f"{about} in every name", (plan,), f"{name}@example.net")


_FINE = Plan(zone=0, outages=0.0, far=False)
_MANY = tuple(
    Plan(
        label=f"Branch {turn + 1:03}", pods=turn % 3, down=(1,) if turn % 17 == 1 else (), devices=5
    )
    for turn in range(120)
)

_PALACE = Plan(pods=40, devices=60, down=(7, 23), ill=(11,))

_ALL = (
    Scenario("all_fine", "Ada Example", "nothing is wrong", (_FINE,)),
    Scenario("pod_down", "Ben Broken", "one mesh pod is disconnected", (Plan(down=(2,)),)),
    Scenario("gateway_down", "Cleo Cutoff", "no node is up", (Plan(gateway_up=False),)),
    Scenario("pod_fair", "Dora Distant", "a pod is fair, alert poorHealth", (Plan(ill=(1,)),)),
    Scenario("no_service", "Emil Unpaid", "noService: the bill", (Plan(service="noService"),)),
    Scenario("basic_service", "Fay Basic", "basicService", (Plan(service="basicService"),)),
    Scenario("no_service_level", "Gus Silent", "serviceLevel is missing", (Plan(service=None),)),
    Scenario(
        "no_pods",
        "Hana New",
        "nothing is installed yet",
        (Plan(installed=False, pods=0, devices=0, speed_test=None),),
    ),
    Scenario("no_speed_test", "Ivo Untested", "no test ever ran", (Plan(speed_test=None),)),
    Scenario("failed_speed_test", "Jana Failed", "the last failed", (Plan(speed_test="failed"),)),
    Scenario("bridge", "Kai Bridge", "bridge mode", (Plan(mode="bridge"),)),
    Scenario("lte", "Lena Backup", "runs on LTE backup now", (Plan(lte=True),)),
    Scenario(
        "two_locations",
        "Max Twohomes",
        "a home and a cabin; the cabin's pod is down",
        (Plan(), Plan(label="Cabin", pods=1, down=(1,), zone=7)),
    ),
    Scenario("no_locations", "Nora Nowhere", "has no location", ()),
    Scenario("many_locations", "Otto Chain", "120 locations", _MANY),
    Scenario("many_pods", "Pia Palace", "40 pods", (_PALACE,)),
    Scenario("many_devices", "Quin Crowded", "200 devices", (Plan(pods=4, devices=200),)),
    Scenario("flapping", "Rita Flapping", "the line drops many times a day", (Plan(outages=8.0),)),
    Scenario("busy_line", "Sam Streamer", "the line is full", (Plan(line=(50.0, 10.0), load=7.0),)),
    Scenario("pppoe", "Tara Dialler", "PPPoE with a password", (Plan(pppoe=True),)),
    Scenario("dst", "Uma Island", "a time zone whose summer time is half an hour", (Plan(zone=8),)),
    Scenario(
        "no_email", "Vic Nomail", "an e-mail that Plume made up", email="null+9f3ac1@plume.com"
    ),
    _hostile("hostile_markup", hostile.MARKUP, "Markdown"),
    _hostile("hostile_html", hostile.HTML, "HTML"),
    _hostile("hostile_rtl", hostile.RIGHT_TO_LEFT, "right-to-left text"),
    _hostile("hostile_emoji", hostile.EMOJI, "emoji"),
    _hostile("hostile_control", hostile.CONTROL, "control characters"),
    _hostile("hostile_long", hostile.LONG, "more than 60 characters"),
    _hostile("hostile_empty", hostile.EMPTY, "nothing"),
)  # fmt: skip

SCENARIOS: dict[str, Scenario] = {scenario.name: scenario for scenario in _ALL}
"""Name and customer. Their order gives them their index."""
