"""The session with the broker: birth and will, what is announced and answered; doubles; logins and ways in."""

from __future__ import annotations

import asyncio
import getpass
import json
import os
import signal
import ssl
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from tests.broker.steps import (
    CAR,
    FAN,
    LAMP,
    PUMP,
    Driving,
    Start,
    called,
    cleared,
    eventually,
    kill_all,
    online,
    reached,
    replaced,
    results,
    retain,
    stored,
    text,
    told,
)
from tests.mosquitto.hardened import Hardened, hardened_broker, run_setup
from tests.rig import Mosquitto, Node, Observer, Seen, config, free_port, observer

pytestmark = pytest.mark.broker

AVAILABILITY, INFO, MARKER = "pimqtt/car1/availability", "pimqtt/car1/info", "pimqtt/car1/marker"
RESULT_KEYS = {"id", "outcome", "code", "reason", "value", "state", "ttl", "cause", "owner", "holder", "token"}


def words(watch: Observer, topic: str, since: int = 0) -> list[str]:
    """List what was said on a topic."""
    return [seen.text for seen in watch.seen[since:] if seen.topic == topic]


def index(watch: Observer, topic: str, payload: bytes | None = None, since: int = 0) -> int:
    """Tell when something was said."""
    return next(i for i, s in enumerate(watch.seen) if i >= since and s.topic == topic and payload in (None, s.payload))


# ---- birth, will, marker


async def test_the_marker_comes_first_then_online_then_every_state(
    node: Start, watch: Observer, broker: Mosquitto
) -> None:
    node(LAMP, CAR)
    await online(watch)
    await watch.wait("pimqtt/car1/car/state")
    await watch.wait("pimqtt/car1/stop/state")
    born = index(watch, AVAILABILITY, b"online")
    assert index(watch, MARKER) < born
    for topic in ("lamp/state", "car/state", "car/limit/state", "stop/state", "lamp/availability", "lamp/lease"):
        assert index(watch, f"pimqtt/car1/{topic}") > born
    kept = await stored(broker.port, "pimqtt/#")
    assert MARKER not in kept
    assert kept[AVAILABILITY] == b"online"
    for topic in ("lamp/state", "lamp/lease", "car/stop/state", "info", "lamp/availability", "car/limit/state"):
        assert f"pimqtt/car1/{topic}" in kept
    assert not [topic for topic in kept if topic.endswith(("/result", "/event", "/set", "/call"))]


async def test_the_will_says_offline_when_the_agent_dies_and_the_next_one_says_online(
    node: Start, watch: Observer, broker: Mosquitto
) -> None:
    running = node(LAMP)
    await online(watch)
    since = len(watch.seen)
    await replaced(running, "agent", running.signal("agent", signal.SIGKILL))
    await watch.wait(AVAILABILITY, lambda s: s.text == "online", since=since)
    await asyncio.sleep(0.2)
    assert words(watch, AVAILABILITY, since)[0] == "offline"
    assert (await stored(broker.port, AVAILABILITY))[AVAILABILITY] == b"online"
    kill_all(running)
    await watch.wait(AVAILABILITY, lambda s: s.text == "offline", since=len(watch.seen) - 1)
    assert (await stored(broker.port, AVAILABILITY))[AVAILABILITY] == b"offline"


async def test_an_old_offline_that_arrives_late_is_answered_with_online(
    node: Start, watch: Observer, broker: Mosquitto
) -> None:
    node(LAMP)
    await online(watch)
    since = len(watch.seen)
    await watch.send(AVAILABILITY, "offline", retain=True)
    await watch.wait(AVAILABILITY, lambda s: s.text == "online", since=since)
    assert (await stored(broker.port, AVAILABILITY))[AVAILABILITY] == b"online"


async def test_states_come_again_after_the_birth_of_home_assistant(node: Start, watch: Observer) -> None:
    node(LAMP, CAR)
    await online(watch)
    await watch.wait("homeassistant/device/car1/lamp/config")
    await watch.wait("homeassistant/device/car1/car/config")
    since = len(watch.seen)
    await watch.send("homeassistant/status", "online")
    for topic in ("lamp/state", "car/state", "stop/state", "lamp/availability", "availability", "car/lease"):
        await watch.wait(f"pimqtt/car1/{topic}", since=since, timeout_s=3)
    assert not [s for s in watch.seen[since:] if s.topic.startswith("homeassistant/device/")]


