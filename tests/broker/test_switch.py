"""A switch from MQTT to the pin and back: TTL, results, bad input, the end of a run, a broker that comes back."""

from __future__ import annotations

import signal
import time

import pytest

from tests.broker.steps import LAMP, PUMP, Start, online, ran
from tests.rig import Mosquitto, Node, Observer, observer

pytestmark = pytest.mark.broker

KEYS = {"id", "outcome", "code", "reason", "value", "state", "ttl", "cause", "owner", "holder", "token"}
SET, STATE, LEASE = "pimqtt/car1/pump/set", "pimqtt/car1/pump/state", "pimqtt/car1/pump/lease"


async def test_a_ttl_reverts_by_itself_and_is_told(node: Start, watch: Observer) -> None:
    running = node(PUMP)
    await online(watch)
    since, sent_ns = len(watch.seen), time.monotonic_ns()
    await watch.send(SET, {"value": "ON", "ttl": 0.5, "id": "a", "owner": "me"})
    accepted = await watch.result("pump", "a", outcome="accepted")
    assert {"state": "ON", "ttl": 0.5, "owner": "me", "holder": "me"}.items() <= accepted.items()
    assert set(accepted) == KEYS
    lease = (await watch.wait(LEASE, lambda s: s.payload != b"{}")).json()
    assert lease["owner"] == "me"
    assert lease["value"] == "ON"
    assert lease["resting"] == "OFF"
    assert 0 < lease["remaining_s"] <= 0.5
    reverted = await watch.result("pump", outcome="reverted")
    assert {"id": "a", "owner": "me", "cause": "expired", "state": "OFF"}.items() <= reverted.items()
    rows = [row for row in running.rows() if row["pin"] == 17]
    assert [row["value"] for row in rows] == [0, 1, 0]
    ran(0.5, sent_ns, rows[1]["t_ns"], rows[2]["t_ns"])
    assert (await watch.wait(LEASE, lambda s: s.payload == b"{}", since=since)).retain


async def test_a_bare_command_takes_the_default_ttl_and_a_bare_off_stops(node: Start, watch: Observer) -> None:
    running = node(PUMP)
    await online(watch)
    await watch.send(SET, "ON")
    running.wait_level(17, 1)
    lease = (await watch.wait(LEASE, lambda s: s.payload != b"{}")).json()
    assert lease["owner"] == "anonymous"
    assert 4 < lease["remaining_s"] <= 5
    await watch.send(SET, {"value": "OFF", "owner": "somebody else", "id": "off"})
    await watch.result("pump", "off", outcome="accepted")
    await watch.result("pump", outcome="reverted", cause="stopped", owner="anonymous")
    assert running.levels(17) == [0, 1, 0]


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ("on", "invalid"), ("1junk", "invalid"), (b"\xff\xfe", "invalid"), ("{", "invalid"), ("NaN", "invalid"),
        ('{"value": "ON", "ttl": NaN}', "invalid"), ('{"value": "ON", "tll": 1}', "invalid"),
        ('{"ttl": 5}', "invalid"), ({"value": True}, "invalid"), ({"value": "ON", "ttl": 61}, "ttl_range"),
        ({"value": "ON", "ttl": 0.01}, "ttl_range"), ({"value": "ON", "priority": 10}, "invalid"),
        (b"x" * 1_048_576, "too_large"),
    ],
)  # fmt: skip
async def test_bad_input_is_answered_moves_nothing_and_ends_nothing(
    node: Start, watch: Observer, payload: object, code: str
) -> None:
    running = node(PUMP)
    await online(watch)
    before = running.descendants()
    count = len(watch.seen)
    await watch.send(SET, payload)
    answer = await watch.result("pump", outcome="rejected")
    assert answer["code"] == code
    assert answer["reason"]
    assert (await watch.wait(STATE, since=count)).text == "OFF"
    assert running.levels(17) == [0]
    assert running.descendants() == before
    assert "Traceback" not in running.log.read_text()


async def test_an_unknown_device_is_told_on_its_own_result(node: Start, watch: Observer) -> None:
    node(PUMP)
    await online(watch)
    await watch.send("pimqtt/car1/pomp/set", "ON")
    assert (await watch.wait("pimqtt/car1/pomp/result")).json()["code"] == "unknown"


async def test_an_empty_payload_never_acts_and_is_not_answered(node: Start, watch: Observer) -> None:
    running = node(PUMP)
    await online(watch)
    await watch.send(SET, "")
    await watch.send(SET, {"value": "ON", "id": "after"})
    await watch.result("pump", "after")
    assert [s for s in watch.seen if s.topic.endswith("pump/result") and s.json()["id"] != "after"] == []
    assert running.levels(17) == [0, 1]


async def test_a_stop_ends_leases_and_says_so_before_offline(node: Start, watch: Observer) -> None:
    running = node(PUMP)
    await online(watch)
    await watch.send(SET, {"value": "ON", "ttl": 30, "id": "a", "owner": "me"})
    await watch.result("pump", "a", outcome="accepted")
    assert running.stop() == 0
    await watch.wait("pimqtt/car1/availability", lambda s: s.text == "offline")
    told = next(i for i, s in enumerate(watch.seen) if s.topic.endswith("pump/result") and s.json()["cause"])
    gone = next(i for i, s in enumerate(watch.seen) if s.topic.endswith("car1/availability") and s.text == "offline")
    assert watch.seen[told].json()["cause"] == "stopped"
    assert told < gone
    assert running.levels(17) == [0, 1, 0]


async def test_a_second_instance_refuses_naming_the_first(node: Start, watch: Observer) -> None:
    running = node(PUMP)
    await online(watch)
    assert running.process
    first = running.process.pid
    log = running.log.read_text()
    second = Node(running.folder, running.config.read_text()).start(wait=False)
    assert second.stop(0, timeout_s=10) == 1
    assert f"car1 runs already as pid {first}" in running.log.read_text()[len(log) :]
    assert "Traceback" not in running.log.read_text()


async def test_a_broker_that_dies_and_comes_back_finds_the_true_state(
    node: Start, broker: Mosquitto, watch: Observer
) -> None:
    running = node(LAMP, PUMP)
    await online(watch)
    await watch.send("pimqtt/car1/lamp/set", {"value": "ON", "id": "a"})
    await watch.result("lamp", "a")
    broker.stop(signal.SIGKILL)
    broker.start()
    async with observer(broker.port) as later:
        await later.wait("pimqtt/car1/availability", lambda s: s.text == "online", 15)
        assert (await later.wait("pimqtt/car1/lamp/state")).text == "ON"
        await later.wait("homeassistant/device/car1/lamp/config")
    assert running.levels(27) == [0, 1]
