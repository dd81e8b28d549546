"""The actions of automations in a real Home Assistant, answered by a real agent: what the pins saw tells."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.broker.steps import SLOW_S, ran
from tests.browser.stage import Stage
from tests.browser.wheels import DEADMAN_S
from tests.ha.api import Api

pytestmark = [
    pytest.mark.broker, pytest.mark.ha, pytest.mark.browser, pytest.mark.timeout(120),
    pytest.mark.asyncio(loop_scope="session"),
]  # fmt: skip
PUMP, CAR = "switch.car1_pump", "sensor.car1_car"
#: The pump's line, and for how long it is on.
LINE, TTL_S = 17, 3.0


async def act(home: Api, action: str, /, **data: Any) -> Any:
    """Do an action as whoever has the token; give its response."""
    asked = {"domain": "pimqtt", "service": action, "service_data": data, "return_response": True}
    return (await home.ask("call_service", **asked))["response"]


def said(answer: dict[str, Any], *keys: str) -> list[Any]:
    """Give these of an answer."""
    return [answer[key] for key in keys]


@pytest_asyncio.fixture(loop_scope="session", autouse=True)
async def left_as_found(scene: Stage) -> AsyncIterator[None]:
    """Leave nothing on and nothing latched to the next test."""
    yield
    await scene.ha.ask("pimqtt/reset", node=scene.pi.name, device="car")
    for entity in (PUMP, CAR):
        await scene.ha.ask("pimqtt/command", entity_id=entity, value="stop" if entity == CAR else "OFF")


async def test_a_command_answers_and_ends_by_itself(scene: Stage) -> None:
    before, sent_ns = scene.pi.marks()[LINE], time.monotonic_ns()
    answer = (await act(scene.ha, "command", entity_id=PUMP, value="ON", ttl=TTL_S, owner="Watering"))[PUMP]
    assert said(answer, "outcome", "code", "reason", "state", "ttl", "owner") == [
        "accepted", None, None, "ON", TTL_S, "Watering",
    ]  # fmt: skip
    assert 0 < answer["round_trip_ms"] < 1000 * TTL_S
    await scene.pi.changed({LINE: before}, {LINE: [1.0, 0.0]}, TTL_S + 10)
    on, off = [row["t_ns"] for row in scene.pi.rows() if row["pin"] == LINE][before:]
    ran(TTL_S, sent_ns, on, off, SLOW_S)


async def test_what_the_agent_refuses_comes_back_in_its_words_and_moves_nothing(scene: Stage) -> None:
    before = scene.pi.marks()[LINE]
    answer = (await act(scene.ha, "command", entity_id=PUMP, value="ON", ttl=61))[PUMP]
    assert said(answer, "outcome", "code") == ["rejected", "ttl_range"]
    assert "60" in answer["reason"]
    answer = (await act(scene.ha, "command", entity_id=PUMP, value="1junk"))[PUMP]
    assert said(answer, "outcome", "code") == ["rejected", "invalid"]
    assert "1junk" in answer["reason"]
    assert scene.pi.marks()[LINE] == before


async def test_another_owner_is_refused_until_the_priority_is_higher(scene: Stage) -> None:
    answer = (await act(scene.ha, "command", entity_id=PUMP, value="ON", ttl=20, owner="Watering"))[PUMP]
    assert answer["outcome"] == "accepted"
    answer = (await act(scene.ha, "command", entity_id=PUMP, value="ON", ttl=5, owner="Frost"))[PUMP]
    assert said(answer, "outcome", "code", "holder") == ["rejected", "held", "Watering"]
    answer = (await act(scene.ha, "command", entity_id=PUMP, value="ON", ttl=5, owner="Frost", priority=2))[PUMP]
    assert said(answer, "outcome", "ttl", "owner") == ["accepted", 5.0, "Frost"]


async def test_a_drive_lasts_as_long_as_it_was_told(scene: Stage) -> None:
    before, since_ns = len(scene.wheels.changes), time.monotonic_ns()
    answer = (await act(scene.ha, "drive", entity_id=CAR, y=0.5, duration=1, owner="Patrol"))[CAR]
    assert said(answer, "outcome", "owner") == ["accepted", "Patrol"]
    await scene.wheels.wait(turning=False, timeout_s=3)
    (began_ns, turns), (ended_ns, _) = scene.wheels.changes[before:]
    assert turns
    assert began_ns > since_ns
    assert (ended_ns - began_ns) / 1e9 == pytest.approx(1, abs=SLOW_S)


async def test_a_drive_without_a_time_lasts_one_dead_man(scene: Stage) -> None:
    before, sent_ns = len(scene.wheels.changes), time.monotonic_ns()
    assert (await act(scene.ha, "drive", entity_id=CAR, y=1))[CAR]["outcome"] == "accepted"
    await scene.wheels.wait(turning=False, timeout_s=3)
    (began_ns, _), (ended_ns, _) = scene.wheels.changes[before:]
    ran(DEADMAN_S, sent_ns, began_ns, ended_ns, SLOW_S)


async def test_an_emergency_stop_holds_until_the_reset(scene: Stage) -> None:
    (answer,) = (await act(scene.ha, "stop", entity_id=CAR))["answers"]
    assert said(answer, "node", "device", "outcome", "state") == [scene.pi.name, "car", "accepted", "ON"]
    before = len(scene.wheels.changes)
    answer = (await act(scene.ha, "drive", entity_id=CAR, y=1, duration=1))[CAR]
    assert said(answer, "outcome", "code") == ["rejected", "latched"]
    assert len(scene.wheels.changes) == before
    (answer,) = (await act(scene.ha, "reset", entity_id=CAR))["answers"]
    assert said(answer, "outcome", "state") == ["accepted", "OFF"]
    assert len(scene.wheels.changes) == before, "a reset starts nothing"
    await asyncio.sleep(DEADMAN_S + 0.1)  # whoever was refused must let go first
    assert (await act(scene.ha, "drive", entity_id=CAR, y=1))[CAR]["outcome"] == "accepted"
    await scene.wheels.wait(turning=False, timeout_s=3)
    assert len(scene.wheels.changes) == before + 2


async def test_a_call_answers(scene: Stage) -> None:
    answer = await act(scene.ha, "call", node=scene.pi.name, action="get_version")
    assert said(answer, "action", "outcome", "code") == ["get_version", "accepted", None]
    assert answer["result"]
    answer = await act(scene.ha, "call", node=scene.pi.name, action="dance")
    assert said(answer, "outcome", "code") == ["rejected", "unknown"]


async def test_who_is_no_administrator_acts_under_the_own_name(scene: Stage) -> None:
    theirs = Api(scene.ha.url)
    theirs.token = await scene.resident("Olga", "system-users")
    answer = (await act(theirs, "command", entity_id=PUMP, value="ON", ttl=1))[PUMP]
    assert said(answer, "outcome", "owner") == ["accepted", "Olga"]
    assert (await act(theirs, "drive", entity_id=CAR, y=1))[CAR]["owner"] == "Olga"
    await scene.wheels.wait(turning=False, timeout_s=3)