async def test_many_births_in_a_row_bring_the_states_once(node: Start, watch: Observer) -> None:
    node(LAMP)
    await online(watch)
    await watch.wait("pimqtt/car1/lamp/state")
    since = len(watch.seen)
    for _ in range(20):
        await watch.send("homeassistant/status", "online")
        await asyncio.sleep(0.02)
    await watch.wait("pimqtt/car1/lamp/state", since=since, timeout_s=3)
    await asyncio.sleep(0.5)
    assert 1 <= len(words(watch, "pimqtt/car1/lamp/state", since)) <= 2


async def test_after_a_birth_of_home_assistant_each_node_waits_a_while_of_its_own(node: Start, watch: Observer) -> None:
    """A whole fleet hears the birth at once and must not answer at once."""
    node(LAMP)
    await online(watch)
    await watch.wait("pimqtt/car1/lamp/state")
    waited_s = []
    for _ in range(4):
        since, sent_s = len(watch.seen), time.monotonic()
        await watch.send("homeassistant/status", "online")
        seen = await watch.wait("pimqtt/car1/lamp/state", since=since, timeout_s=4)
        waited_s.append(seen.at_s - sent_s)
        assert words(watch, "pimqtt/car1/lamp/state", since) == ["OFF"]
    assert all(0.2 <= one <= 2.3 for one in waited_s)
    assert max(waited_s) - min(waited_s) > 0.02


async def test_a_broker_that_is_away_costs_no_time(node: Start, watch: Observer, broker: Mosquitto) -> None:
    running = node(LAMP)
    await online(watch)
    broker.stop(signal.SIGKILL)
    pid = running.pid("agent")

    def used_s() -> float:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    before_s = used_s()
    await asyncio.sleep(2)
    assert used_s() - before_s < 0.3
    assert running.pid("agent") == pid


async def test_a_broker_that_was_not_there_is_found_and_found_again(tmp_path: Path) -> None:
    port = free_port()
    with Node(tmp_path / "node", config(port, PUMP)) as running:
        await asyncio.sleep(1)
        for _ in range(2):
            with Mosquitto(tmp_path, port=port) as broker:
                async with observer(port) as watch:
                    await online(watch, timeout_s=15)
                    assert (await told(watch, "pump", {"value": "ON", "ttl": 0.3}))["outcome"] == "accepted"
                broker.stop(signal.SIGKILL)
        await reached(running, 17, 0)
        assert running.levels(17) == [0, 1, 0, 1, 0]
        assert "Traceback" not in running.log.read_text()


async def test_what_happened_while_the_broker_was_away_is_told_as_states_and_not_as_history(
    node: Start, watch: Observer, broker: Mosquitto
) -> None:
    running = node(PUMP, LAMP)
    await online(watch)
    await told(watch, "pump", {"value": "ON", "ttl": 0.6, "owner": "me"})
    await told(watch, "lamp", {"value": "ON"})
    broker.stop(signal.SIGKILL)
    await reached(running, 17, 0)
    broker.start()
    async with observer(broker.port) as later:
        await online(later)
        assert (await later.wait("pimqtt/car1/pump/state")).text == "OFF"
        assert (await later.wait("pimqtt/car1/pump/lease")).payload == b"{}"
        assert (await later.wait("pimqtt/car1/lamp/state")).text == "ON"
        await told(later, "lamp", {"value": "OFF"})
        assert results(later, "pump") == []


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


async def test_without_the_right_to_its_marker_the_node_comes_up_after_5_s_and_says_why(tmp_path: Path) -> None:
    """Who may not read the marker gets what was replayed all the same, only later."""
    may = ("pimqtt/car1/+/+", "pimqtt/car1/+/+/+", AVAILABILITY, INFO, "homeassistant/#")
    acl = ["topic readwrite #", "user car1", f"topic write {MARKER}", *(f"topic readwrite {topic}" for topic in may)]
    (tmp_path / "acl").write_text("\n".join([*acl, ""]))
    with Mosquitto(tmp_path, f"acl_file {tmp_path}/acl\nuser {getpass.getuser()}\n") as broker:
        await retain(broker.port, "pimqtt/car1/lamp/set", {"value": "ON", "id": "a"})
        made = {"value": "ON", "ttl": 30, "at": time.time(), "id": "b"}
        await retain(broker.port, "pimqtt/car1/pump/set", made)
        async with observer(broker.port) as watch:
            with running_at(tmp_path, broker.port, "user: car1", LAMP, PUMP) as running:
                await watch.wait(AVAILABILITY, lambda s: s.text == "online", 12)
                assert (await watch.result("lamp", "a"))["outcome"] == "accepted"
                assert 15 < (await watch.result("pump", "b"))["ttl"] < 26
                assert "our marker did not come back" in running.log.read_text()
                assert running.levels(27) == [0, 1]


