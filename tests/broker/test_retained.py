"""Retained and late commands: what is replayed, what is live, what is proven, and what the broker has left."""

from __future__ import annotations

import asyncio
import getpass
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.broker.steps import (
    CAR,
    FAN,
    LAMP,
    PUMP,
    cleared,
    eventually,
    online,
    reached,
    replaced,
    results,
    retain,
    stored,
    text,
    token,
    told,
)
from tests.rig import Mosquitto, Node, Observer, observer, wait_for

pytestmark = pytest.mark.broker

Start = Callable[..., Node]
V5, V311 = "5", "3.1.1"
both = pytest.mark.parametrize("protocol", [V5, V311])
TOO_OLD = re.compile(r"a token of [\d.]+ s ago, allowed are 0\.5 s")


@pytest.fixture
def start(broker: Mosquitto, tmp_path: Path, protocol: str) -> Iterator[Start]:
    """Start a node that speaks this version of MQTT."""
    started: list[Node] = []

    def begin(*devices: str, env: dict[str, str] | None = None, extra: str = "") -> Node:
        content = text(broker.port, *devices, mqtt=f'protocol: "{protocol}"', extra=extra)
        started.append(Node(tmp_path / "node", content, env).start())
        return started[-1]

    yield begin
    for running in started:
        running.__exit__(None, None, None)


def pump(number: int) -> str:
    """Configure one of several alike."""
    return f"{{id: p{number}, kind: switch, pin: {number + 2}, ttl: {{default: 30, max: 60}}}}"


async def judged(watch: Observer, device: str) -> str:
    """Wait for the first result of a device; return its code, or its outcome."""
    result = (await watch.wait(f"pimqtt/car1/{device}/result")).json()
    return str(result["code"] or result["outcome"])


async def commands_left(port: int) -> dict[str, bytes]:
    """Return the commands that the broker has retained."""
    return {topic: payload for topic, payload in (await stored(port, "pimqtt/#")).items() if topic.endswith("/set")}


# ---- replays


@both
async def test_a_replayed_resting_value_is_applied_once_and_cleared(
    start: Start, watch: Observer, broker: Mosquitto
) -> None:
    await retain(broker.port, "pimqtt/car1/lamp/set", {"value": "ON", "id": "a"})
    running = start(LAMP)
    await online(watch)
    await watch.result("lamp", "a", outcome="accepted")
    assert running.levels(27) == [0, 1]
    await cleared(broker.port, "pimqtt/car1/lamp/set")
    await told(watch, "lamp", {"value": "OFF"})
    since = len(watch.seen)
    await replaced(running, "agent", running.signal("agent", signal.SIGKILL))
    await watch.wait("pimqtt/car1/availability", lambda s: s.text == "online", since=since)
    await watch.wait("pimqtt/car1/lamp/state", lambda s: s.text == "OFF", since=since)
    assert running.levels(27) == [0, 1, 0]


@both
async def test_a_replayed_plain_command_is_applied_and_a_replayed_empty_one_is_not(
    start: Start, watch: Observer, broker: Mosquitto
) -> None:
    await retain(broker.port, "pimqtt/car1/lamp/set", "ON")
    await retain(broker.port, "pimqtt/car1/l2/set", "ON")
    await retain(broker.port, "pimqtt/car1/l2/set", "")
    running = start(LAMP, "{id: l2, kind: switch, pin: 4}")
    await online(watch)
    await reached(running, 27, 1)
    await cleared(broker.port, "pimqtt/car1/lamp/set")
    assert running.levels(4) == [0]
    assert results(watch, "l2") == []


ROWS: list[tuple[str, dict[str, Any], str, tuple[float, float] | None]] = [
    # what it shows, the fields (at: seconds before now), the code or outcome, between which TTLs it is done
    ("proven by at", {"ttl": 20, "at": 5}, "accepted", (5, 15)),
    ("a little ahead", {"ttl": 20, "at": -0.7}, "accepted", (9, 20)),
    ("too far ahead", {"ttl": 20, "at": -5}, "stale", None),
    ("over by at", {"ttl": 20, "at": 30}, "stale", None),
    ("less than the floor left", {"ttl": 20, "at": 19.99}, "stale", None),
    ("not proven", {"ttl": 20}, "stale", None),
    ("not proven, default TTL", {}, "stale", None),
    ("the default TTL proven", {"at": 0}, "accepted", (15, 30)),
    ("expiry that nobody set", {"ttl": 20, "expiry": 20}, "stale", None),
    ("a token that nobody gave", {"ttl": 20, "at": 1, "token": "x"}, "token", None),
    ("too long", {"ttl": 61, "at": 1}, "ttl_range", None),
]


