"""What a hostile look at the product found: each is a promise of its own."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from tests.broker.steps import PUMP, Start, online, replaced
from tests.rig import ROOT, Mosquitto, Node, Observer, Seen, config, wait_for

pytestmark = pytest.mark.broker

LAST = "{id: last, kind: switch, pin: 27, initial: last}"
EYE = "{id: eye, kind: camera, source: synthetic}"


def says(word: str, seen: Seen) -> bool:
    return seen.text == word


async def test_a_latch_outlives_camera_keeper_agent_and_restart(node: Start, watch: Observer) -> None:
    running = node(PUMP, LAST, EYE)
    await online(watch)
    await watch.wait("pimqtt/car1/eye/image", timeout_s=15)
    await watch.send("pimqtt/car1/stop/set", "ON")
    await watch.wait("pimqtt/car1/stop/state", lambda s: s.text == "ON")
    for role in ("keeper camera eye", "agent"):
        count = len(watch.seen)
        await replaced(running, role, running.signal(role, signal.SIGKILL))
        if role == "agent":
            await online(watch, count)
        else:
            for word in ("offline", "online"):
                await watch.wait("pimqtt/car1/eye/availability", partial(says, word), 15, since=count)
        await watch.wait("pimqtt/car1/eye/image", timeout_s=15, since=count)
        assert watch.last("pimqtt/car1/stop/state").text == "ON"  # type: ignore[union-attr]
    running.stop()
    await watch.wait("pimqtt/car1/availability", lambda s: s.text == "offline", since=len(watch.seen))
    count = len(watch.seen)
    running.start()
    await watch.wait("pimqtt/car1/pump/lease", timeout_s=10, since=count)
    await watch.send("pimqtt/car1/last/set", {"value": "ON", "id": "after"})
    assert (await watch.result("last", "after", 10))["code"] == "latched"
    assert 1 not in running.levels(27)


@pytest.mark.parametrize("copied", [False, True], ids=["a folder of its own", "a copy of the state folder"])
async def test_a_second_agent_of_the_same_node_makes_one_go_away(
    node: Start, broker: Mosquitto, watch: Observer, tmp_path: Path, *, copied: bool
) -> None:
    first = node(PUMP)
    await online(watch)
    if copied:
        shutil.copytree(first.folder / "state", tmp_path / "second" / "state")
    with Node(tmp_path / "second", config(broker.port, PUMP)) as second:
        told = "another agent with our name"
        wait_for(lambda: told in first.log.read_text() + second.log.read_text(), 20, "backing off")
        await asyncio.sleep(3)
        logs = [n.log.read_text() for n in (first, second)]
        assert [text.count("connected to") <= 2 for text in logs] == [True, True], "\n".join(logs)


async def test_a_full_disk_costs_the_trace_and_nothing_else(broker: Mosquitto, watch: Observer, tmp_path: Path) -> None:
    text = config(broker.port, PUMP).replace("trace.jsonl", "/dev/full")
    with Node(tmp_path / "node", text) as running:
        await online(watch)
        await watch.send("pimqtt/car1/pump/set", {"value": "ON", "ttl": 1, "id": "a"})
        await watch.result("pump", "a", outcome="accepted")
        await watch.result("pump", outcome="reverted")
        log = running.log.read_text()
        assert "the trace has gaps" in log
        assert "Traceback" not in log


async def test_an_emergency_stop_may_be_json_and_is_answered_where_it_bears_an_id(node: Start, watch: Observer) -> None:
    node(PUMP)
    await online(watch)
    reply = "pimqtt/reply/me"
    for topic, word, owner in (
        ("pimqtt/car1/stop", "ON", "me"), ("pimqtt/car1/stop", "OFF", None),
        ("pimqtt/car1/pump/stop", "ON", "me"), ("pimqtt/stop", "OFF", "you"),
    ):  # fmt: skip
        since, told = len(watch.seen), topic.replace("pimqtt/stop", "pimqtt/car1/stop")
        command = {"value": word, "id": f"z{since}"} | ({"owner": owner} if owner else {})
        await watch.send(f"{topic}/set", command, ResponseTopic=reply, CorrelationData=b"c")
        expected = {
            "id": f"z{since}", "outcome": "accepted", "code": None, "reason": None, "value": word, "state": word,
            "ttl": None, "cause": None, "owner": owner or "anonymous", "holder": None, "token": None,
        }  # fmt: skip
        seen = await watch.wait(f"{told}/result", since=since)
        assert (seen.json(), seen.retain) == (expected, False)
        seen = await watch.wait(reply, since=since)
        assert seen.json() == expected
        assert seen.properties.CorrelationData == b"c"
        await watch.wait(f"{told}/state", lambda s, word=word: s.text == word, since=since)  # type: ignore[misc]
    since = len(watch.seen)
    await watch.send("pimqtt/car1/stop/set", {"value": "OFF", "owner": "me"})
    await watch.wait("pimqtt/car1/stop/state", since=since)
    assert not [s for s in watch.seen[since:] if s.topic.endswith("/result")]  # else the state is the answer


def test_safe_drives_every_output_though_nobody_reads_its_words(broker: Mosquitto, tmp_path: Path) -> None:
    devices = [f"{{id: d{n}, kind: switch, pin: {n}}}" for n in range(12)]
    running = Node(tmp_path / "node", config(broker.port, *devices, hardware=", on_release: latch"))
    with running:
        wait_for(lambda: "connected to" in running.log.read_text(), 10, "the connection")
        for n in range(12):
            topic = f"pimqtt/car1/d{n}/set"
            subprocess.run(["mosquitto_pub", "-p", str(broker.port), "-q", "1", "-t", topic, "-m", "ON"], check=True)
        for n in range(12):
            running.wait_level(n, 1)
        assert running.process
        pids = [running.process.pid, *running.descendants()]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        running.process.wait()
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-u", "-m", "pimqtt_agent", "safe", "-c", str(running.config)]
    done = subprocess.run(command, env=running.env, cwd=ROOT, stdout=write, stderr=subprocess.PIPE, check=False)
    os.close(write)
    assert done.returncode == 0, done.stderr
    assert [running.levels(n)[-1] for n in range(12)] == [0] * 12


async def test_a_stop_does_not_wait_for_a_broker_that_never_answers(tmp_path: Path, broker: Mosquitto) -> None:
    text = config(broker.port, PUMP).replace("port:", "keepalive: 15, tls: {insecure: true}, port:")
    running = Node(tmp_path / "node", text)  # a TLS client before a listener without TLS
    with running:
        await asyncio.sleep(0.5)
        began = time.monotonic()
        assert running.stop() == 0
        assert time.monotonic() - began < 2.5