# ---- discovery


async def test_orphans_in_discovery_are_cleared_and_those_of_others_are_not(
    node: Start, watch: Observer, broker: Mosquitto
) -> None:
    ghost, other = "homeassistant/device/car1/ghost/config", "homeassistant/device/car2/ghost/config"
    for topic in (ghost, other):
        await retain(broker.port, topic, {"components": {"main": {"platform": "switch"}}})
    node(LAMP)
    await online(watch)
    await watch.wait(ghost, lambda s: s.payload == b"")
    kept = await stored(broker.port, "homeassistant/#")
    assert set(kept) == {other, *(f"homeassistant/device/car1/{device}/config" for device in ("lamp", "system"))}


async def test_identical_discovery_is_not_published_again_and_the_node_comes_first(
    node: Start, watch: Observer
) -> None:
    running = node(LAMP, CAR, PUMP)
    await online(watch)
    for device in ("car", "lamp", "pump"):
        await watch.wait(f"homeassistant/device/car1/{device}/config")
    announced = [s.topic.split("/")[3] for s in watch.seen if s.topic.startswith("homeassistant/device/")]
    assert announced[0] == "system"
    assert sorted(announced) == ["car", "lamp", "pump", "system"]
    for how in ("crash", "restart"):
        since = len(watch.seen)
        if how == "crash":
            running.signal("agent", signal.SIGKILL)
        else:
            running.stop()
            running.start()
        await watch.wait(AVAILABILITY, lambda s: s.text == "online", since=since, timeout_s=10)
        await watch.wait("pimqtt/car1/system/version/state", since=since)
        await asyncio.sleep(0.3)
        assert not [s for s in watch.seen[since:] if s.topic.startswith("homeassistant/device/")]


async def test_a_removed_entity_gets_a_tombstone_and_two_seconds_later_the_clean_payload(
    node: Start, watch: Observer, broker: Mosquitto
) -> None:
    """The kind changes: its number and its button leave, a switch comes."""
    running = node(FAN, LAMP)
    await online(watch)
    topic = "homeassistant/device/car1/fan/config"
    before = (await watch.wait(topic)).json()["components"]
    assert {key: component["platform"] for key, component in before.items()} == {
        "main": "number", "halt": "button", "stop": "switch",
    }  # fmt: skip
    running.stop()
    running.config.write_text(config(broker.port, "{id: fan, kind: switch, pin: 23}"))
    since = len(watch.seen)
    running.start()
    await watch.wait("homeassistant/device/car1/lamp/config", lambda s: s.payload == b"", 10, since)
    first = await watch.wait(topic, since=since)
    buried = {key: part for key, part in first.json()["components"].items() if len(part) == 1}
    assert buried == {"main": {"platform": "number"}, "halt": {"platform": "button"}}
    clean = await watch.wait(topic, lambda s: s.at_s > first.at_s, since=since)
    assert clean.at_s - first.at_s >= 2
    parts = clean.json()["components"]
    assert {key: part["platform"] for key, part in parts.items()} == {"main": "switch", "stop": "switch"}
    assert all(len(part) > 1 for part in parts.values())

    async def gone() -> bool:
        return not [topic for topic in await stored(broker.port, "pimqtt/#") if "/lamp/" in topic]

    for _ in range(60):
        if await gone():
            break
        await asyncio.sleep(0.1)
    assert await gone()  # the states of what left are not left behind
    assert [s.payload for s in watch.seen[since:] if s.topic == topic][2:] == []


async def test_info_says_what_the_node_is(node: Start, watch: Observer) -> None:
    node(LAMP, CAR, FAN)
    await online(watch)
    seen = await watch.wait(INFO)
    info = seen.json()
    assert seen.retain
    assert info["mqtt"] == "5"
    assert info["node"] == info["hardware_id"] == "car1"
    assert isinstance(info["protocol"], int | str)
    assert info["version"]
    assert info["model"]
    assert isinstance(info["addresses"], list)
    assert isinstance(info["capabilities"], list)
    assert {device["id"]: device["kind"] for device in info["devices"]} == {
        "lamp": "switch", "car": "drive", "fan": "motor", "system": "system",
    }  # fmt: skip


