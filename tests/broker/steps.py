"""Steps that the files here share: waiting beside the loop, driving by renewal, killing, asking the broker."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import socket
import time
import warnings
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiomqtt

from tests.rig import Node, Observer, Seen, config, kill_together, observer, wait_for

Start = Callable[..., Node]

CAR = "{id: car, kind: drive, left: {forward: 5, backward: 6}, right: {forward: 13, backward: 19}, deadman: 0.5}"
FAN = "{id: fan, kind: motor, forward: 23, backward: 24, deadman: 0.5}"
LAMP = "{id: lamp, kind: switch, pin: 27}"
PUMP = "{id: pump, kind: switch, pin: 17, ttl: {default: 5, max: 60}}"
DEADMAN_S = 0.5
#: One with a dead-man of 3 s, where something else is looked at.
PATIENT_FAN = FAN.replace("deadman: 0.5", "deadman: 3")
#: The four lines of the car.
WHEELS = (5, 6, 13, 19)
#: Emergency stops.
ALL, NODE, DEVICE = "pimqtt/stop", "pimqtt/car1/stop", "pimqtt/car1/car/stop"
#: What a dead-man may be late on a loaded test machine (s); the promise is 20 ms on a board of its own.
LATE_S = 0.06
#: What a loaded machine may add to a change that is no dead-man (s).
SLOW_S = 0.4
#: What a command is refused with that waited in an agent or a keeper which got no processor.
STOOD_STILL = ("it waited ", "stood still for")


def switch(options: str, name: str = "lamp", pin: int = 27) -> str:
    """Configure a switch."""
    return f"{{id: {name}, kind: switch, pin: {pin}, {options}}}"


async def online(watch: Observer, since: int = 0, timeout_s: float = 10) -> None:
    """Wait until the node is there and announced."""
    await watch.wait("pimqtt/car1/availability", lambda seen: seen.text == "online", timeout_s, since)
    await watch.wait("homeassistant/device/car1/system/config", timeout_s=timeout_s)


async def reached(running: Node, pin: int, level: float, timeout_s: float = 10) -> int:
    """Wait until a pin is at a level; return when it got there (ns, CLOCK_MONOTONIC)."""
    end = time.monotonic() + timeout_s
    while True:
        rows = [row for row in running.rows() if row["pin"] == pin]
        if rows and rows[-1]["value"] == level:
            return int(rows[-1]["t_ns"])
        assert time.monotonic() < end, f"pin {pin} not at {level} within {timeout_s} s: {running.levels(pin)}"
        await asyncio.sleep(0.01)


async def reached_any(running: Node, pin: int) -> None:
    """Wait until a pin is driven."""
    await eventually(lambda: running.levels(pin) and running.levels(pin)[-1] > 0, what=f"pin {pin} is driven")


async def wheels(running: Node, *levels: float) -> None:
    """Wait until the four lines of the car are at these levels."""

    def now() -> tuple[float, ...]:
        return tuple(running.levels(pin)[-1] for pin in WHEELS)

    await eventually(lambda: now() == levels, what=f"{levels}, is {now()}")


def moves(running: Node, pin: int) -> list[dict[str, Any]]:
    """List the rows of a pin after its claim."""
    return [row for row in running.rows() if row["pin"] == pin][1:]


def on_for(running: Node, pin: int, *, on: bool = True) -> list[float]:
    """List how long a pin was on (or off) each time (s), without the last if it still is."""
    times, since = [], None
    for row in running.rows():
        if row["pin"] != pin:
            continue
        if bool(row["value"]) is on and since is None:
            since = row["t_ns"]
        elif bool(row["value"]) is not on and since is not None:
            times.append(seconds(since, row["t_ns"]))
            since = None
    return times


def off_for(running: Node, pin: int) -> list[float]:
    """List how long a pin was off each time before it went on again (s)."""
    return on_for(running, pin, on=False)


async def eventually(condition: Callable[[], Any], timeout_s: float = 10, what: str = "") -> Any:
    """Wait until a condition holds; return what it gave."""
    end = time.monotonic() + timeout_s
    while not (value := condition()):
        assert time.monotonic() < end, f"not within {timeout_s} s: {what or condition}"
        await asyncio.sleep(0.01)
    return value


async def replaced(running: Node, role: str, old: int) -> int:
    """Wait for the successor of a child."""
    return int(await eventually(lambda: running.pid(role) not in (0, old) and running.pid(role), what=f"new {role}"))


async def told(watch: Observer, device: str, payload: dict[str, Any], **send: Any) -> dict[str, Any]:
    """Send a command and return its result; an ``id`` is made where there is none.

    It is sent once more where it was refused for nothing but that this machine stood still for a moment; pytest's
    summary names that.
    """
    result = await told_once(watch, device, {"id": f"t{next(_ids)}", **payload}, **send)
    if "id" in payload or not any(words in str(result["reason"]) for words in STOOD_STILL):
        return result
    warnings.warn(f"sent again: {result['reason']}", RuntimeWarning, stacklevel=2)
    return await told_once(watch, device, {"id": f"t{next(_ids)}", **payload}, **send)


async def told_once(watch: Observer, device: str, command: dict[str, Any], **send: Any) -> dict[str, Any]:
    """Send a command that has an ``id``; return its result."""

    def fits(seen: Seen) -> bool:
        content = seen.json()
        return content["id"] == command["id"] and not content["cause"]

    since = len(watch.seen)
    await watch.send(f"pimqtt/car1/{device}/set", command, **send)
    content: dict[str, Any] = (await watch.wait(f"pimqtt/car1/{device}/result", fits, since=since)).json()
    return content


async def eventually_told(watch: Observer, device: str, payload: dict[str, Any]) -> dict[str, Any]:
    """Send a command until a keeper is there for it."""
    for _ in range(50):
        result = await told(watch, device, payload)
        if result["code"] != "unavailable":
            return result
        await asyncio.sleep(0.05)
    raise AssertionError("no keeper")


async def stop_accepted(watch: Observer, device: str) -> None:
    """Send the stop of a device until it is taken."""
    for _ in range(50):
        if (await told(watch, device, {"value": "stop"}))["outcome"] == "accepted":
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"{device} does not take a stop")


async def called(watch: Observer, **call: Any) -> dict[str, Any]:
    """Make a node call and return its answer."""
    call = {"id": f"c{next(_ids)}", **call}
    since = len(watch.seen)
    await watch.send("pimqtt/car1/call", call)
    seen = await watch.wait("pimqtt/car1/call/result", lambda s: f'"{call["id"]}"' in s.text, since=since)
    content: dict[str, Any] = seen.json()
    return content


async def token(watch: Observer, device: str) -> str:
    """Ask for a token."""
    answer = await called(watch, action="token", device=device)
    return str(answer["result"]["token"])


def results(watch: Observer, device: str, since: int = 0, **want: Any) -> list[dict[str, Any]]:
    """List a device's results with these fields."""
    told_ = [s.json() for s in watch.seen[since:] if s.topic == f"pimqtt/car1/{device}/result"]
    return [result for result in told_ if all(result[key] == value for key, value in want.items())]


