"""The restart matrix: broker (B), Home Assistant (H) and agent (A), alone and together, by a stop and by a kill."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator, Container, Iterable
from itertools import permutations, product

import pytest
import pytest_asyncio
from _pytest.mark import ParameterSet

from tests.ha.pi import story
from tests.ha.restarts import CLAIMED, EVERY, NOTHING, SPARE, STOPPED, Trio, trio
from tests.ha.rig import HomeAssistant
from tests.rig import Mosquitto

pytestmark = [
    pytest.mark.broker, pytest.mark.ha, pytest.mark.timeout(240), pytest.mark.asyncio(loop_scope="session")
]

MAIN = "pimqtt-matrix"
ORDERS = ["".join(order) for order in permutations("BHA")]
ENDS = ("stopped", "killed")
#: What runs without ``--full``: kills, as an orderly stop of each is part of other rows; and all of them once, Home
#: Assistant back first, while nobody is there.
ALONE = {("A", "killed"), ("B", "killed"), ("H", "killed")}
TOGETHER = {("HBA", "killed")}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def three(
    ha: HomeAssistant, mosquitto: Mosquitto, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Trio]:
    """Give the three."""
    async with trio(ha, mosquitto, tmp_path_factory.mktemp("matrix"), "matrix") as made:
        yield made


def rows(every: Iterable[tuple[object, ...]], short: Container[tuple[object, ...]]) -> list[ParameterSet]:
    """Mark what runs with ``--full`` only."""
    marked = ((row, () if row in short else pytest.mark.full) for row in every)
    return [pytest.param(*row, id="-".join(map(str, row)), marks=marks) for row, marks in marked]


# ---- one of them


@pytest.mark.parametrize(("who", "end"), rows(product("ABH", ENDS), ALONE))
async def test_one_restarts(three: Trio, who: str, end: str) -> None:
    """A power cut leaves the lines as they were until the start; a kill of the broker leaves an older store."""
    clean = end == "stopped"
    await three.arrange()
    await three.stop(who, clean=clean)
    await three.start(who)
    await three.back(NOTHING if who != "A" else STOPPED if clean else CLAIMED)


async def test_only_the_agent_is_killed(three: Trio) -> None:
    await three.arrange()
    await three.end_agent()
    await three.back(NOTHING)


async def test_only_the_supervisor_is_killed(three: Trio) -> None:
    await three.arrange()
    await three.end_supervisor()
    await three.start("A")
    await three.back(STOPPED)


# ---- all of them


@pytest.mark.parametrize(("order", "end"), rows(product(ORDERS, ENDS), TOGETHER))
async def test_all_restart(three: Trio, order: str, end: str) -> None:
    """They end and come back in the same order: whoever comes back last was away for longer than the one before."""
    clean = end == "stopped"
    await three.arrange()
    for who in order:
        await three.stop(who, clean=clean)
    for who in order:
        await three.start(who)
    await three.back(STOPPED if clean else CLAIMED)


@pytest.mark.parametrize("longer", ["H", pytest.param("A", marks=pytest.mark.full)])
async def test_one_is_away_for_longer(three: Trio, longer: str) -> None:
    """The other one ends and is back, connected, in the meantime."""
    await three.arrange()
    other = "HA".replace(longer, "")
    for who in (longer, other):
        await three.stop(who)
    await three.start(other)
    if other == "A":
        await three.online()
    else:
        await three.ha.wait_state(three.pi.entity_id("binary_sensor", "system", "connection"), "off", 30)
    await three.start(longer)
    await three.back(STOPPED)


# ---- the broker has lost what it had retained


@pytest.mark.parametrize("others", ["", *(pytest.param(who, marks=pytest.mark.full) for who in ("A", "H", "AH", "HA"))])
async def test_the_broker_has_forgotten_everything(three: Trio, others: str) -> None:
    await three.arrange()
    for who in ("B", *others):
        await three.stop(who)
    three.store.unlink()
    for who in ("B", *others):
        await three.start(who)
    await three.back(STOPPED if "A" in others else NOTHING, [(device, True) for device in EVERY])


# ---- the will of the old connection comes after the birth of the new one


async def test_an_old_will_under_our_name(three: Trio) -> None:
    """The broker finds the old connection half dead and ends it, as the new one begins."""
    await three.arrange()
    three.wire.hold(MAIN)
    await three.stop("A", clean=False)
    await three.start("A")
    await three.online()
    three.wire.let_go(MAIN)
    await three.back(CLAIMED)


@pytest.mark.full
async def test_an_old_will_under_another_name_comes_late(three: Trio) -> None:
    """The node has another name at the broker since: its old connection lives on until the broker gives it up."""
    await three.arrange()
    three.wire.hold(MAIN)
    await three.stop("A", clean=False)
    three.configure(SPARE, mqtt="client_id: another")
    await three.start("A")
    await three.online()
    async with story(three.ha) as heard:
        relay = three.pi.entity_id("switch", "relay")
        await three.ha.wait_state(relay, "off")
        three.wire.let_go(MAIN)
        await heard.wait(relay, ["unavailable", "off"])
    await three.back(CLAIMED)
    three.extra = ()  # the next row wants the old name


@pytest.mark.full
async def test_a_frozen_agent(three: Trio) -> None:
    """Its supervisor kills it after 20 s."""
    await three.arrange()
    await three.end_agent(signal.SIGSTOP)
    await three.back(NOTHING)


# ---- a device leaves the configuration meanwhile


LEFT, BORN = ("spare", False), ("spare", True)


async def test_a_device_leaves_while_the_node_is_away(three: Trio) -> None:
    await three.arrange()
    await three.stop("A")
    three.configure()
    await three.start("A")
    await three.back(without_spare(STOPPED), [LEFT], gone="spare")


async def test_a_device_leaves_while_the_broker_is_away(three: Trio) -> None:
    await three.arrange()
    await three.stop("B")
    await three.leave()
    await three.start("B")
    await three.back(NOTHING, [LEFT], perhaps=[BORN, LEFT], gone="spare")


async def test_a_device_leaves_while_home_assistant_is_away(three: Trio) -> None:
    """Home Assistant's registry still knows it, so it must hear that it goes."""
    await three.arrange()
    await three.stop("H")
    await three.leave()
    await three.start("H")
    await three.back(NOTHING, [LEFT, BORN, LEFT], gone="spare")


@pytest.mark.full
@pytest.mark.parametrize("order", ORDERS)
async def test_a_device_leaves_while_all_are_away(three: Trio, order: str) -> None:
    await three.arrange()
    for who in "AHB":
        await three.stop(who)
    three.configure()
    for who in order:
        await three.start(who)
    await three.back(without_spare(STOPPED), [LEFT], perhaps=[BORN, LEFT], gone="spare")


async def test_a_broker_brings_a_device_back_that_left(three: Trio) -> None:
    """It comes back with what it had stored before."""
    await three.arrange()
    await three.remember()
    await three.leave()
    await three.back(NOTHING, [LEFT], gone="spare")
    await three.stop("B", clean=False)
    await three.start("B")
    three.older_store = True
    await three.back(NOTHING, [LEFT, LEFT], perhaps=[BORN, LEFT], gone="spare")


def without_spare(pins: dict[int, list[float]]) -> dict[int, list[float]]:
    return {pin: levels for pin, levels in pins.items() if pin != 4}