# ---- doubles


async def test_another_board_under_our_name_makes_us_back_off_and_move_nothing(
    node: Start, watch: Observer, broker: Mosquitto
) -> None:
    await retain(broker.port, INFO, {"hardware_id": "another board", "version": "1"})
    await retain(broker.port, AVAILABILITY, "online")
    await retain(broker.port, "pimqtt/car1/lamp/set", "ON")
    running = node(LAMP, CAR)
    await eventually(lambda: "is another board (another board; we are car1)" in running.log.read_text(), 10, "said so")
    await watch.send("pimqtt/car1/lamp/set", {"value": "ON", "id": "a"})
    await watch.send("pimqtt/car1/car/set", {"value": {"x": 0, "y": 1}, "id": "b"})
    await asyncio.sleep(1.2)
    said = [s.topic for s in watch.seen if not s.topic.endswith("/set")]
    assert said == [INFO, AVAILABILITY, MARKER]  # one session, and nothing said in it
    assert (running.levels(27), running.levels(5)) == ([0], [0])
    kept = await stored(broker.port, "pimqtt/#")
    assert json.loads(kept[INFO])["hardware_id"] == "another board"
    assert kept[AVAILABILITY] == b"online"
    assert kept["pimqtt/car1/lamp/set"] == b"ON"  # it is the other's to do


async def test_a_board_that_comes_later_under_our_name_makes_us_back_off(node: Start, watch: Observer) -> None:
    running = node(LAMP)
    await online(watch)
    await watch.send(INFO, {"hardware_id": "another board"}, retain=True)
    await eventually(lambda: "is another board" in running.log.read_text(), what="said so")
    await watch.send("pimqtt/car1/lamp/set", {"value": "ON", "id": "a"})
    command = await watch.wait("pimqtt/car1/lamp/set")
    since = watch.seen.index(command)
    await asyncio.sleep(1.2)
    assert watch.seen[since:] == [command]
    assert running.levels(27) == [0]


async def test_a_board_that_is_gone_leaves_its_name_to_us(node: Start, watch: Observer, broker: Mosquitto) -> None:
    await retain(broker.port, INFO, {"hardware_id": "another board"})
    await retain(broker.port, AVAILABILITY, "offline")
    node(LAMP)
    await online(watch)
    assert (await watch.wait(INFO, lambda s: s.json()["hardware_id"] == "car1")).retain


# ---- answers


async def test_a_qos_1_duplicate_is_answered_again_and_not_done_again(node: Start, watch: Observer) -> None:
    running = node(PUMP, FAN)
    await online(watch)
    command = {"value": "ON", "ttl": 0.8, "id": "a", "owner": "me"}
    await watch.send("pimqtt/car1/pump/set", command, qos=1)
    await asyncio.sleep(0.4)
    await watch.send("pimqtt/car1/pump/set", command, qos=1)
    await watch.result("pump", outcome="reverted")
    on, off = [row["t_ns"] for row in running.rows() if row["pin"] == 17][1:]
    assert 0.8 <= (off - on) / 1e9 + 0.02 < 1.1  # it was not renewed
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


async def test_answers_go_to_response_topics_below_reply_and_nowhere_else(node: Start, watch: Observer) -> None:
    node(LAMP, FAN)
    await online(watch)
    good = "pimqtt/reply/me/7"
    await watch.send("pimqtt/car1/lamp/set", "ON", ResponseTopic=good, CorrelationData=b"x1")
    seen = await watch.wait(good)
    assert {"outcome": "accepted", "state": "ON", "id": None}.items() <= seen.json().items()
    assert set(seen.json()) == RESULT_KEYS
    assert seen.properties.CorrelationData == b"x1"
    assert not seen.retain
    await watch.send("pimqtt/car1/fan/set", "101", ResponseTopic=good, CorrelationData=b"x2")
    seen = await watch.wait(good, lambda s: s.properties.CorrelationData == b"x2")
    assert seen.json()["code"] == "out_of_range"
    await watch.wait("pimqtt/car1/fan/result", lambda s: s.json()["code"] == "out_of_range")  # told there as well
    await watch.send("pimqtt/car1/nobody/set", "1", ResponseTopic=good, CorrelationData=b"x3")
    assert (await watch.wait(good, lambda s: s.properties.CorrelationData == b"x3")).json()["code"] == "unknown"
    await watch.send("pimqtt/car1/call", {"action": "get_version"}, ResponseTopic=good, CorrelationData=b"x4")
    assert (await watch.wait(good, lambda s: s.properties.CorrelationData == b"x4")).json()["result"]["version"]
    await watch.send("pimqtt/car1/stop/set", "OFF", ResponseTopic=good, CorrelationData=b"x5")
    await watch.wait(good, lambda s: s.properties.CorrelationData == b"x5")
    for bad in ("pimqtt/reply", "pimqtt/replying/me", "pimqtt/car2/lamp/set", "pimqtt/car1/fan/set", "elsewhere"):
        since = len(watch.seen)
        await watch.send("pimqtt/car1/lamp/set", "OFF", ResponseTopic=bad, CorrelationData=b"y")
        await watch.wait("pimqtt/car1/lamp/state", since=since)
        await told(watch, "lamp", {"value": "ON"})
        assert [s for s in watch.seen[since:] if s.topic == bad] == []