@both
async def test_a_replayed_lease_has_only_the_life_that_at_proves_left(
    start: Start, watch: Observer, broker: Mosquitto
) -> None:
    for number, (_, fields, _, _) in enumerate(ROWS):
        made = {"value": "ON", "id": f"a{number}", **fields}
        if "at" in made:
            made["at"] = time.time() - made["at"]
        await retain(broker.port, f"pimqtt/car1/p{number}/set", made)
    running = start(*(pump(number) for number in range(len(ROWS))))
    await online(watch)
    for number, (name, _, code, ttl) in enumerate(ROWS):
        assert await judged(watch, f"p{number}") == code, name
        result = results(watch, f"p{number}")[0]
        assert result["id"] == f"a{number}"
        if ttl:
            assert ttl[0] <= result["ttl"] <= ttl[1], name
            lease = await watch.wait(f"pimqtt/car1/p{number}/lease", lambda s: s.payload != b"{}")
            assert lease.json()["remaining_s"] <= ttl[1], name
        assert running.levels(number + 2) == ([0, 1] if ttl else [0]), name
    await cleared(broker.port, "pimqtt/car1/+/set")


@both
async def test_without_a_synchronised_clock_at_proves_nothing(start: Start, watch: Observer, broker: Mosquitto) -> None:
    await retain(broker.port, "pimqtt/car1/pump/set", {"value": "ON", "ttl": 60, "at": time.time()})
    running = start(PUMP, env={"PIMQTT_CLOCK": "unsync"})
    await online(watch)
    assert await judged(watch, "pump") == "stale"
    await cleared(broker.port, "pimqtt/car1/pump/set")
    assert running.levels(17) == [0]


@pytest.mark.parametrize("protocol", [V5])
async def test_a_replayed_lease_has_only_the_life_that_expiry_proves_left(
    start: Start, watch: Observer, broker: Mosquitto
) -> None:
    unsure = {"PIMQTT_CLOCK": "unsync"}
    for number, (ttl, expiry) in enumerate(((20, 20), (30, 30), (2, 10), (None, 60))):
        made: dict[str, Any] = {"value": "ON", "expiry": expiry, "id": f"a{number}"}
        made |= {"ttl": ttl} if ttl else {}
        await retain(broker.port, f"pimqtt/car1/p{number}/set", made, MessageExpiryInterval=expiry)
    await retain(broker.port, "pimqtt/car1/p4/set", {"value": "ON", "ttl": 20}, MessageExpiryInterval=20)
    await asyncio.sleep(1.1)
    running = start(*(pump(number) for number in range(5)), env=unsure)
    await online(watch)
    assert [await judged(watch, f"p{number}") for number in range(5)] == [
        "accepted", "accepted", "stale", "accepted", "stale",
    ]  # fmt: skip
    for number, least, most in ((0, 5, 18), (1, 14, 28), (3, 14, 28)):
        assert least <= results(watch, f"p{number}")[0]["ttl"] <= most
    await cleared(broker.port, "pimqtt/car1/+/set")
    assert [running.levels(number + 2) for number in (2, 4)] == [[0], [0]]


@both
async def test_a_replayed_stop_is_always_done_and_cleared(start: Start, watch: Observer, broker: Mosquitto) -> None:
    await retain(broker.port, "pimqtt/car1/lamp/set", {"value": "OFF", "id": "a", "at": time.time() - 1e6, "expiry": 1})
    await retain(broker.port, "pimqtt/car1/car/set", {"value": "stop", "id": "b"})
    running = start("{id: lamp, kind: switch, pin: 27, initial: on}", CAR)
    await online(watch)
    await watch.result("lamp", "a", outcome="accepted")
    await watch.result("car", "b", outcome="accepted")
    assert running.levels(27) == [1, 0]
    await cleared(broker.port, "pimqtt/car1/+/set")


@pytest.mark.parametrize(
    ("protocol", "when"),
    # MQTT 3.1.1 does not tell a subscriber that a live message is retained
    [(V5, "before the start"), (V5, "after the marker"), (V311, "before the start")],
)
async def test_what_moves_or_is_pressed_is_never_done_from_a_retained_message(
    start: Start, watch: Observer, broker: Mosquitto, when: str
) -> None:
    at = time.time()
    sent: dict[str, object] = {
        "car": {"value": {"x": 0, "y": 1}, "at": at, "ttl": 0.5},
        "fan": "100",
        "arm": "30",
        "system/restart": "PRESS",
    }
    devices = (CAR, FAN, "{id: arm, kind: servo, pin: 12}")
    if when == "before the start":
        for device, payload in sent.items():
            await retain(broker.port, f"pimqtt/car1/{device}/set", payload)
        running = start(*devices)
        await online(watch)
        agent = running.pid("agent")
    else:
        running = start(*devices)
        await online(watch)
        agent = running.pid("agent")
        for device, payload in sent.items():
            await watch.send(f"pimqtt/car1/{device}/set", payload, retain=True)
    for device in sent:
        assert await judged(watch, device) == "retained"
    await cleared(broker.port, "pimqtt/car1/+/set")
    await cleared(broker.port, "pimqtt/car1/+/+/set")
    assert [running.levels(pin) for pin in (5, 13, 23, 24, 12)] == [[0]] * 5
    assert running.pid("agent") == agent


