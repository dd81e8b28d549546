"""What the demo shows: each entity with its pins' levels and its lease, and the newest messages."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import Any

from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from pimqtt_agent.client import Client
from pimqtt_agent.client_results import Change
from pimqtt_agent.console import output
from pimqtt_agent.console.board import Board, NodeRows, Row
from pimqtt_agent.console.demo_levels import PinLevels
from pimqtt_agent.console.options import Shared
from pimqtt_agent.console.watching import cells

FRAME_S = 0.1
_GLYPHS = "·▁▂▃▄▅▆▇█"
_SHOWN = frozenset({"set", "state", "result", "event", "image"})
_STYLES = {"set": "cyan", "result": "green", "event": "magenta", "image": "magenta"}
#: Rows of the screen that are neither an entity's nor a message's, and messages that are shown at least.
_FRAME, _NEWS = 4, 4


class DemoView:
    """One node, by its messages and its pins."""

    def __init__(self, client: Client, node: str, levels: PinLevels, shared: Shared) -> None:
        """``shared`` says whether it is a live view, lines or JSON."""
        self.node = node
        self.online = asyncio.Event()
        self._client, self._levels = client, levels
        self._lines, self._json = shared.lines, shared.json
        self._board = Board()
        self._shown = False
        self._latches: dict[str, Any] = {}
        self._news: deque[Text] = deque(maxlen=50)

    async def watch(self) -> None:
        """Follow the messages."""
        async for change in self._client.watch(self.node, commands=True):
            self._board.take(change)
            if change.what == "availability" and not change.place.device and change.content == "online":
                self.online.set()
            if self._is_news(change) and self._shown and not change.retained:
                self._tell(change)

    async def show(self, above: int) -> None:
        """Draw until cancelled; ``above`` is how many rows are taken by what stands there already."""
        self._shown = True
        if self._lines:
            while True:
                for pin, level in self._levels.changes():
                    self._tell_level(pin, level)
                await asyncio.sleep(FRAME_S)
        console = Console(highlight=False)
        with Live(console=console, auto_refresh=False) as live:
            while True:
                for _ in self._levels.changes():
                    pass
                live.update(self._draw(console.height, above), refresh=True)
                await asyncio.sleep(FRAME_S)

    def _tell_level(self, pin: int, level: float) -> None:
        if self._json:
            output.say_json({"time": round(time.time(), 3), "pin": pin, "level": level})
        else:
            output.say(output.line(time.time(), f"pin {pin}", "level", f"{level:g}"))

    def _is_news(self, change: Change) -> bool:
        """Leave out readings, what is cleared, and latches that are told again."""
        place = change.place
        if change.what not in _SHOWN or place.device == "system" or change.content == "":
            return False
        if change.what == "state" and "stop" in (place.device, place.entity):
            before, self._latches[place.name] = self._latches.get(place.name, "OFF"), change.content
            return bool(before != change.content)
        return True

    def _tell(self, change: Change) -> None:
        if self._json:
            output.say_json(change.as_json())
            return
        name = change.name.removeprefix(f"{self.node}/")
        line = output.line(change.unix_s, name, change.what, output.content(change))
        if self._lines:
            output.say(line)
        else:
            self._news.append(Text(line, _STYLES.get(change.what, ""), no_wrap=True, overflow="ellipsis"))

    def _draw(self, height: int, above: int) -> RenderableType:
        node = self._board.nodes.get(self.node) or NodeRows()
        rows = {name: node.rows.get(name, Row()) for name in self._levels.pins}
        rows |= node.rows
        found = self._table(node, rows, max(1, height - _FRAME - _NEWS))
        left = max(_NEWS, height - above - found.row_count - _FRAME)
        stopped = Text(" EMERGENCY STOP ", "bold white on red") if "" in node.latched else Text("")
        return Group(found, stopped, *list(self._news)[-left:])

    def _table(self, node: NodeRows, rows: dict[str, Row], most: int) -> Table:
        found = Table(box=box.SIMPLE_HEAD, expand=True, padding=(0, 1, 0, 0), show_edge=False, header_style="dim")
        for header, ratio in (("entity", 3), ("state", 5), ("pins", 5), ("lease, remaining", 6)):
            found.add_column(header, ratio=ratio, no_wrap=True, overflow="ellipsis")
        order = {name: number for number, name in enumerate(self._levels.pins)}
        names = sorted(rows, key=lambda name: (order.get(name.partition("/")[0], 99), name))
        shown = names if len(names) <= most else names[: most - 1]
        for name in shown:
            label, state, lease, _ = cells(name, node, rows[name])
            found.add_row(label, state, self._pins_of(name), lease)
        if len(names) > len(shown):
            found.add_row(Text(f"and {len(names) - len(shown)} more", "dim"))
        return found

    def _pins_of(self, name: str) -> Text:
        text = Text()
        for pin in self._levels.pins.get(name, ()):
            level = self._levels.level(pin)
            glyph = "" if level is None else _GLYPHS[min(8, max(int(level > 0), round(level * 8)))]
            text.append(f"{pin}", "dim")
            text.append(f"{glyph} ", "bold green" if level else "dim")
        return text
