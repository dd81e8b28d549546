"""A command that comes twice is answered again and not done again; a stop is done each time."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.broker.steps import FAN, LAMP, PUMP, Start, eventually, online, ran, reached, results, told
from tests.rig import Observer

pytestmark = pytest.mark.broker


async def test_a_qos_1_duplicate_is_answered_again_and_not_done_again(node: Start, watch: Observer) -> None:
    running = node(PUMP, FAN)
    await online(watch)
    command = {"value": "ON", "ttl": 4, "id": "a", "owner": "me"}
    sent_ns = time.monotonic_ns()
    await watch.send("pimqtt/car1/pump/set", command, qos=1)
    await asyncio.sleep(2)
    await watch.send("pimqtt/car1/pump/set", command, qos=1)
    await watch.result("pump", outcome="reverted")
    on, off = [row["t_ns"] for row in running.rows() if row["pin"] == 17][1:]
    ran(4, sent_ns, on, off, 1)  # it was not renewed
    await watch.send("pimqtt/car1/pump/set", command, qos=1)
    await eventually(lambda: len(results(watch, "pump", id="a", outcome="accepted")) == 3, what="answered again")
    first, *again = results(watch, "pump", id="a", outcome="accepted")
    assert again == [first, first]
    assert running.levels(17) == [0, 1, 0]
    await watch.send("pimqtt/car1/pump/set", {**command, "owner": "you"}, qos=1)  # another command
    await reached(running, 17, 1)
    for payload in (command, {**command, "id": None}):
        since = len(watch.seen)
        payload.pop("id") if payload["id"] is None else None
        await watch.send("pimqtt/car1/fan/set", {**payload, "value": 101, "ttl": 0.5}, qos=1)
        assert (await watch.wait("pimqtt/car1/fan/result", since=since)).json()["code"] == "out_of_range"


async def test_a_stop_is_done_however_often_it_comes(node: Start, watch: Observer) -> None:
    running = node(LAMP, FAN)
    await online(watch)
    stop = {"value": "OFF", "id": "stop", "owner": "me"}
    for number in range(3):
        await told(watch, "lamp", {"value": "ON", "id": f"on{number}"}, qos=1)
        await watch.send("pimqtt/car1/lamp/set", stop, qos=1)
        await reached(running, 27, 0)
    assert running.levels(27) == [0, 1, 0, 1, 0, 1, 0]
