"""The whole agent, its real processes, on lines of a real kernel and on a real Mosquitto."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from pimqtt_agent.hardware import chardev
from tests.broker.steps import told
from tests.kernel.bench import LATE_S, SAFE, START_S, Bench, Outside
from tests.rig import Mosquitto, Observer, observer

#: The simulated chip of a machine, or a board's own one.
BACKENDS = [
    pytest.param("kernel", marks=pytest.mark.gpiochip("kernel")),
    pytest.param("pi", marks=pytest.mark.gpiochip("pi")),
]


@pytest.fixture(scope="session")
def chip(request: pytest.FixtureRequest) -> str:
    """The path of the chip."""
    return str(request.config.getoption("--gpiochip"))


@pytest.fixture(scope="session")
def label(chip: str) -> str:
    """The label of the chip."""
    return chardev.label(chip)


@pytest.fixture(scope="session")
def outside(chip: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    """What a meter, a resistor and a hand do with the lines."""
    world = Outside(chip, tmp_path_factory.mktemp("outside"))
    yield world
    world.close()


@pytest.fixture(scope="session")
def benches() -> list[Bench]:
    """Every node of the session."""
    return []


@pytest.fixture
def alone(benches: list[Bench]) -> None:
    """Have no other node on the lines; it is started again where it is needed."""
    for bench in benches:
        bench.stop()


@pytest.fixture(scope="session", params=BACKENDS)
def running(
    request: pytest.FixtureRequest,
    label: str,
    outside: Outside,
    benches: list[Bench],
    shared_broker: Mosquitto,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Bench]:
    """One node for the tests of a backend: a start takes a while."""
    folder: Path = tmp_path_factory.mktemp("node")
    with Bench(folder, shared_broker, outside, request.param, label) as bench:
        benches.append(bench)
        yield bench


@pytest.fixture
async def bench(running: Bench) -> Bench:
    """A node that runs with all outputs at rest."""
    running.outside.play("pull")
    running.start()
    async with observer(running.broker.port) as watch:
        await watch.wait("pimqtt/car1/availability", lambda seen: seen.text == "online", START_S)
        await watch.send("pimqtt/car1/stop/set", "OFF")
        stops = (("pump", "OFF"), ("lamp", "OFF"), ("relay", "OFF"), ("glow", "OFF"), ("fan", 0))
        await asyncio.gather(*(stopped(watch, device, value) for device, value in stops))
    await running.outside.until(SAFE, LATE_S)
    running.outside.forget()
    return running


async def stopped(watch: Observer, device: str, value: object) -> None:
    """Send a stop until it is taken: after a start the keeper may not be there yet."""
    for _ in range(40):
        if (await told(watch, device, {"value": value}))["outcome"] == "accepted":
            return
    raise AssertionError(f"{device} does not take a stop")


@pytest.fixture
async def watch(shared_broker: Mosquitto) -> AsyncIterator[Observer]:
    """An observer of everything."""
    async with observer(shared_broker.port) as watcher:
        yield watcher


@pytest.fixture(params=["latch", "pull"])
def rule(request: pytest.FixtureRequest, bench: Bench) -> str:
    """What this kernel does with a released line: it keeps its level, or lets it fall to the pull."""
    if request.param not in bench.outside.rules:
        pytest.skip(f"this kernel's rule is not {request.param}")
    bench.outside.play(request.param)
    return str(request.param)
