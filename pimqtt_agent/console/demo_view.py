"""What the demo shows: each entity with its pins' levels and its lease, and the newest messages."""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from pathlib import Path
from typing import IO, Any

from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from pimqtt_agent.client import Client
from pimqtt_agent.client_results import Change
from pimqtt_agent.config import load
from pimqtt_agent.console import output
from pimqtt_agent.console.board import Board, NodeRows, Row
from pimqtt_agent.console.watching import cells

FRAME_S = 0.1
_GLYPHS = "·▁▂▃▄▅▆▇█"
_SHOWN = frozenset({"set", "state", "result", "event", "image"})
#: Lines that the greeting takes above us.
_ABOVE = 17
_STYLES = {"set": "cyan", "result": "green", "event": "magenta", "image": "magenta", "pin": "dim"}


class DemoView:
    """One node, by its messages and its trace."""

    def __init__(self, client: Client, config: Path, *, lines: bool) -> None:
        """Read which pins belong to what; raises ``ConfigError``."""
        settings = load(config)
        self.node = settings.node.id
        self.online = asyncio.Event()
        self._client, self._lines = client, lines
        self._pins = {device.id: [line for _, line in device.lines()] for device in settings.devices}
        self._levels: dict[int | str, float] = {}
        self._trace = config.with_name("trace.jsonl")
        self._file: IO[bytes] | None = None
        self._part = b""
        self._board = Board()
        self._shown = False
        self._news: deque[Text] = deque(maxlen=50)

    async def watch(self) -> None:
        """Follow the messages."""
        async for change in self._client.watch(self.node, commands=True):
            self._board.take(change)
            if change.what == "availability" and not change.place.device and change.content == "online":
                self.online.set()
            shown = change.what in _SHOWN and change.place.device != "system"
            if self._shown and shown and not change.retained:
                self._tell(change)

    async def show(self) -> None:
        """Draw until cancelled."""
        self._shown = True
        if self._lines:
            while True:
                self._read_levels()
                await asyncio.sleep(FRAME_S)
        console = Console(highlight=False)
        with Live(console=console, auto_refresh=False) as live:
            while True:
                self._read_levels()
                live.update(self._draw(console.height - _ABOVE), refresh=True)
                await asyncio.sleep(FRAME_S)

    def close(self) -> None:
        """Let go of the trace."""
        if self._file:
            self._file.close()

    def _tell(self, change: Change) -> None:
        line = output.change(change).replace(f"{self.node}/", "", 1)
        if self._lines:
            output.say(line)
        else:
            self._news.append(Text(line, _STYLES.get(change.what, ""), no_wrap=True, overflow="ellipsis"))

    def _read_levels(self) -> None:
        if self._file is None and self._trace.exists():
            self._file = self._trace.open("rb")
        *lines, self._part = (self._part + (self._file.read() if self._file else b"")).split(b"\n")
        for line in lines:
            change: dict[str, Any] = json.loads(line)
            before = self._levels.get(change["pin"])
            self._levels[change["pin"]] = change["value"]
            if self._lines and before != change["value"]:
                clock = time.strftime("%H:%M:%S")
                output.say(f"{clock}  pin {change['pin']:<14} {'level':<12} {change['value']:g}")

    def _draw(self, height: int) -> RenderableType:
        node = self._board.nodes.get(self.node) or NodeRows()
        found = Table(box=box.SIMPLE_HEAD, expand=True, padding=(0, 1, 0, 0), show_edge=False, header_style="dim")
        for header, ratio in (("entity", 3), ("state", 5), ("pins", 5), ("lease, remaining", 6)):
            found.add_column(header, ratio=ratio, no_wrap=True, overflow="ellipsis")
        rows = {name: node.rows.get(name, Row()) for name in self._pins}
        rows |= node.rows
        order = {name: number for number, name in enumerate(self._pins)}
        for name in sorted(rows, key=lambda name: (order.get(name.partition("/")[0], 99), name)):
            label, state, lease, _ = cells(name, node, rows[name])
            found.add_row(label, state, self._pins_of(name), lease)
        left = max(3, height - len(rows) - 5)
        news = list(self._news)[-left:]
        stopped = Text(" EMERGENCY STOP ", "bold white on red") if "" in node.latched else Text("")
        return Group(found, stopped, *news)

    def _pins_of(self, name: str) -> Text:
        text = Text()
        for line in self._pins.get(name, ()):
            level = self._levels.get(line)
            glyph = "" if level is None else _GLYPHS[min(8, max(int(level > 0), round(level * 8)))]
            text.append(f"{line}", "dim")
            text.append(f"{glyph} ", "bold green" if level else "dim")
        return text