async def test_an_acceptance_is_told_to_who_asks_and_the_state_is_the_answer_otherwise(
    node: Start, watch: Observer
) -> None:
    node(LAMP)
    await online(watch)
    since = len(watch.seen)
    await watch.send("pimqtt/car1/lamp/set", "ON")
    await watch.send("pimqtt/car1/lamp/set", {"value": "OFF", "owner": "me"})
    await watch.wait("pimqtt/car1/lamp/state", lambda s: s.text == "OFF", since=since)
    accepted = await told(watch, "lamp", {"value": "ON"})
    assert set(accepted) == RESULT_KEYS
    assert len(results(watch, "lamp")) == 1


async def test_what_is_not_known_is_answered_where_it_was_asked(node: Start, watch: Observer) -> None:
    node(LAMP, CAR, "{id: door, kind: binary_sensor, pin: 22}")
    await online(watch)
    for name in ("nobody", "car/nothing", "lamp/lamp", "system/nothing", "system/stop", "door/stop", "door"):
        await watch.send(f"pimqtt/car1/{name}/set", "ON")
        answer = (await watch.wait(f"pimqtt/car1/{name}/result")).json()
        assert set(answer) == RESULT_KEYS
        assert answer["code"] == "unknown"
        assert name in answer["reason"]


async def test_calls_are_answered_in_order_beside_what_they_asked(
    node: Start, watch: Observer, broker: Mosquitto
) -> None:
    node(FAN)
    await online(watch)
    batch: list[Any] = [
        {"action": "token", "device": "fan", "id": 1, "mine": {"a": [1, None]}},
        {"action": "dance", "id": 2},
        7,
        {"action": "heartbeat", "owner": "me"},
        {"action": "get_version", "id": "v", "owner": "me"},
        {"id": 3},
    ]
    await watch.send("pimqtt/car1/call", batch)
    seen = await watch.wait("pimqtt/car1/call/result")
    answers = seen.json()
    assert not seen.retain
    assert [answer["outcome"] for answer in answers] == [
        "accepted",
        "rejected",
        "rejected",
        "accepted",
        "accepted",
        "rejected",
    ]
    assert [answer["code"] for answer in answers] == [None, "unknown", "invalid", None, None, "invalid"]
    assert [answer["id"] for answer in answers] == [1, 2, None, None, "v", 3]
    assert answers[0]["mine"] == {"a": [1, None]}
    assert answers[0]["device"] == "fan"
    assert set(answers[0]["result"]) == {"token", "max_age_s"}
    assert answers[4]["owner"] == "me"
    assert all({"id", "action", "outcome", "code", "reason", "result"} <= set(answer) for answer in answers)
    for payload, code in (("[]", "invalid"), ("{", "invalid"), ("1", "invalid"), (json.dumps([{}] * 101), "invalid")):
        since = len(watch.seen)
        await watch.send("pimqtt/car1/call", payload)
        answer = (await watch.wait("pimqtt/car1/call/result", since=since)).json()
        assert (answer["outcome"], answer["code"]) == ("rejected", code)
    since = len(watch.seen)
    await watch.send("pimqtt/car1/call", {"action": "get_version", "id": "kept"}, retain=True)
    refused = await watch.wait("pimqtt/car1/call/result", since=since)
    assert {"id": "kept", "code": "retained", "result": None}.items() <= refused.json().items()
    await cleared(broker.port, "pimqtt/car1/call")
    since = len(watch.seen)
    await watch.send("pimqtt/car1/call", "")
    await called(watch, action="get_version")
    assert len(words(watch, "pimqtt/car1/call/result", since)) == 1


