"""What is measured."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scenario:
    """`model` tells the upstream what to do; see `bench.upstream`. Times are seconds."""

    name: str
    about: str
    model: str
    connections: int
    stream: bool = False
    warm: float = 1.0
    seconds: float = 4.0
    turns: int = 20  # of a conversation, then a new one begins

    def quick(self) -> "Scenario":
        # The upstream's second must fit twice.
        seconds = 2.5 if self.model.startswith("mock-d1000") else 1.5
        return Scenario(
            self.name, self.about, self.model, self.connections, self.stream, seconds, seconds
        )


# Those of one model stand together: the service is started anew for each.
SCENARIOS = (
    Scenario("ns1", "one at a time", "mock-d0", 1),
    Scenario("ns64", "64 at once: the core is full", "mock-d0", 64, warm=1.5, seconds=5),
    Scenario("mid64", "64 at once, the model takes 50 ms", "mock-d50", 64),
    Scenario("ttfc1", "streamed, one at a time", "mock-d0-t4-i2", 1, stream=True),
    Scenario("st64", "64 streams of 100 chunks/s", "mock-d0-t64-i10", 64, stream=True, warm=1.5),
    Scenario(
        "st256",
        "256 streams of 20 chunks/s",
        "mock-d0-t64-i50",
        256,
        stream=True,
        warm=5,
        seconds=7,
    ),
    Scenario("hold1000", "1,000 wait on a model of 1 s", "mock-d1000", 1000, warm=4, seconds=6),
    # The last: some need long to get over it.
    Scenario("ns1000", "1,000 at once: no collapse", "mock-d0", 1000, warm=4, seconds=6),
)
