"""What is told to be unanswered is not done later."""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import subprocess
import sys
import time
from typing import Any

import pytest
from homeassistant.components import mqtt
from homeassistant.core import HomeAssistant
from rig import ROOT, Pi, Socket

PUMP, LAMP = "switch.car1_pump", "light.car1_lamp"
BEARS_EXPIRY = "message_expiry_interval" in inspect.signature(mqtt.async_publish).parameters
JUDGE = """
import sys
from pimqtt_agent import commands
envelope = commands.open_envelope(sys.stdin.buffer.read())
print(bool(commands.stale(envelope, None, envelope.at + float(sys.argv[1]))))
"""


def interval(mqtt_mock: Any) -> int | None:
    """Return the Message Expiry Interval of what was published last."""
    found: int | None = mqtt_mock.async_publish.call_args.kwargs.get("message_expiry_interval")
    return found


def stale(payload: dict[str, Any], after_s: float) -> bool:
    """Ask the agent's own code."""
    python = os.environ.get("PIMQTT_AGENT_PYTHON", sys.executable)
    done = subprocess.run(
        [python, "-c", JUDGE, str(after_s)], input=json.dumps(payload), capture_output=True, text=True, cwd=ROOT,
        timeout=60, check=True,
    )  # fmt: skip
    return done.stdout.strip() == "True"


async def test_a_resting_value_that_comes_too_late_is_refused_by_the_agent(
    socket: Socket, pi: Pi, mqtt_mock: Any
) -> None:
    await socket.ask("pimqtt/command", entity_id=LAMP, value="ON")
    (command,) = pi.commands("lamp")
    assert command["expiry"] == 2
    assert [stale(command, after_s) for after_s in (1.9, 2.1)] == [False, True]
    assert interval(mqtt_mock) == (2 if BEARS_EXPIRY else None)


@pytest.mark.parametrize("value", ["stop", "OFF", 0, {"x": 0, "y": 0}])
async def test_a_stop_is_never_too_late(socket: Socket, pi: Pi, mqtt_mock: Any, value: Any) -> None:
    await socket.ask("pimqtt/command", entity_id=LAMP, value=value)
    assert "expiry" not in pi.commands("lamp")[0]
    assert interval(mqtt_mock) is None
    await socket.ask("pimqtt/stop", node="car1")
    assert interval(mqtt_mock) is None


async def test_what_would_go_on_for_a_time_bears_its_expiry_too(socket: Socket, pi: Pi) -> None:
    await socket.ask("pimqtt/command", entity_id=LAMP, value="OFF", ttl=60)
    assert pi.commands("lamp")[0]["expiry"] == 2


@pytest.mark.parametrize("mqtt_config_entry_data", [{"broker": "mock", "protocol": "3.1.1"}])
async def test_an_older_mqtt_can_bear_no_interval(socket: Socket, pi: Pi, mqtt_mock: Any, hass: HomeAssistant) -> None:
    entry = hass.config_entries.async_entries("mqtt")[0]
    hass.config_entries.async_update_entry(entry, data={**entry.data, "protocol": "3.1.1"})
    answer = await socket.ask("pimqtt/command", entity_id=LAMP, value="ON")
    assert answer["result"]["outcome"] == "accepted"
    assert interval(mqtt_mock) is None
    assert pi.commands("lamp")[0]["expiry"] == 2


async def test_a_broker_that_acknowledges_nothing_holds_up_no_answer(
    socket: Socket, mqtt_mock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.pimqtt.publishing.ANSWER_S", 0.2)

    async def publish(*_: Any, **__: Any) -> None:
        await asyncio.sleep(10)

    mqtt_mock.async_publish.side_effect = publish
    for type_, more in (
        ("pimqtt/command", {"entity_id": PUMP, "value": "ON"}),
        ("pimqtt/stop", {}),
        ("pimqtt/stop", {"node": "car1"}),
        ("pimqtt/call", {"node": "car1", "action": "get_version"}),
    ):
        began_s = time.monotonic()
        answer = (await socket.ask(type_, **more))["result"]
        told = answer[0] if isinstance(answer, list) else answer
        assert (told["outcome"], told["reason_key"]) == ("unanswered", "unanswered")
        assert time.monotonic() - began_s < 2


async def test_an_answer_that_comes_before_the_acknowledgement_counts(socket: Socket, pi: Pi, mqtt_mock: Any) -> None:
    async def publish(topic: str, payload: Any, *more: Any, **options: Any) -> None:
        pi.heard(topic, payload, *more, **options)
        await asyncio.sleep(10)

    mqtt_mock.async_publish.side_effect = publish
    told = (await socket.ask("pimqtt/command", entity_id=PUMP, value="ON"))["result"]
    assert told["outcome"] == "accepted"
    assert told["round_trip_ms"] < 1500