async def test_a_lease_is_told_at_most_once_a_second_while_it_is_renewed(node: Start, watch: Observer) -> None:
    node(PUMP, CAR, env={"PIMQTT_CLOCK": "unsync"})
    await online(watch)
    since = len(watch.seen)
    async with Driving(watch, "car"):
        for _ in range(24):
            await watch.send("pimqtt/car1/pump/set", {"value": "ON", "ttl": 3, "owner": "me"})
            await asyncio.sleep(0.1)
        assert 2 <= len(words(watch, "pimqtt/car1/car/lease", since)) <= 4
    await asyncio.sleep(0.2)
    leases = [s.json() for s in watch.seen[since:] if s.topic == "pimqtt/car1/pump/lease"]
    assert 2 <= len(leases) <= 4
    for lease in leases:
        assert {"owner": "me", "value": "ON", "resting": "OFF", "end": None}.items() <= lease.items()
        assert 1.8 < lease["remaining_s"] <= 3


async def test_the_last_of_several_renewals_is_told_within_a_second(node: Start, watch: Observer) -> None:
    node(PUMP)
    await online(watch)
    for command_id in ("first", "last"):
        await told(watch, "pump", {"value": "ON", "ttl": 30, "owner": "me", "id": command_id})
    sent_s = time.monotonic()
    seen = await watch.wait("pimqtt/car1/pump/lease", lambda s: b'"last"' in s.payload)
    assert seen.at_s - sent_s < 1.3


async def test_a_synchronised_clock_tells_when_a_lease_ends(node: Start, watch: Observer) -> None:
    node(PUMP)
    await online(watch)
    await told(watch, "pump", {"value": "ON", "ttl": 30})
    lease = (await watch.wait("pimqtt/car1/pump/lease", lambda s: s.payload != b"{}")).json()
    assert abs(lease["end"] - time.time() - 30) < 1


async def test_the_true_state_comes_again_after_a_refusal_at_most_every_100_ms(node: Start, watch: Observer) -> None:
    node(LAMP)
    await online(watch)
    await asyncio.sleep(0.15)
    since = len(watch.seen)
    started = time.monotonic()
    for _ in range(50):
        await watch.send("pimqtt/car1/lamp/set", "nonsense")
    await eventually(lambda: len(results(watch, "lamp", since, code="invalid")) == 50, what="all refused")
    took_s = time.monotonic() - started
    assert 1 <= len(words(watch, "pimqtt/car1/lamp/state", since)) <= took_s / 0.1 + 2


async def test_a_qos_1_command_is_answered_without_a_40_ms_pause(node: Start, watch: Observer) -> None:
    node(LAMP)
    await online(watch)
    took_s = []
    for number in range(30):
        since, started = len(watch.seen), time.monotonic()
        await watch.send("pimqtt/car1/lamp/set", "OFF" if number % 2 else "ON", qos=1)
        seen = await watch.wait("pimqtt/car1/lamp/state", since=since)
        took_s.append(seen.at_s - started)
    print(f"QoS 1 command to state: median {statistics.median(took_s) * 1000:.2f} ms")  # noqa: T201
    assert statistics.median(took_s) < 0.02


# ---- ways in


@contextmanager
def running_at(folder: Path, port: int, mqtt: str, *devices: str) -> Iterator[Node]:
    """Run a node with more about its broker."""
    with Node(folder / "node", text(port, *devices, mqtt=mqtt)) as running:
        yield running


async def test_base_and_discovery_prefix_can_be_others(tmp_path: Path, broker: Mosquitto) -> None:
    with running_at(tmp_path, broker.port, "base: site/pi, discovery_prefix: ha", LAMP, PUMP) as running:
        async with observer(broker.port, ("#",)) as watch:
            await watch.wait("site/pi/car1/availability", lambda s: s.text == "online", 10)
            config_seen = (await watch.wait("ha/device/car1/lamp/config")).json()
            assert config_seen["components"]["main"]["command_topic"] == "site/pi/car1/lamp/set"
            reply = "site/pi/reply/me"
            await watch.send("site/pi/car1/lamp/set", "ON", ResponseTopic=reply, CorrelationData=b"1")
            assert (await watch.wait(reply)).json()["outcome"] == "accepted"
            since = len(watch.seen)
            await watch.send("homeassistant/status", "online")
            await watch.wait("site/pi/car1/lamp/state", since=since)
            assert {s.topic.split("/")[0] for s in watch.seen} == {"site", "ha", "homeassistant"}
            assert running.levels(27) == [0, 1]


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


