"""The websocket commands: what each user may."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from rig import Pi, Socket

PUMP = "switch.car1_pump"
Browser = Callable[..., Awaitable[Socket]]


@pytest.mark.parametrize(
    ("type_", "more"),
    [
        ("pimqtt/command", {"entity_id": PUMP, "value": "ON"}),
        ("pimqtt/command", {"unique_id": "pimqtt.car1.pump", "value": "ON"}),
        ("pimqtt/drive", {"entity_id": "sensor.car1_car"}),
        ("pimqtt/snapshot", {"entity_id": "camera.car1_eye"}),
        ("pimqtt/stop", {}),
        ("pimqtt/stop", {"node": "car1"}),
        ("pimqtt/reset", {"node": "car1", "device": "pump"}),
        ("pimqtt/call", {"node": "car1", "action": "dance"}),
    ],
)
async def test_who_may_only_read_moves_nothing(browser: Browser, pi: Pi, type_: str, more: dict[str, Any]) -> None:
    reader = await browser(read=(PUMP, "sensor.car1_car", "camera.car1_eye"))
    answer = await reader.ask(type_, **more)
    assert answer["error"]["code"] == "unauthorized"
    assert pi.published == []


async def test_who_may_control_one_entity_may_do_that_and_no_more(browser: Browser, pi: Pi) -> None:
    gardener = await browser("Anna", control=(PUMP,))
    answer = await gardener.ask("pimqtt/command", entity_id=PUMP, value="ON")
    assert (answer["result"]["outcome"], answer["result"]["owner"]) == ("accepted", "Anna")
    assert (await gardener.ask("pimqtt/command", entity_id="light.car1_lamp", value="ON"))["error"][
        "code"
    ] == "unauthorized"
    (told,) = (await gardener.ask("pimqtt/stop", node="car1", device="pump"))["result"]
    assert told["outcome"] == "accepted"
    assert (await gardener.ask("pimqtt/stop", node="car1", device="car"))["error"]["code"] == "unauthorized"
    pi.published.clear()
    (told,) = (await gardener.ask("pimqtt/stop"))["result"]
    assert [one.topic for one in pi.published] == ["pimqtt/car1/stop/set"], "not every node: only those that it may"
    pi.calls["list_pins"] = {"pins": []}
    assert (await gardener.ask("pimqtt/pins", node="car1"))["success"]
    assert (await gardener.ask("pimqtt/call", node="car1", action="reload"))["error"]["code"] == "unauthorized"


async def test_who_may_read_nothing_sees_nothing(browser: Browser) -> None:
    stranger = await browser()
    assert (await stranger.ask("pimqtt/fleet"))["success"]
    assert (await stranger.event())["nodes"] == []
    assert (await stranger.ask("pimqtt/pins", node="car1"))["error"]["code"] == "unauthorized"


async def test_what_a_user_may_not_read_is_left_out(browser: Browser) -> None:
    reader = await browser(read=(PUMP,))
    assert (await reader.ask("pimqtt/fleet"))["success"]
    (node,) = (await reader.event())["nodes"]
    assert [(one["id"], [entity["entity_id"] for entity in one["entities"]]) for one in node["devices"]] == [
        ("pump", [PUMP])
    ]
