"""A simulated Plume Cloud: sign-in, Customer API, Reports API, LTE service, and their faults.

    world = PlumeWorld(now=clock)                       # `now` is told the time; default: ours
    async with serve(create_plume(world)) as base:      # tests/servers.py
        where = addresses(base)                         # .sso .api .reports .lte
        ...                                             # sign in with PARTNER.header, PARTNER.id

    home = world.place("pod_down")                      # names are those of SCENARIOS
    home.id, home.customer.id                           # what paths want
    world.fail("*/nodes", "error:503", times=2)         # FAULTS says what there is; ALWAYS
    world.switches.envelope = "bare"                    # `Switches` says what there is
    world.of("/api/*/nodes"), world.writes, world.sign_ins
    world.secrets()                                     # what must be found nowhere

`python -m simulator` serves it below `/plume`, its switchboard at `/_sim/plume`.
"""

from simulator.plume.app import Addresses, addresses, create_plume, plume_routes
from simulator.plume.faults import ALWAYS, FAULTS
from simulator.plume.partners import CLOUD, OTHER_PARTNER, PARTNER, Partner
from simulator.plume.people import Customer, Place
from simulator.plume.scenarios import SCENARIOS
from simulator.plume.switches import Switches
from simulator.plume.world import Call, PlumeWorld

__all__ = [
    "ALWAYS",
    "CLOUD",
    "FAULTS",
    "OTHER_PARTNER",
    "PARTNER",
    "SCENARIOS",
    "Addresses",
    "Call",
    "Customer",
    "Partner",
    "Place",
    "PlumeWorld",
    "Switches",
    "addresses",
    "create_plume",
    "plume_routes",
]
