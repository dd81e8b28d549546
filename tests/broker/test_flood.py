"""Very many commands, and very many that are none: order, stops that overtake, and processes that live on."""

from __future__ import annotations

import asyncio
import json
import math
import os
import random
import socket
import statistics
import threading
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Self

import pytest

from tests.broker.old_broker import CONNECT, PUBLISH, SUBSCRIBE, packet, text
from tests.broker.steps import FAN, LAMP, PUMP, Start, called, eventually, online, told
from tests.rig import Mosquitto, Node, Observer, observer

pytestmark = pytest.mark.broker

SWITCHES = 20
COMMANDS, WINDOW = 10_000, 100
#: How many stops a 99th percentile is taken of; what is promised of it where the priority was granted (ms).
STOPS, PROMISE_MS = 200, 50
REAL_TIME = (os.SCHED_FIFO, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK)


def switches() -> list[str]:
    """Configure twenty alike."""
    return [f"{{id: s{number}, kind: switch, pin: {number + 30}}}" for number in range(SWITCHES)]


@dataclass
class Flood:
    """Plain commands by a client of its own, a window of them unanswered; blocking, for a thread."""

    port: int
    sent: list[list[str]] = field(default_factory=lambda: [[] for _ in range(SWITCHES)])
    told: list[list[str]] = field(default_factory=lambda: [[] for _ in range(SWITCHES)])
    rate_hz: float = 0.0
    #: set to end it early; it then forgives answers that do not come, since on a slow machine some are refusals
    over: threading.Event | None = None
    _rest: bytes = b""

    def run(self, count: int) -> Self:
        """Send so many commands, fewer where it is over before; wait until each was answered by a state."""
        with socket.create_connection(("127.0.0.1", self.port), 10 if self.over is None else 0.5) as sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.sendall(packet(CONNECT, text("MQTT") + bytes([4, 2, 0, 60]) + text(f"flood-{id(self)}")))
            sock.sendall(packet(SUBSCRIBE, bytes([0, 1]) + text("pimqtt/car1/+/state") + bytes(1), 2))
            number, lost, started = 0, 0, time.monotonic()
            while (done := sum(map(len, self.told))) < count:
                batch = b""
                if self.over is not None and self.over.is_set():
                    break
                while number < count and number - done - lost < WINDOW:
                    batch += self._command(number)
                    number += 1
                sock.sendall(batch)
                try:
                    self._take(sock.recv(65536))
                except TimeoutError:
                    if self.over is None:
                        raise
                    lost = number - done
            self.rate_hz = number / (time.monotonic() - started)
        return self

    def _command(self, number: int) -> bytes:
        which, payload = number % SWITCHES, "OFF" if number // SWITCHES % 2 else "ON"
        self.sent[which].append(payload)
        return packet(PUBLISH, text(f"pimqtt/car1/s{which}/set") + payload.encode())

    def _take(self, data: bytes) -> None:
        assert data, "the broker closed"
        data, at = self._rest + data, 0
        while len(data) >= at + 2 and len(data) >= at + 2 + data[at + 1]:  # every packet here is short
            head, body = data[at], data[at + 2 : at + 2 + data[at + 1]]
            at += 2 + data[at + 1]
            if head == PUBLISH << 4:  # live, not retained
                end = 2 + int.from_bytes(body[:2], "big")
                device = body[2:end].split(b"/")[2].decode()
                if device.startswith("s") and device[1:].isdigit():
                    self.told[int(device[1:])].append(body[end:].decode())
        self._rest = data[at:]


@pytest.fixture
async def watch(broker: Mosquitto) -> AsyncIterator[Observer]:
    """Watch states and results only: the commands as well would be twice the work."""
    topics = ("pimqtt/+/availability", "pimqtt/+/+/state", "pimqtt/+/+/result", "homeassistant/#")
    async with observer(broker.port, topics) as watcher:
        yield watcher


async def test_10_000_commands_are_all_done_in_order_and_the_last_one_is_right(
    node: Start, watch: Observer, broker: Mosquitto
) -> None:
    running = node(*switches())
    await online(watch)
    begin = len(watch.seen)
    flood = await asyncio.to_thread(Flood(broker.port).run, COMMANDS)
    print(f"{flood.rate_hz:.0f} commands/s")  # noqa: T201
    assert flood.told == flood.sent
    for number, payloads in enumerate(flood.sent):
        assert running.levels(number + 30) == [0, *(int(payload == "ON") for payload in payloads)]
    assert [seen for seen in watch.seen[begin:] if seen.topic.endswith("/result")] == []
    assert "Traceback" not in running.log.read_text()


