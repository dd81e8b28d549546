"""`pimqtt watch`: a live table of entities, or a line for each change."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from pimqtt_agent.client import Client
from pimqtt_agent.client_broker import Broker
from pimqtt_agent.client_results import Change
from pimqtt_agent.console import output
from pimqtt_agent.console.board import Board, NodeRows, Row
from pimqtt_agent.console.options import Shared
from pimqtt_agent.errors import BrokerError

#: Frames while something counts down or changes, and how long a result stands out (s).
FRAME_S, FRESH_S = 0.1, 2.0
RETRY_S = 2.0
#: After how long a silence is told of (s).
SILENT_S = 1.5
_STYLES = {"accepted": "green", "rejected": "red", "reverted": "yellow", "event": "cyan"}


async def watch(shared: Shared, node: str | None, seconds: float | None) -> int:
    """Watch until the end; the connection is made again when it is lost."""
    changes = _changes(shared.broker(), node, give_up=True)
    shown = _lines(changes, node, as_json=shared.json) if shared.lines else _table(changes, str(shared.broker()))
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await shown
    return 0


async def _changes(broker: Broker, node: str | None, *, give_up: bool) -> AsyncIterator[Change | str]:
    """Tell changes, and words about the connection; ``give_up`` where the first try fails."""
    while True:
        try:
            async with Client(broker) as client:
                yield ""
                give_up = False
                async for change in client.watch(node):
                    yield change
        except BrokerError as error:
            if give_up:
                raise
            yield f"{error}; trying again"
        await asyncio.sleep(RETRY_S)


async def _lines(changes: AsyncIterator[Change | str], node: str | None, *, as_json: bool) -> None:
    words = f"pimqtt: nothing from {f'node {node}' if node else 'any node'} yet; waiting (Ctrl-C ends)"
    silent = asyncio.get_running_loop().call_later(SILENT_S, output.complain, words)
    async for change in changes:
        if isinstance(change, str):
            if change:
                output.complain(change)
            continue
        silent.cancel()
        if as_json:
            output.say_json(change.as_json())
        else:
            output.say(output.change(change))


async def _table(changes: AsyncIterator[Change | str], broker: str) -> None:
    board, console = Board(), Console(highlight=False)
    trouble = ""

    async def collect() -> None:
        nonlocal trouble
        async for change in changes:
            if isinstance(change, str):
                trouble = change
            else:
                board.take(change)

    collecting = asyncio.create_task(collect())
    try:
        with Live(console=console, screen=True, auto_refresh=False) as live:
            while not collecting.done():
                live.update(view(board, broker, trouble, console.height), refresh=True)
                await asyncio.sleep(FRAME_S)
        await collecting
    finally:
        collecting.cancel()


def view(board: Board, broker: str, trouble: str, height: int) -> RenderableType:
    """Draw everything, within a height."""
    head = Text.assemble(("pimqtt watch ", "bold"), (broker, "dim"), "   ", (trouble, "red"), ("Ctrl-C ends", "dim"))
    head.no_wrap, head.overflow = True, "ellipsis"
    parts: list[RenderableType] = [head]
    left = height - 2
    if not board.nodes:
        parts.append(Text("\nNo node has said anything here yet.", "dim"))
    for name in sorted(board.nodes):
        node = board.nodes[name]
        parts += ["", title(name, node), table(node, max(1, left - 4))]
        left -= len(node.rows) + 4
        if left < 3:
            break
    return Group(*parts)


def title(name: str, node: NodeRows) -> Text:
    """Name a node: online or not, stopped or not, and its readings."""
    words = {True: ("online", "green"), False: ("offline", "red"), None: ("never seen", "dim")}[node.online]
    text = Text.assemble((name, "bold"), " ", words, "  ", (node.about, "dim"))
    if "" in node.latched:
        text.append("  EMERGENCY STOP", "bold white on red")
    for key in ("temperature", "load", "memory"):
        if key in node.system:
            text.append(f"  {key} {node.system[key]}", "dim")
    text.no_wrap, text.overflow = True, "ellipsis"
    return text


def table(node: NodeRows, most: int) -> Table:
    """Draw the entities of a node."""
    found = Table(box=box.SIMPLE_HEAD, expand=True, padding=(0, 1, 0, 0), show_edge=False, header_style="dim")
    for header, ratio in (("entity", 4), ("state", 4), ("lease", 6), ("last result", 8)):
        found.add_column(header, ratio=ratio, no_wrap=True, overflow="ellipsis")
    names = sorted(node.rows)
    for name in names[:most]:
        found.add_row(*cells(name, node, node.rows[name]))
    if len(names) > most:
        found.add_row(Text(f"and {len(names) - most} more", "dim"))
    return found


def cells(name: str, node: NodeRows, row: Row) -> tuple[Text, Text, Text, Text]:
    """Draw one entity."""
    device = name.partition("/")[0]
    if device in node.latched:
        state = Text("STOPPED", "bold red")
    elif device in node.offline or node.online is False:
        state = Text(row.state or "-", "dim strike")
    else:
        state = Text(row.state or "-", "" if row.state else "dim")
    fresh = time.monotonic() - row.last_s < FRESH_S
    style = _STYLES.get(row.outcome, "") if fresh else "dim"
    lease = Text(row.lease, "bold yellow" if row.remaining_s > 0 else "dim")
    return Text(name), state, lease, Text(row.last, style)