async def test_the_largest_packet_of_the_broker_is_respected(tmp_path: Path) -> None:
    with (
        Mosquitto(tmp_path, "max_packet_size 2500\n") as broker,
        running_at(tmp_path, broker.port, "keepalive: 15", LAMP, CAR, PUMP) as running,
    ):
        async with observer(broker.port) as watch:
            await watch.wait("homeassistant/device/car1/lamp/config", timeout_s=10)
            assert (await told(watch, "lamp", {"value": "ON"}))["outcome"] == "accepted"
            since = len(watch.seen)
            await watch.send("pimqtt/car1/lamp/set", json.dumps({"value": "x" * 1500}))
            assert (await watch.wait("pimqtt/car1/lamp/result", since=since)).json()["code"] == "invalid"
            await watch.send("pimqtt/car1/call", [{"action": "dance", "mine": "y" * 60}] * 12)
            await called(watch, action="get_version")
            assert words(watch, AVAILABILITY).count("offline") == 0
            assert not await stored(broker.port, "homeassistant/device/car1/car/config")
    log = running.log.read_text()
    assert "could not be announced" in log
    assert "Traceback" not in log
    assert "oversize" not in (tmp_path / "mosquitto.log").read_text()


async def test_a_websocket_is_a_way_in(tmp_path: Path) -> None:
    port = free_port()
    extra = f"listener {port}\nprotocol websockets\nsocket_domain ipv4\n"
    with (
        Mosquitto(tmp_path, extra) as broker,
        running_at(tmp_path, port, "transport: websockets, path: /mqtt", PUMP, FAN) as running,
    ):
        async with observer(broker.port) as watch:
            await online(watch)
            assert (await told(watch, "pump", {"value": "ON", "ttl": 0.4}, qos=1))["outcome"] == "accepted"
            await watch.result("pump", cause="expired")
            since = len(watch.seen)
            for number in range(50):  # Mosquitto writes 4 KB to a WebSocket and waits up to 100 ms before the next
                await watch.send("pimqtt/car1/pump/set", {"value": "ON" if number % 2 else "OFF", "id": f"w{number}"})
            await watch.result("pump", "w49", 5)
            assert len(results(watch, "pump", since, outcome="accepted")) == 50
            await watch.send("pimqtt/car1/pump/set", b"x" * 20_000)
            await watch.result("pump", timeout_s=5, code="invalid")
    assert "Traceback" not in running.log.read_text()


async def test_a_login_is_used_and_a_wrong_one_is_said_and_tried_again(tmp_path: Path) -> None:
    with hardened_broker(tmp_path, ["car1"]) as broker:
        wrong = f'user: car1, password: "nonsense", tls: {{ca: "{broker.ca}"}}'
        with running_at(tmp_path / "wrong", broker.port, wrong, LAMP) as running:
            await eventually(lambda: running.log.read_text().lower().count("not authori") >= 2, 10, "refused twice")
            assert running.pid("agent")
            assert "nonsense" not in running.log.read_text()
            assert "Traceback" not in running.log.read_text()
        untrusted = f'user: car1, password: "{broker.passwords["car1"]}", tls: true'
        with running_at(tmp_path / "untrusted", broker.port, untrusted, LAMP) as running:
            await eventually(lambda: "certificate" in running.log.read_text().lower(), 10, "not trusted")
        assert "Traceback" not in running.log.read_text()


async def test_tls_can_be_told_not_to_check_the_name_of_the_broker_and_nothing_else(tmp_path: Path) -> None:
    """The certificate is for other names than 127.0.0.2."""
    folder, port = tmp_path / "tls", free_port()
    assert run_setup(folder, "--host", "127.0.0.1").returncode == 0
    assert run_setup(tmp_path / "other", "--host", "127.0.0.1").returncode == 0
    extra = (
        f"user {getpass.getuser()}\nlistener {port} 127.0.0.2\n"
        f"certfile {folder}/server.crt\nkeyfile {folder}/server.key\n"
    )
    ca, other = folder / "ca.crt", tmp_path / "other" / "ca.crt"
    with Mosquitto(tmp_path, extra):
        for tls, said in (
            (f'{{ca: "{ca}"}}', "IP address mismatch"),
            (f'{{ca: "{other}", insecure: true}}', "certificate verify failed"),
            ("{insecure: true}", "certificate verify failed"),
            (f'{{ca: "{ca}", insecure: true}}', "connected to 127.0.0.2"),
        ):
            content = text(port, LAMP, mqtt=f"tls: {tls}").replace("host: 127.0.0.1", "host: 127.0.0.2")
            with Node(tmp_path / "node", content) as running:
                await eventually(lambda: said in running.log.read_text(), 10, said)  # noqa: B023 - done within the turn
                assert "Traceback" not in running.log.read_text()
                assert ("connected to" in running.log.read_text()) is ("connected" in said)
            running.log.unlink()


