"""`pimqtt drive`: a car or a motor by keyboard."""

from __future__ import annotations

import asyncio
import getpass
import math
import secrets
import socket
import time
from typing import Any

from rich import box
from rich.console import Console
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from pimqtt_agent.client import Client
from pimqtt_agent.client_driving import Driving
from pimqtt_agent.client_results import NoAnswerError, Result
from pimqtt_agent.client_topics import target
from pimqtt_agent.console import output
from pimqtt_agent.console.board import Board, NodeRows, Row
from pimqtt_agent.console.keyboard import Keys, Terminal
from pimqtt_agent.console.options import Shared
from pimqtt_agent.errors import PimqttError

#: Between looks at the keys, and between frames (s).
LOOK_S, FRAME_S = 0.02, 0.1
#: Refusals after which the hand must let go before it drives again.
_LET_GO = frozenset({"held", "let_go", "latched"})
_WORDS = {(0, 1): "forward", (0, -1): "backward", (-1, 0): "left", (1, 0): "right"}


async def drive(shared: Shared, name: str, *, speed: float, first_s: float, priority: int | None) -> int:
    """Drive until ``q``."""
    place = target(name)
    keys = Keys(speed, first_s)
    terminal = Terminal(lambda key: keys.press(key, time.monotonic()))
    owner = f"{getpass.getuser()}@{socket.gethostname()}"[:59] + f"-{secrets.token_hex(2)}"
    async with Client(shared.broker(), owner=owner) as client:
        nodes = {node.id: node for node in await client.nodes()}
        device = nodes[place.node].device(place.device) if place.node in nodes else None
        if place.node not in nodes or not nodes[place.node].online:
            raise NoAnswerError(f"node {place.node} is not online at broker {client.broker}")
        if device is None or device.get("kind") not in _VALUES:
            what = f"is a {device.get('kind')}" if device else f"is unknown to {place.node}"
            raise PimqttError(f"{name} {what}; drive takes a {' or a '.join(_VALUES)}")
        async with client.drive(name, priority=priority) as car:
            seat = Seat(client, car, keys, device["kind"])
            watching = asyncio.create_task(seat.watch())
            try:
                with terminal:
                    await seat.run(live=not shared.lines)
            finally:
                watching.cancel()
    return 0


def _motor(x: float, y: float) -> Any:
    return round(100 * y, 1) if y and not x else None


_VALUES = {"drive": lambda x, y: {"x": round(x, 2), "y": round(y, 2)}, "motor": _motor}


class Seat:
    """Between the keys and the car."""

    def __init__(self, client: Client, car: Driving, keys: Keys, kind: str) -> None:
        """Sit down."""
        self._client, self._car, self._keys, self._value = client, car, keys, _VALUES[kind]
        self._board = Board()
        self._seen: Result | None = None
        self._told = ""

    async def watch(self) -> None:
        """Follow what the node says of the car."""
        async for change in self._client.watch(self._car.place.node):
            self._board.take(change)

    async def run(self, *, live: bool) -> None:
        """Look at the keys until the end."""
        if not live:
            await self._loop(self._line)
            return
        with Live(console=Console(highlight=False), auto_refresh=False) as view:
            await self._loop(lambda: view.update(self.view(), refresh=True))

    async def _loop(self, show: Any) -> None:
        frame_s = 0.0
        while not self._keys.quit:
            if self._car.renewing.done():
                self._car.renewing.result()
            now = time.monotonic()
            self._let_go(now)
            way = self._keys.wanted(now)
            value = self._value(*way) if way else None
            if value is None:
                self._car.rest()
            else:
                self._car.go(value)
            if now >= frame_s:
                frame_s = now + FRAME_S
                show()
            await asyncio.sleep(LOOK_S)

    def _let_go(self, now: float) -> None:
        """Do not take the controls back by a key that happens to be held."""
        refusal = self._car.refusal
        if refusal is not None and refusal is not self._seen:
            self._seen = refusal
            if refusal.code in _LET_GO or refusal.outcome == "reverted":
                self._keys.mute(max(0.6, self._car.max_age_s), now)

    def _line(self) -> None:
        value, refusal = self._car.value, self._car.refusal
        text = f"{self._car.place.name}: {'at rest' if value is None else _way(value)}"
        if refusal is not None and value is None:
            text = f"{self._car.place.name}: {output.result(refusal)}"
        if text != self._told:
            self._told = text
            output.say(text)

    def view(self) -> Panel:
        """Draw the seat."""
        car, place = self._car, self._car.place
        grid = Table.grid(padding=(0, 2))
        grid.add_column(style="dim", width=8)
        grid.add_column(no_wrap=True, overflow="ellipsis")
        moving = car.value is not None
        grid.add_row("way", Text(_way(car.value) if moving else "at rest", "bold green" if moving else "bold"))
        grid.add_row("speed", f"{self._keys.speed:.0%}")
        grid.add_row("lease", self._lease())
        trip = "-" if car.round_trip_s is None else f"{car.round_trip_s * 1000:.0f} ms to the pin and back"
        grid.add_row("answers", trip)
        grid.add_row("refusal", Text(output.result(car.refusal), "red") if car.refusal else Text("-", "dim"))
        grid.add_row("", "")
        grid.add_row("keys", "W A S D or arrows while held, space stops")
        grid.add_row("", "1 to 9 and 0: 10 % to 100 %, Q ends")
        title = f"{place.name} at {self._client.broker}, MQTT {self._client.connection.version}"
        return Panel(grid, title=title, box=box.ROUNDED, width=min(78, Console().width))

    def _lease(self) -> Text:
        last, us = self._car.last, self._client.owner
        if last and last.accepted and last.ttl and self._car.value is not None:
            left_s = max(0.0, last.ttl - (time.monotonic() - self._car.last_s))
            return Text(f"{left_s:.1f} s, {us}", "yellow")
        place = self._car.place
        node = self._board.nodes.get(place.node) or NodeRows()
        if node.latched & {"", place.device}:
            what = place.node if "" in node.latched else f"{place.node}/{place.device}"
            return Text(f"EMERGENCY STOP: pimqtt reset {what}", "bold red")
        row = node.rows.get(f"{place.device}/{place.entity}" if place.entity else place.device) or Row()
        return Text(row.lease or "nobody's", "" if row.lease else "dim")


def _way(value: Any) -> str:
    """Name a way."""
    if not isinstance(value, dict):
        return f"{value:g} %"
    x, y = value["x"], value["y"]
    word = " ".join(
        _WORDS[way] for way in ((0, int(math.copysign(1, y)) if y else 0), (int(math.copysign(1, x)) if x else 0, 0))
        if way != (0, 0)
    )  # fmt: skip
    return f"{word} (x {x:g} y {y:g})"
