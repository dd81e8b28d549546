"""The emergency stop: latched until a reset, whatever dies meanwhile."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import time
from typing import Any

import pytest

from tests.broker.old_broker import CONNECT, PUBLISH, packet
from tests.broker.old_broker import text as mqtt_text
from tests.broker.steps import (
    ALL,
    CAR,
    DEADMAN_S,
    DEVICE,
    FAN,
    LAMP,
    NODE,
    Driving,
    Start,
    cleared,
    eventually,
    kill_all,
    online,
    reached,
    reached_any,
    replaced,
    results,
    retain,
    seconds,
    stop_accepted,
    stored,
    told,
)
from tests.rig import Mosquitto, Observer

pytestmark = pytest.mark.broker


@pytest.mark.parametrize("topic", [ALL, NODE, DEVICE])
async def test_the_emergency_stop_latches_until_a_reset_and_a_reset_starts_nothing(
    node: Start, watch: Observer, topic: str
) -> None:
    running = node(CAR, LAMP)
    await online(watch)
    await told(watch, "lamp", {"value": "ON"})
    async with Driving(watch, "car", "me", priority=9):
        await reached_any(running, 5)
        sent_ns = time.monotonic_ns()
        await watch.send(f"{topic}/set", "ON")
        assert seconds(sent_ns, await reached(running, 5, 0)) < 0.15
        ended = await watch.result("car", outcome="reverted")
        assert {"cause": "emergency", "owner": "me"}.items() <= ended.items()
        state = DEVICE if topic == DEVICE else NODE
        assert (await watch.wait(f"{state}/state", lambda s: s.text == "ON")).retain
        latched = await told(watch, "car", {"value": {"x": 0, "y": 1}, "owner": "you", "priority": 9})
        assert {"code": "latched", "holder": None}.items() <= latched.items()
        stop = await told(watch, "car", {"value": "stop", "owner": "you"})
        assert stop["outcome"] == "accepted"
        since = len(watch.seen)
        await watch.send(f"{topic}/set", "OFF")
        await watch.wait(f"{state}/state", lambda s: s.text == "OFF", since=since)
        count = len(running.levels(5))
        await watch.wait("pimqtt/car1/car/result", lambda s: s.json()["code"] == "let_go")
        await asyncio.sleep(0.3)
        assert len(running.levels(5)) == count  # me goes on renewing: it must let go first
    accepted = await told(watch, "car", {"value": {"x": 0, "y": 1}, "owner": "you"})
    assert accepted["outcome"] == "accepted"
    assert running.levels(27) == ([0, 1] if topic == DEVICE else [0, 1, 0])
    lamp = await told(watch, "lamp", {"value": "ON"})
    assert lamp["outcome"] == "accepted"


async def test_a_reset_at_a_wider_topic_clears_the_narrower_and_not_the_other_way_round(
    node: Start, watch: Observer
) -> None:
    node(CAR, FAN)
    await online(watch)

    async def latched(device: str) -> bool:
        value: Any = {"x": 0, "y": 0.1} if device == "car" else 10
        return bool((await told(watch, device, {"value": value, "owner": "new"}))["code"] == "latched")

    async def state(topic: str, text: str) -> None:
        await eventually(lambda: (seen := watch.last(f"{topic}/state")) and seen.text == text, what=f"{topic} {text}")

    await watch.send(f"{DEVICE}/set", "ON")
    await state(DEVICE, "ON")
    assert (await latched("car"), await latched("fan")) == (True, False)
    await watch.send(f"{NODE}/set", "ON")
    await state(NODE, "ON")
    assert (await latched("car"), await latched("fan")) == (True, True)
    await watch.send(f"{DEVICE}/set", "OFF")
    await state(DEVICE, "OFF")
    assert (await latched("car"), await latched("fan")) == (True, True)
    await watch.send(f"{DEVICE}/set", "ON")
    await state(DEVICE, "ON")
    await watch.send(f"{NODE}/set", "OFF")
    await state(NODE, "OFF")
    await state(DEVICE, "OFF")
    await asyncio.sleep(DEADMAN_S + 0.1)
    assert (await latched("car"), await latched("fan")) == (False, False)
    last = watch.last("pimqtt/car1/fan/stop/state")
    assert last
    assert last.text == "OFF"  # the state of a device's stop is its own latch


@pytest.mark.parametrize("topic", [NODE, DEVICE])
@pytest.mark.parametrize("how", ["agent", "keeper pins", "stop", "power cut"])
async def test_a_latch_survives(node: Start, watch: Observer, how: str, topic: str) -> None:
    running = node(CAR)
    await online(watch)
    await watch.send(f"{topic}/set", "ON")
    await watch.wait(f"{topic}/state", lambda s: s.text == "ON")
    since = len(watch.seen)
    if how in ("agent", "keeper pins"):
        await replaced(running, how, running.signal(how, signal.SIGKILL))
    else:
        if how == "stop":
            running.stop()
        else:
            kill_all(running)
        running.start()
    if how != "keeper pins":
        await watch.wait("pimqtt/car1/availability", lambda s: s.text == "online", since=since, timeout_s=10)
        await watch.wait(f"{topic}/state", lambda s: s.text == "ON", since=since)
    else:
        await stop_accepted(watch, "car")
    refused_ = await told(watch, "car", {"value": {"x": 0, "y": 1}, "owner": "me"})
    assert refused_["code"] == "latched"
    await watch.send(f"{topic}/set", "OFF")
    await watch.wait(f"{topic}/state", lambda s: s.text == "OFF", since=since)
    assert (await told(watch, "car", {"value": {"x": 0, "y": 1}, "owner": "you"}))["outcome"] == "accepted"


async def test_a_memory_that_cannot_be_read_counts_as_latched(node: Start, watch: Observer) -> None:
    running = node(CAR)
    await online(watch)
    running.stop()
    state = running.folder / "state" / "pimqtt" / "car1" / "state.json"
    state.write_bytes(b'{"resting": {"car"')
    since = len(watch.seen)
    running.start()
    await watch.wait(f"{NODE}/state", lambda s: s.text == "ON", since=since, timeout_s=10)
    assert (await told(watch, "car", {"value": {"x": 0, "y": 1}}))["code"] == "latched"
    assert "moved aside" in running.log.read_text()
    await watch.send(f"{NODE}/set", "OFF")
    await watch.wait(f"{NODE}/state", lambda s: s.text == "OFF", since=since)
    await asyncio.sleep(DEADMAN_S + 0.1)
    assert (await told(watch, "car", {"value": {"x": 0, "y": 1}}))["outcome"] == "accepted"


@pytest.mark.parametrize("topic", [ALL, NODE, DEVICE])
async def test_a_retained_stop_is_done_and_cleared_and_a_retained_reset_is_refused(
    node: Start, watch: Observer, broker: Mosquitto, topic: str
) -> None:
    await retain(broker.port, f"{topic}/set", "ON")
    running = node(CAR)
    await online(watch)
    state = DEVICE if topic == DEVICE else NODE
    await watch.wait(f"{state}/state", lambda s: s.text == "ON")
    await cleared(broker.port, f"{topic}/set")
    since = len(watch.seen)
    await watch.send(f"{topic}/set", "OFF", retain=True)
    refused_ = await watch.wait(f"{state}/result", since=since)
    assert refused_.json()["code"] == "retained"
    again = await watch.wait(f"{state}/state", since=since)  # a switch that believed in it is put right
    assert (again.text, again.retain) == ("ON", True)
    await cleared(broker.port, f"{topic}/set")
    assert (await told(watch, "car", {"value": {"x": 0, "y": 1}, "owner": "me"}))["code"] == "latched"
    await watch.send(f"{topic}/set", "OFF")
    await watch.wait(f"{state}/state", lambda s: s.text == "OFF", since=since)
    since = len(watch.seen)
    await watch.send(f"{topic}/set", "ON", retain=True)
    await watch.wait(f"{state}/state", lambda s: s.text == "ON", since=since)
    await cleared(broker.port, f"{topic}/set")
    assert await stored(broker.port, f"{state}/state") == {f"{state}/state": b"ON"}
    assert running.levels(5) == [0]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
async def test_an_emergency_stop_is_not_lost_while_the_pin_keeper_is_replaced(
    node: Start, watch: Observer, number: int
) -> None:
    running = node(CAR)
    await online(watch)
    async with Driving(watch, "car"):
        await reached_any(running, 5)
        running.signal("keeper pins", number)
        await watch.send(f"{NODE}/set", "ON")
        await watch.wait(f"{NODE}/state", lambda s: s.text == "ON")
        await watch.wait("pimqtt/car1/car/result", lambda s: s.json()["code"] == "latched")
        lost = await watch.result("car", cause="keeper_lost")
        assert {"owner": "me", "state": {"x": 0, "y": 0}}.items() <= lost.items()
        levels = running.levels(5)
        assert levels.index(0, 1) == len(levels) - 1  # the claim of the next keeper, and no move after it


async def test_the_emergency_stop_is_also_taken_as_a_command_in_json(node: Start, watch: Observer) -> None:
    node(CAR)
    await online(watch)
    for word in ("ON", "OFF"):
        since = len(watch.seen)
        await watch.send(f"{NODE}/set", {"value": word})
        await watch.wait(f"{NODE}/state", lambda s, word=word: s.text == word, since=since)  # type: ignore[misc]


async def test_a_stop_that_is_no_word_is_answered_and_changes_nothing(node: Start, watch: Observer) -> None:
    node(CAR)
    await online(watch)
    for payload in ("on", b"\xff", "{", '{"value": "on"}', "1", "null"):
        since = len(watch.seen)
        await watch.send(f"{NODE}/set", payload)
        assert (await watch.wait(f"{NODE}/result", since=since)).json()["code"] == "invalid"
        assert (await watch.wait(f"{NODE}/state", since=since)).text == "OFF"
        await asyncio.sleep(0.12)  # the true state comes again at most every 100 ms
    since = len(watch.seen)
    for _ in range(20):
        await watch.send(f"{DEVICE}/set", "stop")
    await eventually(lambda: len(results(watch, "car/stop", since)) == 20, what="each is answered")
    assert 1 <= len([s for s in watch.seen[since:] if s.topic == f"{DEVICE}/state"]) < 20
    await watch.send(f"{NODE}/set", "")
    accepted = await told(watch, "car", {"value": {"x": 0, "y": 1}, "owner": "me"})
    assert accepted["outcome"] == "accepted"
    last = watch.last(f"{NODE}/state")
    assert last
    assert last.text == "OFF"


def publish_at_once(port: int, *messages: tuple[str, str]) -> None:
    """Publish in one piece, by a client of its own that then goes."""
    with socket.create_connection(("127.0.0.1", port), 5) as sock:
        sock.sendall(packet(CONNECT, mqtt_text("MQTT") + bytes([4, 2, 0, 60]) + mqtt_text("at-once")))
        assert sock.recv(4)
        sock.sendall(b"".join(packet(PUBLISH, mqtt_text(topic) + payload.encode()) for topic, payload in messages))
        sock.sendall(packet(14, b""))
        assert not sock.recv(1)  # the broker has read them all


@pytest.mark.parametrize("topic", [ALL, NODE, DEVICE])
async def test_motion_sent_before_a_stop_and_its_reset_is_not_done_after_them(
    node: Start, watch: Observer, broker: Mosquitto, topic: str
) -> None:
    """All three wait in the agent's socket: it stands still for a moment, shorter than what makes motion stale."""
    running = node(CAR)
    await online(watch)
    move = json.dumps({"value": {"x": 0, "y": 1}, "id": "m", "owner": "me"})
    agent = running.signal("agent", signal.SIGSTOP)
    try:
        messages = ("pimqtt/car1/car/set", move), (f"{topic}/set", "ON"), (f"{topic}/set", "OFF")
        publish_at_once(broker.port, *messages)
    finally:
        os.kill(agent, signal.SIGCONT)
    refused_ = await watch.result("car", "m")
    assert refused_["outcome"] == "rejected"
    assert refused_["code"] in ("latched", "stale")  # stale where the machine let it stand still for too long
    await watch.wait(f"{DEVICE if topic == DEVICE else NODE}/state", lambda s: s.text == "OFF")
    await asyncio.sleep(0.3)
    assert running.levels(5) == [0]