@both
async def test_a_retained_command_that_is_refused_is_answered_and_cleared_all_the_same(
    start: Start, watch: Observer, broker: Mosquitto
) -> None:
    for device, payload in (("lamp", "on"), ("pump", {"value": "ON", "ttl": 99}), ("nobody", "ON"), ("fan", "101")):
        await retain(broker.port, f"pimqtt/car1/{device}/set", payload)
    running = start(LAMP, PUMP, FAN)
    await online(watch)
    found = [await judged(watch, device) for device in ("lamp", "pump", "nobody", "fan")]
    assert found == ["invalid", "ttl_range", "unknown", "out_of_range"]
    await eventually_clear(broker.port)
    assert [running.levels(pin) for pin in (27, 17, 23)] == [[0]] * 3


async def eventually_clear(port: int) -> None:
    for _ in range(40):
        if not await commands_left(port):
            return
        await asyncio.sleep(0.05)
    assert await commands_left(port) == {}


# ---- live commands that the broker has stored


@pytest.mark.parametrize("protocol", [V5])
async def test_a_live_retained_command_is_done_and_then_cleared_from_the_broker(
    start: Start, watch: Observer, broker: Mosquitto
) -> None:
    running = start(LAMP, PUMP)
    await online(watch)
    assert (await told(watch, "lamp", {"value": "ON"}, retain=True))["outcome"] == "accepted"
    accepted = await told(watch, "pump", {"value": "ON", "ttl": 30}, retain=True, qos=1)
    assert accepted["ttl"] == 30  # live: what proves nothing is ignored
    assert (await told(watch, "pump", {"value": "ON", "ttl": 30, "at": time.time() - 40}, retain=True))[
        "code"
    ] == "stale"
    await eventually_clear(broker.port)
    assert (await told(watch, "lamp", {"value": "OFF"}))["outcome"] == "accepted"
    assert running.levels(27) == [0, 1, 0]
    assert running.levels(17) == [0, 1]


@pytest.mark.parametrize("protocol", [V5])
async def test_where_a_lease_bears_a_token_it_alone_decides(start: Start, watch: Observer, broker: Mosquitto) -> None:
    running = start(PUMP)
    await online(watch)
    fresh, over = await token(watch, "pump"), time.time() - 40
    first = await replayed(running, watch, broker, {"token": fresh, "at": over})  # `at` alone would say: stale
    # it lives for 0.5 s: on a loaded machine the next agent may be there too late, but nothing else may decide
    assert (first["outcome"], first["ttl"]) == ("accepted", 30) or TOO_OLD.search(first["reason"])
    assert (await told(watch, "pump", {"value": "OFF"}))["outcome"] == "accepted"
    refused = await replayed(running, watch, broker, {"token": fresh, "at": time.time()})  # `at` alone would do
    assert (refused["code"], refused["state"]) == ("stale", "OFF")
    assert TOO_OLD.search(refused["reason"])
    live = {"value": "ON", "ttl": 30, "token": await token(watch, "pump"), "at": over}
    assert (await told(watch, "pump", live, retain=True))["ttl"] == 30
    assert running.levels(17) == [0, *([1, 0] if first["ttl"] else []), 1]


async def replayed(running: Node, watch: Observer, broker: Mosquitto, fields: dict[str, Any]) -> dict[str, Any]:
    """Have the pump's command be there before the next agent is; return its result."""
    made = {"value": "ON", "ttl": 30, "id": fields["token"][-8:] + str(fields["at"]), **fields}
    old = running.signal("agent", signal.SIGSTOP)
    await retain(broker.port, "pimqtt/car1/pump/set", made)
    running.signal("agent", signal.SIGKILL)
    await replaced(running, "agent", old)
    result = await watch.result("pump", made["id"], timeout_s=10)
    await cleared(broker.port, "pimqtt/car1/pump/set")
    return result


# ---- MQTT 3.1.1: digests


