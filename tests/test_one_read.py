"""What one read of the socket brings at once: the order in which it reaches the pins, and what never does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from pimqtt_agent.keeper import messages as wire
from tests.node_bench import Agent

CAR = {
    "id": "car", "kind": "drive", "left": {"forward": 5, "backward": 6}, "right": {"forward": 13, "backward": 19},
    "deadman": 0.5,
}  # fmt: skip
FAN = {"id": "fan", "kind": "motor", "forward": 23, "backward": 24, "deadman": 0.5}
LAMP = {"id": "lamp", "kind": "switch", "pin": 27}
EYE = {"id": "eye", "kind": "camera", "source": "synthetic"}


Start = Callable[..., Any]


@pytest.fixture
async def agent(tmp_path: Path) -> AsyncIterator[Start]:
    started: list[Agent] = []

    async def start(*specs: dict[str, Any]) -> Agent:
        started.append(Agent(tmp_path, *specs))
        for keeper in started[-1].keepers.values():
            keeper.link.start()
        await started[-1].settle()
        return started[-1]

    yield start
    for one in started:
        for keeper in one.keepers.values():
            keeper.close()


def forward(owner: str = "me", **more: Any) -> tuple[str, Any]:
    return "car/set", {"value": {"x": 0, "y": 1}, "owner": owner, **more}


@pytest.mark.parametrize("topic", ["pimqtt/stop/set", "stop/set", "car/stop/set"])
async def test_motion_that_was_read_before_an_emergency_stop_is_never_done_after_its_reset(
    agent: Start, topic: str
) -> None:
    running = await agent(CAR)
    await running.read(forward(id="m"), (topic, "ON"), (topic, "OFF"))
    assert [running.levels(line) for line in (5, 6, 13, 19)] == [[0]] * 4
    (refused,) = running.results("car")
    assert {"id": "m", "outcome": "rejected", "code": "latched", "owner": "me"}.items() <= refused.items()
    assert "'y': 1" in refused["reason"]
    await running.read(forward())  # its next renewal would undo the stop
    assert [result["code"] for result in running.results("car")] == ["let_go"]
    await running.read(forward("you", id="y"))
    assert [result["outcome"] for result in running.results("car")] == ["accepted"]
    assert running.levels(5) == [0, 1]


async def test_so_is_motion_that_came_before_our_marker(agent: Start) -> None:
    running = await agent(CAR, LAMP)
    running.session.replaying = True
    await running.read(forward(), ("lamp/set", "ON"), ("stop/set", "ON"), ("stop/set", "OFF"), forward("you"))
    assert running.results("car") == []
    running.session.replaying, held = False, running.session.held
    running.session.replayed(held)
    await running.settle()
    assert [(result["owner"], result["code"]) for result in running.results("car")] == [("me", "latched")]
    assert running.levels(5) == [0, 1]  # what came after the reset
    assert running.levels(27) == [0]


async def test_a_stop_of_one_device_leaves_what_waits_for_others(agent: Start) -> None:
    running = await agent(CAR, FAN, LAMP)
    await running.read(
        forward(), ("fan/set", 50), ("lamp/set", "ON"), ("car/limit/set", 40), ("car/stop/set", "ON"),
        ("car/stop/set", "OFF"),
    )  # fmt: skip
    assert [result["code"] for result in running.results("car")] == ["latched"]
    assert (running.levels(5), running.levels(23), running.levels(27)) == ([0], [0, 0.5], [0, 1])
    assert ("pimqtt/car1/car/limit/state", "40") in running.wire.told  # a setting: no stop changes it


async def test_a_level_that_was_read_before_it_stays_off_and_its_own_stop_is_still_done(agent: Start) -> None:
    running = await agent(LAMP, {**LAMP, "id": "horn", "pin": 4})
    await running.read(("horn/set", "ON"))
    await running.read(
        ("lamp/set", {"value": "ON", "id": "a"}), ("horn/set", {"value": "OFF", "id": "b"}), ("stop/set", "ON"),
        ("stop/set", "OFF"), ("lamp/set", {"value": "ON", "id": "c"}),
    )  # fmt: skip
    assert [(told["id"], told["code"]) for told in running.results("lamp")] == [("a", "latched"), ("c", None)]
    assert [told["outcome"] for told in running.results("horn") if told["id"] == "b"] == ["accepted"]
    assert (running.levels(27), running.levels(4)) == ([0, 1], [0, 1, 0])


@pytest.mark.parametrize("stopper", ["me", "you"])
async def test_motion_that_was_read_before_its_stop_is_dropped(agent: Start, stopper: str) -> None:
    running = await agent(CAR)
    await running.read(forward(id="m"), ("car/set", {"value": "stop", "owner": stopper}))
    (refused,) = running.results("car")
    assert (refused["id"], refused["code"]) == ("m", "stale")
    assert "'y': 1" in refused["reason"]
    assert running.levels(5)[1:] in ([], [0])
    await running.read(forward(id="n"))
    codes = [result["code"] for result in running.results("car")]
    assert codes == ([None] if stopper == "me" else ["let_go"])  # who was stopped by another lets go first


async def test_who_sent_the_safe_value_before_an_emergency_stop_has_let_go(agent: Start) -> None:
    running = await agent(CAR)
    still = {"value": {"x": 0, "y": 0}, "owner": "me", "ttl": 0.2}
    await running.read(("car/set", still), ("stop/set", "ON"), ("stop/set", "OFF"))
    await running.read(forward(id="next"))
    assert [result["code"] for result in running.results("car")] == ["latched", None]


async def test_levels_do_not_wait_for_a_camera_that_does_not_answer(agent: Start) -> None:
    running = await agent(LAMP, EYE)
    await running.read(*[("eye/snapshot/set", "PRESS")] * 150, ("lamp/set", {"value": "ON", "id": "l"}))
    assert [result["outcome"] for result in running.results("lamp")] == ["accepted"]
    assert running.levels(27) == [0, 1]
    assert running.results("eye/snapshot") == []
    presses = [message for message in running.keepers["eye"].asked if isinstance(message, wire.Press)]
    assert len(presses) == 100  # the rest stays here
    await asyncio.sleep(0.35)
    running.intake.pump()
    await running.settle()
    told = running.results("eye/snapshot")
    assert {result["code"] for result in told} == {"unavailable"}
    assert len(told) == 150
    assert all("'PRESS'" in result["reason"] for result in told)


async def test_a_repeat_is_known_after_very_many_other_commands(agent: Start) -> None:
    running = await agent({**LAMP, "ttl": {"default": 5}})
    await running.read(("lamp/set", {"value": "ON", "id": "first"}), qos=1)
    (first,) = running.results("lamp")
    for number in range(60):
        many = [("lamp/set", {"value": "ON", "ttl": 9, "id": f"{number}-{n}"}) for n in range(50)]
        await running.read(*many, qos=1)
    assert len(running.results("lamp")) == 3000
    leases = len(running.keepers[""].asked)
    await running.read(("lamp/set", {"value": "ON", "id": "first"}), qos=1)
    assert running.results("lamp") == [first]
    assert len(running.keepers[""].asked) == leases


@pytest.mark.parametrize(
    ("topic", "payload", "code"),
    [
        ("nobody/set", '{"value": NaN, "id": "q"}', "invalid"),
        ("nobody/set", '{"value": "ON", "tll": 5, "id": "q"}', "invalid"),
        ("nobody/set", '{"value": "ON", "id": "q"}', "unknown"),
        ("nobody/set", "x" * 70_000, "unknown"),
        ("system/reboot/set", '{"value": "PRESS", "ttl": "x", "id": "q"}', "invalid"),
        ("system/reboot/set", "PRESS", "forbidden"),
        ("sim/4/set", "2", "invalid"),
        ("sim/4/set", "1", "forbidden"),
    ],
)
async def test_of_several_codes_the_first_is_told(agent: Start, topic: str, payload: str, code: str) -> None:
    running = await agent(LAMP)
    await running.read((topic, payload))
    (refused,) = running.results(topic.removesuffix("/set"))
    assert (refused["outcome"], refused["code"]) == ("rejected", code)
    assert len(json.dumps(refused)) < 1000


async def test_a_long_value_is_not_repeated_whole(agent: Start) -> None:
    running = await agent(LAMP)
    await running.read(("nobody/set", {"value": "x" * 60_000, "id": "q"}))
    (refused,) = running.results("nobody")
    assert refused["id"] == "q"
    assert len(refused["value"]) < 200
