"""Somebody who drives: a process that renews car and fan at a steady clock (``sender.py JSON``).

It prints ``ready``, reads when to begin (ns, CLOCK_MONOTONIC), writes when each message went to the socket into a log,
and stays connected until its input ends.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from benchmarks.safety.pins import PUMP_TTL_S, speed
from benchmarks.safety.wire import Connection, fields

#: What proves a command's age: nothing, `at`, a token, or the Message Expiry Interval.
Stamp = Literal["plain", "at", "token", "expiry"]
EXPIRY_S = 10
EVERY_S = 0.1
#: Below the pin keeper's. The sender stands for another machine: what makes the node slow must not slow it.
PRIORITY = 10


@dataclass(frozen=True)
class Orders:
    """What a sender is to do: ``count`` renewals, ten a second; the pump goes on with the first."""

    port: int
    node: str
    log: str
    count: int
    owner: str = "driver"
    stamp: Stamp = "plain"
    backward: bool = False
    pump: bool = True


@dataclass
class Sender:
    """The loop."""

    orders: Orders
    token: dict[str, str] = field(default_factory=dict)

    def run(self) -> None:
        """Connect, renew, wait for the end."""
        orders = self.orders
        self._link = Connection(orders.port, f"{orders.owner}-{os.getpid()}", 5 if orders.stamp == "expiry" else 4)
        self._log = os.open(orders.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        if orders.stamp == "token":
            self._ask_tokens()
        print("ready", flush=True)
        start_s = int(sys.stdin.readline()) / 1e9
        with contextlib.suppress(OSError):  # the broker is gone: nothing more can be renewed
            for number in range(orders.count):
                self._listen(start_s + number * EVERY_S)
                self._renew(number)
        sys.stdin.read()

    def _renew(self, number: int) -> None:
        level = -speed(number) if self.orders.backward else speed(number)
        values: list[tuple[str, Any]] = [("car", {"x": 0, "y": level}), ("fan", round(level * 100))]
        messages = [self._command(device, {"value": value}, number) for device, value in values]
        if self.orders.pump and not number:
            messages.append(self._command("pump", {"value": "ON", "ttl": PUMP_TTL_S}, number))
        at_ns = time.monotonic_ns()
        self._link.send(*messages)
        os.write(self._log, b"%d %d\n" % (at_ns, number))

    def _command(self, device: str, command: dict[str, Any], number: int) -> bytes:
        command["owner"] = self.orders.owner
        topic = f"pimqtt/{self.orders.node}/{device}/set"
        match self.orders.stamp:
            case "at":
                command["at"] = round(time.time(), 3)
            case "token" if device in self.token:
                command |= {"id": f"{device}-{number}", "token": self.token[device]}
            case "expiry":
                return self._link.message(topic, {**command, "expiry": EXPIRY_S}, 1, EXPIRY_S)
        return self._link.message(topic, command)

    def _ask_tokens(self) -> None:
        """Subscribe to the answers, and ask for the first token of each."""
        for device in ("car", "fan"):
            self._link.subscribe(f"pimqtt/{self.orders.node}/{device}/result")
        self._link.subscribe(f"pimqtt/{self.orders.node}/call/result")
        for device in ("car", "fan"):
            call = {"action": "token", "device": device, "id": device}
            self._link.publish(f"pimqtt/{self.orders.node}/call", call)
        self._listen(time.monotonic() + 0.2)

    def _listen(self, until_s: float) -> None:
        """Wait; take the newest tokens meanwhile."""
        if self.orders.stamp != "token":
            time.sleep(max(0.0, until_s - time.monotonic()))
            return
        for topic, payload in self._link.heard(until_s):
            answer = fields(payload)
            called = topic.endswith("/call/result")
            device = answer["id"] if called else topic.split("/")[-2]
            token = (answer["result"] or {}).get("token") if called else answer["token"]
            if token:
                self.token[device] = token


def main(text: str) -> None:
    """Drive as ordered."""
    with contextlib.suppress(PermissionError):  # without the priority figures are blurred; the report tells that
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(PRIORITY))
    Sender(Orders(**json.loads(text))).run()


def sent(log: Path) -> list[int]:
    """Return when each renewal was written (ns); the pump's command went with the first."""
    return [int(line.split()[0]) for line in log.read_text().splitlines()] if log.exists() else []


if __name__ == "__main__":
    main(sys.argv[1])