async def stops(watch: Observer, fan: Fan) -> list[float]:
    """Drive and stop the fan very often; return how long each stop took from the sender's hand to the pin (ms)."""
    took_ms: list[float] = []
    end = time.monotonic() + 40
    while len(took_ms) < STOPS and time.monotonic() < end:
        await watch.send("pimqtt/car1/fan/set", {"value": 50 + len(took_ms) % 50, "owner": "me"})
        if await fan.reached(lambda level: level > 0) is None:
            continue  # refused: it waited for too long
        sent_ns = time.monotonic_ns()
        await watch.send("pimqtt/car1/fan/set", {"value": "stop", "owner": "me"})
        stopped_ns = await fan.reached(lambda level: level == 0)
        assert stopped_ns is not None
        if stopped_ns > sent_ns:  # else its dead-man was faster than this test
            took_ms.append((stopped_ns - sent_ns) / 1e6)
    return sorted(took_ms)


@pytest.mark.timeout(180)
async def test_a_stop_overtakes_a_flood_of_commands_to_other_outputs(
    node: Start, watch: Observer, broker: Mosquitto, record_property: Callable[[str, object], None]
) -> None:
    """Measured with the broker's part and the sender's; where other programs get into it, once or twice more."""
    running = node(*switches(), FAN)
    await online(watch)
    granted = os.sched_getscheduler(running.pid("keeper pins")) in REAL_TIME
    over, fan = threading.Event(), Fan(running)
    flood = Flood(broker.port, over=over)
    flooding = asyncio.create_task(asyncio.to_thread(flood.run, 10_000_000))
    rounds: list[str] = []
    kept = False
    try:
        while not kept and len(rounds) < 3:
            took_ms = await stops(watch, fan)
            assert len(took_ms) >= STOPS // 4
            p99_ms = took_ms[math.ceil(0.99 * len(took_ms)) - 1]
            percentiles = f"p50 {statistics.median(took_ms):.1f} ms, p99 {p99_ms:.1f} ms, worst {took_ms[-1]:.1f} ms"
            rounds.append(f"{len(took_ms)} stops: {percentiles}")
            kept = p99_ms <= PROMISE_MS and took_ms[-1] < 450  # its dead-man would have stopped it after 500
    finally:
        over.set()
    told = f"during {(await flooding).rate_hz:.0f} commands/s: {'; '.join(rounds)}"
    record_property("stops", told)
    print(told)  # noqa: T201 - what is reported where it can't be asserted
    if not granted:
        pytest.skip(f"no real-time priority here, so nothing is promised: {told}")
    assert kept, told


class Fan:
    """Follows the trace of the fan's line, each row read once."""

    def __init__(self, running: Node) -> None:
        self._trace = running.trace
        self._at, self._last = 0, (0, 0.0)

    async def reached(self, test: Callable[[float], bool]) -> int | None:
        """Wait for a level; return when it was set (ns), None where that does not come."""
        end = time.monotonic() + 2
        while not test(self._read()[1]):
            if time.monotonic() > end:
                return None
            await asyncio.sleep(0.005)
        return self._last[0]

    def _read(self) -> tuple[int, float]:
        with self._trace.open("rb") as trace:
            trace.seek(self._at)
            whole = trace.read().rpartition(b"\n")[0]
        self._at += len(whole)
        for line in whole.splitlines():
            if b'"pin": 23,' in line:
                row = json.loads(line)
                self._last = row["t_ns"], row["value"]
        return self._last


async def test_a_flood_of_one_output_does_not_delay_the_last_command_or_lose_it(node: Start, watch: Observer) -> None:
    running = node(PUMP)
    await online(watch)
    for number in range(3000):
        watch.client._client.publish("pimqtt/car1/pump/set", "ON" if number % 2 == 0 else "OFF")
        if number % 100 == 0:
            await asyncio.sleep(0.002)
    await watch.send("pimqtt/car1/pump/set", {"value": "OFF", "id": "last"})
    await eventually(
        lambda: any(b'"id":"last"' in seen.payload for seen in watch.seen[-50:]), 15, "the last is answered"
    )
    assert running.levels(17)[-1] == 0
    last = watch.last("pimqtt/car1/pump/state")
    assert last
    assert last.text == "OFF"
    assert (await told(watch, "pump", {"value": "ON", "ttl": 0.2}))["outcome"] == "accepted"


# ---- what is no command


#: What may not stand beside a value.
FIELDS = (
    '"ttl": 1e999', '"ttl": "5"', '"ttl": -1', '"ttl": 0', '"ttl": true', '"id": 7', '"id": ""', '"owner": []',
    '"owner": "' + "o" * 65 + '"', '"priority": 1.5', '"priority": -1', '"priority": ' + "9" * 5000, '"token": {}',
    '"at": "now"', '"at": ' + "9" * 400, '"expiry": 0', '"extra": 1', '"value": "OFF", "x": 1',
)  # fmt: skip
#: What is no value, as JSON or what looks like it.
VALUES = (
    "NaN", "Infinity", "1e400", "9" * 5000, '"\\ud800"', '"\\u0000"', '["ON"]', '{"value": "ON"}', "null", '"on"', "",
)  # fmt: skip
#: What is no command at all.
TEXTS: tuple[str | bytes, ...] = (
    "on", "1junk", "{", "}", "[]", "[1]", "null", "NaN", '{"value"}', '{"value": "ON"', '"ON"', " ON", "ON ", "ON\0",
    '{"ttl": 1}', '{"": {}}', "{}", '{"state": "on"}', "\ufeffON", "\uff2f\uff2e", "1" * 60_000, "x" * 70_000,
    "é" * 1000, b"\xff\xfe", b"\x00", b"\x80ON", b'{"value": "\xff"}', b"{\x00}",
)  # fmt: skip