@contextmanager
def denials(broker: Hardened) -> Iterator[list[str]]:
    """Have the broker say what it refuses; the list is filled at the end."""
    with (broker.folder / "mosquitto.conf").open("a") as file:
        file.write("\nlog_type debug\n")
    broker.reload()
    found: list[str] = []
    yield found
    found += [line for line in broker.log().splitlines() if "Denied" in line or "denied" in line]


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_everything_works_on_the_hardened_broker_and_nothing_is_denied(tmp_path: Path, protocol: str) -> None:
    with hardened_broker(tmp_path, ["car1"], ["olga:operator"]) as broker, denials(broker) as denied:
        login = (
            f'user: car1, password: "{broker.passwords["car1"]}", tls: {{ca: "{broker.ca}"}}, protocol: "{protocol}"'
        )
        async with _operator(broker, "olga") as watch:
            await watch.send("pimqtt/car1/lamp/set", "ON", retain=True, qos=1)
            await watch.send("pimqtt/stop/set", "ON", retain=True, qos=1)
            with running_at(
                tmp_path, broker.port, login, LAMP, PUMP, CAR, "{id: eye, kind: camera, source: synthetic}"
            ) as node:
                await watch.wait(AVAILABILITY, lambda s: s.text == "online", 10)
                await watch.wait("pimqtt/car1/stop/state", lambda s: s.text == "ON")
                await watch.send("pimqtt/car1/stop/set", "OFF")
                await watch.wait("pimqtt/car1/stop/state", lambda s: s.text == "OFF", since=len(watch.seen) - 1)
                assert (await told(watch, "pump", {"value": "ON", "ttl": 0.3}, qos=1))["outcome"] == "accepted"
                await watch.result("pump", cause="expired")
                assert (await called(watch, action="token", device="car"))["outcome"] == "accepted"
                await watch.send("pimqtt/car1/lamp/set", "ON", ResponseTopic="pimqtt/reply/olga", CorrelationData=b"1")
                if protocol == "5":
                    await watch.wait("pimqtt/reply/olga")
                await watch.send("pimqtt/car1/eye/snapshot/set", "PRESS")
                picture = await watch.wait("pimqtt/car1/eye/image", timeout_s=10)
                assert picture.payload[:2] == b"\xff\xd8"
                assert "Traceback" not in node.log.read_text()
                assert "marker did not come back" not in node.log.read_text()
                await asyncio.sleep(7)  # what it wrote was read back
                assert "does not let" not in node.log.read_text()
            await watch.wait(AVAILABILITY, lambda s: s.text == "offline")
            left = [s for s in await _left(broker) if s.topic.endswith("/set")]
            assert left == []
    assert denied == []


def _client(broker: Hardened, name: str) -> aiomqtt.Client:
    return aiomqtt.Client(
        broker.host, broker.port, username=name, password=broker.passwords[name],
        protocol=aiomqtt.ProtocolVersion.V5, tls_context=ssl.create_default_context(cafile=str(broker.ca)),
    )  # fmt: skip


class _operator:  # noqa: N801 - used as a function
    """An observer with a login."""

    def __init__(self, broker: Hardened, name: str) -> None:
        self.client = _client(broker, name)

    async def __aenter__(self) -> Observer:
        await self.client.__aenter__()
        watch = Observer(self.client)
        self.task = asyncio.create_task(watch.collect())
        await self.client.subscribe("pimqtt/#", qos=1)
        return watch

    async def __aexit__(self, *error: object) -> None:
        self.task.cancel()
        await asyncio.wait({self.task})
        await self.client.__aexit__(None, None, None)


async def _left(broker: Hardened) -> list[Seen]:
    async with _operator(broker, "olga") as watch:
        await asyncio.sleep(0.3)
        return [seen for seen in watch.seen if seen.retain]