class Driving:
    """Commands at 10 Hz, each a little different, so that each that is done leaves a row in the trace."""

    def __init__(
        self, watch: Observer, device: str, owner: str | None = "me", every_s: float = 0.1, **fields: Any
    ) -> None:
        self.watch, self.device, self.every_s = watch, device, every_s
        self.fields = fields if owner is None else {"owner": owner, **fields}
        self.sent_s = 0.0
        self.count = 0
        self._going = True
        self._task: asyncio.Task[None] | None = None

    async def send(self) -> None:
        """Send the next command."""
        self.count += 1
        speed = 30 + self.count % 40
        value = speed if self.device == "fan" else {"x": 0, "y": speed / 100}
        self.sent_s = time.monotonic()
        command = {"value": value, "id": f"{self.fields.get('owner')}-{self.count}", **self.fields}
        await self.watch.send(f"pimqtt/car1/{self.device}/set", command)

    async def _run(self) -> None:
        due_s = time.monotonic()
        while self._going:  # a cancellation alone can get lost in the client's wait_for
            await self.send()
            due_s += self.every_s
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))

    async def stop(self) -> None:
        """Send nothing more."""
        self._going = False
        if self._task:
            self._task.cancel()
            await asyncio.wait({self._task})
            self._task = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self.stop()


def text(port: int, *devices: str, mqtt: str = "", extra: str = "", hardware: str = "") -> str:
    """Write a configuration with more about the broker (``protocol: "3.1.1"``)."""
    plain = config(port, *devices, extra=extra, hardware=hardware)
    return plain.replace(f"port: {port}}}", f"port: {port}, {mqtt}}}") if mqtt else plain


def kill_all(running: Node) -> None:
    """Kill the supervisor and all its children at once, as a power cut does."""
    assert running.process
    pids = [*running.descendants(), running.process.pid]
    kill_together(pids)
    running.process.wait(5)
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), what="all dead")
    running.process = None


async def stored(port: int, topic: str) -> dict[str, bytes]:
    """Return what the broker has retained below a topic filter, as a fresh subscriber sees it."""
    async with observer(port, (topic,)) as fresh:
        mark = f"test/mark/{next(_ids)}-{os.getpid()}"
        await fresh.client.subscribe(mark, qos=1)
        await fresh.send(mark, "x", qos=1)
        await fresh.wait(mark)
        return {seen.topic: seen.payload for seen in fresh.seen if seen.retain and seen.topic != mark}


async def cleared(port: int, topic: str, timeout_s: float = 10) -> None:
    """Wait until the broker has nothing retained on a topic."""
    end = time.monotonic() + timeout_s
    while (left := await stored(port, topic)) and time.monotonic() < end:
        await asyncio.sleep(0.05)
    assert left == {}


async def retain(port: int, topic: str, payload: object, **v5: Any) -> None:
    """Leave a retained message at the broker, from a client that goes away."""
    async with observer(port, ()) as sender:
        await sender.send(topic, payload, retain=True, qos=1, **v5)


@contextlib.asynccontextmanager
async def connected(port: int, client_id: str, **kwargs: Any) -> AsyncIterator[aiomqtt.Client]:
    """Connect a plain client under a name."""
    no_delay = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
    async with aiomqtt.Client("127.0.0.1", port, identifier=client_id, socket_options=no_delay, **kwargs) as client:
        yield client


def lease_of(seen: Seen) -> dict[str, Any]:
    """Read a lease topic."""
    content: dict[str, Any] = json.loads(seen.payload)
    return content


def ran(ttl_s: float, sent_ns: int, on_ns: int, off_ns: int, late_s: float = LATE_S) -> None:
    """Check that a lease ran for its TTL since it came, which was after it was sent and before the pin was on."""
    assert ttl_s <= seconds(sent_ns, off_ns)
    assert seconds(on_ns, off_ns) <= ttl_s + late_s


def seconds(start_ns: int, end_ns: int) -> float:
    """Return the time between two rows of the trace (s)."""
    return (end_ns - start_ns) / 1e9


_ids = itertools.count(1)
