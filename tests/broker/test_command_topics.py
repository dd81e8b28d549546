"""What commands a node and what does not: states, buttons, the inputs of the simulated chip."""

from __future__ import annotations

import pytest

from tests.broker.session import words
from tests.broker.steps import LAMP, Start, eventually, online, replaced, retain, told
from tests.rig import Mosquitto, Observer

pytestmark = pytest.mark.broker


async def test_a_state_topic_is_no_way_to_command(node: Start, watch: Observer, broker: Mosquitto) -> None:
    await retain(broker.port, "pimqtt/car1/lamp/state", "ON")
    running = node(LAMP)
    await online(watch)
    await watch.wait("pimqtt/car1/lamp/state", lambda s: s.text == "OFF")
    await watch.send("pimqtt/car1/lamp/state", "ON")
    await told(watch, "lamp", {"value": "OFF"})
    assert running.levels(27) == [0]


async def test_nothing_but_press_presses_a_button(node: Start, watch: Observer) -> None:
    running = node(LAMP)
    await online(watch)
    agent = running.pid("agent")
    for payload in ("", "off", "press", "PRESS ", "1", '{"value": "OFF"}'):
        await watch.send("pimqtt/car1/system/restart/set", payload)
    await eventually(lambda: len(words(watch, "pimqtt/car1/system/restart/result")) == 5, what="refused")
    assert running.pid("agent") == agent
    await watch.send("pimqtt/car1/system/restart/set", "PRESS")
    await replaced(running, "agent", agent)


async def test_an_input_of_the_simulated_chip_is_set_where_that_is_allowed(node: Start, watch: Observer) -> None:
    running = node("{id: door, kind: binary_sensor, pin: 22}", LAMP, hardware=", control: true")
    await online(watch)
    await watch.wait("pimqtt/car1/door/state", lambda s: s.text == "OFF")
    await watch.send("pimqtt/car1/sim/22/set", "1")
    assert (await watch.wait("pimqtt/car1/door/state", lambda s: s.text == "ON")).retain
    for pin, payload in (("27", "1"), ("22", "ON"), ("x", "1"), ("22", "")):
        await watch.send(f"pimqtt/car1/sim/{pin}/set", payload)
    assert (await watch.wait("pimqtt/car1/sim/27/result")).json()["code"] == "unavailable"  # an output
    assert (await watch.wait("pimqtt/car1/sim/22/result")).json()["code"] == "invalid"
    assert (await watch.wait("pimqtt/car1/sim/x/result")).json()["code"] == "invalid"
    assert running.levels(27) == [0]


async def test_inputs_of_the_simulated_chip_are_nobody_s_business_otherwise(node: Start, watch: Observer) -> None:
    node("{id: door, kind: binary_sensor, pin: 22}")
    await online(watch)
    await watch.send("pimqtt/car1/sim/22/set", "1")
    assert (await watch.wait("pimqtt/car1/sim/22/result")).json()["code"] == "forbidden"
    assert "ON" not in words(watch, "pimqtt/car1/door/state")
