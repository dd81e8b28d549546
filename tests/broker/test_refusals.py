"""What a refused command's sender learns: its own value again, what was wrong with it, and that nothing moved."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.broker.steps import FAN, PUMP, Start, called, online, told
from tests.rig import Observer

pytestmark = pytest.mark.broker


@pytest.mark.parametrize(
    ("payload", "value", "quoted"),
    [
        ('{"value": "ON", "id": "a", "owner": "me", "tll": 5}', "ON", "'tll'"),
        ('{"value": "ON", "id": "a", "owner": "me", "ttl": "x"}', "ON", "'x'"),
        ('{"value": "ON", "id": "a", "owner": "me", "ttl": 5, "ttl": 6}', "ON", "'ttl'"),
        ('{"value": "ON", "value": "OFF", "id": "a", "owner": "me"}', None, "'value'"),
        ('{"value": {"on": true}, "id": "a", "owner": "me"}', {"on": True}, "on"),
    ],
)
async def test_a_refusal_echoes_what_was_sent(
    node: Start, watch: Observer, payload: str, value: Any, quoted: str
) -> None:
    running = node(PUMP)
    await online(watch)
    await watch.send("pimqtt/car1/pump/set", payload)
    answer = await watch.result("pump", outcome="rejected")
    assert {"id": "a", "owner": "me", "code": "invalid", "value": value, "state": "OFF"}.items() <= answer.items()
    assert quoted in answer["reason"]
    assert running.levels(17) == [0]


async def test_a_call_with_a_doubled_argument_is_refused_by_its_id(node: Start, watch: Observer) -> None:
    node(FAN)
    await online(watch)
    await watch.send("pimqtt/car1/call", '{"action": "token", "device": "fan", "device": "car", "id": "c"}')
    answer = (await watch.wait("pimqtt/car1/call/result")).json()
    assert {"id": "c", "outcome": "rejected", "code": "invalid"}.items() <= answer.items()
    assert "'device'" in answer["reason"]
    assert (await called(watch, action="token", device="fan"))["outcome"] == "accepted"


async def test_a_number_without_end_holds_nobody_up(node: Start, watch: Observer) -> None:
    running = node(FAN)
    await online(watch)
    started_s = time.monotonic()
    await watch.send("pimqtt/car1/fan/set", "1" * 60_000 + "x")
    assert (await told(watch, "fan", {"value": 50}))["outcome"] == "accepted"
    assert time.monotonic() - started_s < 2
    assert running.levels(23)[:2] == [0, 0.5]
    refused = await watch.result("fan", code="invalid")
    assert "'1111" in refused["reason"]
    assert len(refused["value"]) < 200