@pytest.mark.parametrize("protocol", [V311])
async def test_with_311_a_command_that_was_done_live_is_not_done_again_from_its_replay(
    start: Start, watch: Observer, broker: Mosquitto
) -> None:
    running = start(LAMP)
    await online(watch)
    assert (await told(watch, "lamp", {"value": "ON", "id": "kept"}, retain=True))["outcome"] == "accepted"
    for number in range(14):
        await told(watch, "lamp", {"value": "ON", "id": f"other{number}"})
    await told(watch, "lamp", {"value": "OFF"})
    assert set(await commands_left(broker.port)) == {"pimqtt/car1/lamp/set"}
    digests = running.folder / "state" / "pimqtt" / "car1" / "digests.json"
    await eventually(lambda: digests.exists() and digests.read_text().count('"') >= 2 + 2 * 16, what="digests on disk")
    since = len(watch.seen)
    await replaced(running, "agent", running.signal("agent", signal.SIGKILL))
    await watch.wait("pimqtt/car1/availability", lambda s: s.text == "online", since=since)
    await cleared(broker.port, "pimqtt/car1/lamp/set")
    assert running.levels(27) == [0, 1, 0]
    # cleared since: the same payload is a new command
    await retain(broker.port, "pimqtt/car1/lamp/set", "")
    since = len(watch.seen)
    running.signal("agent", signal.SIGSTOP)
    old = running.pid("agent")
    await retain(broker.port, "pimqtt/car1/lamp/set", {"value": "ON", "id": "kept"})
    running.signal("agent", signal.SIGKILL)
    await replaced(running, "agent", old)
    await reached(running, 27, 1)


@pytest.mark.parametrize("protocol", [V311])
async def test_with_311_a_stop_is_done_again_from_its_replay(start: Start, watch: Observer, broker: Mosquitto) -> None:
    running = start(LAMP)
    await online(watch)
    await told(watch, "lamp", {"value": "OFF", "id": "kept"}, retain=True)
    await told(watch, "lamp", {"value": "ON"})
    assert set(await commands_left(broker.port)) == {"pimqtt/car1/lamp/set"}
    await asyncio.sleep(1.2)
    await replaced(running, "agent", running.signal("agent", signal.SIGKILL))
    await reached(running, 27, 0)
    await cleared(broker.port, "pimqtt/car1/lamp/set")


# ---- brokers that come back


PERSISTENT = "user {user}\npersistence true\npersistence_location {folder}/\nautosave_interval 1800\n"


@both
async def test_what_was_done_live_is_not_done_again_after_a_broker_with_persistence_came_back(
    tmp_path: Path, protocol: str
) -> None:
    folder = tmp_path / "broker"
    folder.mkdir()
    with Mosquitto(folder, PERSISTENT.format(folder=folder, user=getpass.getuser())) as broker:
        content = text(broker.port, LAMP, CAR, mqtt=f'protocol: "{protocol}"')
        with Node(tmp_path / "node", content) as running:
            async with observer(broker.port) as watch:
                await online(watch)
                await told(watch, "lamp", {"value": "ON"}, retain=True)
                await told(watch, "lamp", {"value": "OFF"})
            broker.stop()
            running.signal("agent", signal.SIGSTOP)
            broker.start()
            left = {"pimqtt/car1/lamp/set"} if protocol == V311 else set()
            assert set(await commands_left(broker.port)) == left  # it has kept what nobody cleared
            await retain(broker.port, "pimqtt/car1/car/set", {"value": {"x": 0, "y": 1}, "id": "b"})
            running.signal("agent", signal.SIGCONT)
            async with observer(broker.port) as watch:
                await watch.wait("pimqtt/car1/availability", lambda s: s.text == "online", 10)
                assert (await watch.result("car", "b"))["code"] == "retained"
                assert (await told(watch, "car", {"value": {"x": 0, "y": 0.5}}))["outcome"] == "accepted"
            await eventually_clear(broker.port)
            assert running.levels(27) == [0, 1, 0]
            assert running.levels(5)[:2] == [0, 0.5]


@both
async def test_a_broker_that_lost_what_it_had_retained_gets_all_of_it_again(
    start: Start, watch: Observer, broker: Mosquitto
) -> None:
    running = start(LAMP, PUMP, CAR)
    await online(watch)
    await told(watch, "lamp", {"value": "ON"})
    await told(watch, "pump", {"value": "ON", "ttl": 50, "owner": "me"})
    changing = ("pimqtt/car1/system/", "pimqtt/car1/pump/lease")

    async def kept() -> dict[str, bytes]:
        return {
            topic: payload
            for filtered in ("pimqtt/#", "homeassistant/#")
            for topic, payload in (await stored(broker.port, filtered)).items()
            if not topic.startswith(changing)
        }

    before = await kept()
    assert {"pimqtt/car1/availability", "pimqtt/car1/info", "pimqtt/car1/lamp/state"} < set(before)
    broker.stop(signal.SIGKILL)
    broker.start()
    async with observer(broker.port) as later:
        await online(later)
        await later.wait("pimqtt/car1/pump/lease", lambda s: s.json()["owner"] == "me")
        for _ in range(40):
            if (after := await kept()) == before:
                break
            await asyncio.sleep(0.05)
    assert after == before
    assert running.levels(27) == [0, 1]
    wait_for(lambda: running.levels(17) == [0, 1])
