"""Lines that another program holds, and a chip that comes back under another number."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.broker.steps import told
from tests.hardware.worlds import OwnChip
from tests.kernel.bench import KERNEL_FIRST, LAMP, LATE_S, PUMP, START_S, Bench, begin, configuration, other_program
from tests.lines import SimulatedLines
from tests.rig import Mosquitto, Node, Observer

pytestmark = pytest.mark.broker
#: A device that was away is tried every second.
AGAIN_S = 1.5


@KERNEL_FIRST
async def test_a_line_that_another_program_holds(bench: Bench, watch: Observer, chip: str) -> None:
    bench.stop()
    since = len(watch.seen)
    with other_program(chip, PUMP):
        bench.start()
        await watch.wait("pimqtt/car1/availability", lambda seen: seen.text == "online", START_S, since)
        await watch.wait("pimqtt/car1/pump/availability", lambda seen: seen.text == "offline", START_S, since)
        refused = await told(watch, "pump", {"value": "ON"})
        assert (refused["code"], refused["reason"]) == ("unavailable", "'ON': line 17 is held by \"intruder\"")
        assert (await told(watch, "lamp", {"value": "ON"}))["outcome"] == "accepted"
        assert (bench.outside.level(PUMP), bench.outside.level(LAMP)) == (1, 1), "each is its holder's"
        assert 'line 17 is held by "intruder"' in bench.node.log.read_text()
        since = len(watch.seen)
    await bench.outside.until({PUMP: 0}, AGAIN_S + LATE_S)
    await watch.wait("pimqtt/car1/pump/availability", lambda seen: seen.text == "online", since=since)
    assert (await told(watch, "pump", {"value": "ON"}))["outcome"] == "accepted"
    assert bench.outside.level(PUMP) == 1


@pytest.mark.full
async def test_safe_names_who_holds_a_line_and_makes_the_others_safe(bench: Bench, watch: Observer, chip: str) -> None:
    await told(watch, "lamp", {"value": "ON"})
    bench.outside.play("latch")
    bench.freeze_and_kill_all()
    with other_program(chip, PUMP):
        done = bench.safe()
        assert done.returncode == 1
        assert done.stderr == 'pump: line 17 is held by "intruder"\n'
        assert (bench.outside.level(PUMP), bench.outside.level(LAMP)) == (1, 0)


@pytest.mark.gpiochip("own")
async def test_a_chip_that_comes_back_under_another_number(
    shared_broker: Mosquitto, watch: Observer, tmp_path: Path
) -> None:
    devices = "\n  - {id: horn, kind: switch, pin: 'extra:3'}\n"
    text = configuration(shared_broker.port, "backend: kernel, chips: {extra: tests-extra}", devices)
    node = Node(tmp_path / "node", text.replace("node: car1", "node: car2"), name="car2")
    with OwnChip("tests-extra") as extra, OwnChip("tests-other", live=False) as other:
        begin(node)
        try:
            await watch.wait("pimqtt/car2/availability", lambda seen: seen.text == "online", START_S)
            assert (await horn(watch, "ON"))["outcome"] == "accepted"
            first = extra.path
            assert SimulatedLines(first).level(3) == 1
            since = len(watch.seen)
            extra.live(on=False)
            assert (await horn(watch, "OFF"))["code"] == "unavailable"
            await watch.wait("pimqtt/car2/horn/availability", lambda seen: seen.text == "offline", 20, since)
            other.live(on=True)
            assert other.path == first, "it takes the number"
            extra.live(on=True)
            assert extra.path != first
            await watch.wait("pimqtt/car2/horn/availability", lambda seen: seen.text == "online", 20, since)
            assert (await horn(watch, "ON"))["outcome"] == "accepted"
            assert (SimulatedLines(extra.path).level(3), SimulatedLines(first).level(3)) == (1, 0)
        finally:
            node.__exit__(None, None, None)


async def horn(watch: Observer, value: str) -> dict[str, Any]:
    """Command the other node; return the result."""
    since = len(watch.seen)
    await watch.send("pimqtt/car2/horn/set", {"value": value, "id": "1", "owner": f"at {since}"})
    seen = await watch.wait("pimqtt/car2/horn/result", lambda s: s.json()["id"] == "1", since=since)
    content: dict[str, Any] = seen.json()
    return content