def malformed(chance: random.Random) -> bytes:
    """Make something that no output takes."""
    deep = chance.choice((20, 200, 900, 5000, 20_000))
    texts: list[str | bytes] = [
        *TEXTS,
        *(f'{{"value": "ON", {field}}}' for field in FIELDS),
        *(f'{{"value": {value}}}' for value in VALUES),
        '{"value": ' + "[" * deep + "]" * deep + "}",
        '{"value": ' + '{"a":' * deep + "1" + "}" * deep + "}",
        '{"a":' * deep + "1" + "}" * deep,
        "[" * deep,
    ]
    chosen = chance.choice([*texts, None])
    if chosen is None:
        return chance.randbytes(chance.randrange(1, 400)).replace(b"\0", b"?") + b"\xff"
    return chosen if isinstance(chosen, bytes) else chosen.encode()


async def test_1000_malformed_messages_are_all_answered_move_nothing_and_end_nothing(
    node: Start, watch: Observer
) -> None:
    running = node(LAMP, PUMP, FAN, "{id: glow, kind: light, pin: 18}", hardware=", control: true")
    await online(watch)
    before, chance, begin = running.descendants(), random.Random(11), len(watch.seen)
    devices = ("lamp", "pump", "fan", "glow")
    expected = dict.fromkeys(devices, 0)
    for number in range(1000):
        device = devices[number % 4]
        expected[device] += 1
        await watch.send(f"pimqtt/car1/{device}/set", malformed(chance), qos=number % 2)
        if number % 20 == 0:
            await asyncio.sleep(0.01)

    def answered() -> dict[str, int]:
        topics = [seen.topic for seen in watch.seen[begin:]]
        return {device: topics.count(f"pimqtt/car1/{device}/result") for device in devices}

    await eventually(lambda: answered() == expected, 10, f"all answered: {answered()} of {expected}")
    codes = {seen.json()["code"] for seen in watch.seen[begin:] if seen.topic.endswith("/result")}
    assert codes <= {"invalid", "too_large", "out_of_range", "ttl_range", "forbidden"}
    assert [running.levels(pin) for pin in (27, 17, 23, 24, 18)] == [[0]] * 5
    assert running.descendants() == before
    assert "Traceback" not in running.log.read_text()
    assert (await told(watch, "lamp", {"value": "ON"}))["outcome"] == "accepted"


async def test_malformed_calls_stops_and_odd_topics_end_nothing_either(node: Start, watch: Observer) -> None:
    running = node(LAMP, FAN, hardware=", control: true")
    await online(watch)
    before, chance = running.descendants(), random.Random(12)
    topics = (
        "call", "stop/set", "fan/stop/set", "sim/5/set", "sim/²/set", f"sim/{'9' * 5000}/set", "sim/-1/set", "sim//set",
        "sim/1e3/set", "marker", "availability", "info", "/set", "//set", "lamp//set", "a/b/set", "lämp/set", "set",
        "lamp/set/set", "sim/set", "stop/stop/set", "system/set", "system/restart/set", "call/set", "\u200b/set",
    )  # fmt: skip
    for number in range(400):
        payload = malformed(chance)
        if topics[number % len(topics)] == "info" and b"hardware_id" in payload:
            continue
        await watch.send(f"pimqtt/car1/{topics[number % len(topics)]}", payload)
        if number % 20 == 0:
            await asyncio.sleep(0.02)
    for deep in (50, 300, 700, 900, 980, 1000, 5000, 30_000):
        nested = "[" * deep + "]" * deep
        await watch.send("pimqtt/car1/call", '{"action": "get_version", "mine": ' + nested + "}")
        await watch.send("pimqtt/car1/info", '{"hardware_id": ' + nested + "}")
        await watch.send("homeassistant/device/car1/ghost/config", nested)
    await watch.send("homeassistant/status", b"\xff\xfe")
    for pin in ("²", "5", "9999", "1" * 4999):
        await watch.send(f"pimqtt/car1/sim/{pin}/set", "1")
    assert (await called(watch, action="get_version"))["outcome"] == "accepted"
    assert (await told(watch, "lamp", {"value": "ON"}))["outcome"] == "accepted"
    assert running.levels(23) == [0]
    assert running.descendants() == before
    assert "Traceback" not in running.log.read_text()
