"""`pimqtt demo`: an embedded broker, the real `pimqtt run` on a simulated Pi, and a view of what they do."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import os
import shutil
import sys
import tempfile
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

from pimqtt_agent.client import SETTLE_S, Client
from pimqtt_agent.client_broker import Broker
from pimqtt_agent.client_connection import Incoming
from pimqtt_agent.config import load
from pimqtt_agent.console import output
from pimqtt_agent.console.demo_greeting import greeting
from pimqtt_agent.console.demo_home import home
from pimqtt_agent.console.demo_levels import PinLevels
from pimqtt_agent.console.demo_mosquitto import mosquitto
from pimqtt_agent.console.demo_process import last_words, running
from pimqtt_agent.console.demo_view import DemoView
from pimqtt_agent.console.options import Shared
from pimqtt_agent.errors import PimqttError
from pimqtt_agent.topics import Topics

NODE, CONFIG = "demo", Path(__file__).with_name("demo.yaml")
_PASSWORD = "PIMQTT_DEMO_PASSWORD"
#: How long the node may take to come (s).
START_S = 20.0


async def demo(shared: Shared, port: int | None, seconds: float | None, *, home_assistant: bool = False) -> int:
    """Show it until the end."""
    if shared.host and home_assistant:
        raise PimqttError("--home-assistant brings a broker of its own: leave out --broker")
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="pimqtt-demo-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        broker, what = await _broker(stack, shared, port, folder if home_assistant else None)
        ended = await stack.enter_async_context(_node(folder, broker))
        client = await stack.enter_async_context(Client(broker))
        chip = folder / "run" / "pimqtt" / NODE / "levels"
        levels = PinLevels(load(folder / "config.yaml"), folder / "trace.jsonl", chip)
        stack.callback(levels.close)
        view = DemoView(client, NODE, levels, shared)
        online, watching = asyncio.create_task(view.online.wait()), asyncio.create_task(view.watch())
        tasks: list[asyncio.Task[Any]] = [online, watching, ended]
        stack.push_async_callback(_cancel, tasks[:2])
        await _first(tasks, START_S)
        if not view.online.is_set():
            raise PimqttError(f"the demo's node did not come up: {last_words(folder / 'run.log')}")
        house = await stack.enter_async_context(home(broker, folder)) if home_assistant else None
        words = [*(house.words if house else ()), *greeting(broker, NODE, what)]
        (output.complain if shared.json else output.say)("\n".join(words))
        showing = asyncio.create_task(view.show(_rows(words)))
        stack.push_async_callback(_cancel, [showing])
        await _first([showing, watching, ended, *([house.ended] if house else [])], seconds)
        if ended.done():
            raise PimqttError(f"the demo's node ended: {last_words(folder / 'run.log')}")
        if house and house.ended.done():
            raise PimqttError(f"Home Assistant ended: {last_words(house.log)}")
    return 0


async def _broker(
    stack: contextlib.AsyncExitStack, shared: Shared, port: int | None, folder: Path | None
) -> tuple[Broker, str]:
    """Give a broker and what it is: the user's, to be left clean; Mosquitto, where it has a folder; else our own."""
    if shared.host:
        broker = shared.broker()
        stack.push_async_callback(_sweep, broker)
        return broker, "your broker"
    if folder:
        return await stack.enter_async_context(mosquitto(port, folder)), "a Mosquitto of its own"
    return await stack.enter_async_context(_embedded(port)), "an embedded broker"


def _rows(words: list[str]) -> int:
    """Tell how many rows of the terminal these lines take."""
    columns = shutil.get_terminal_size().columns
    return sum(max(1, math.ceil(len(line) / columns)) for line in words)


async def _first(tasks: list[asyncio.Task[Any]], timeout_s: float | None) -> None:
    """Wait for one of them, and raise what it raised."""
    done, _ = await asyncio.wait(tasks, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()


async def _cancel(tasks: list[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


async def _sweep(broker: Broker) -> None:
    """Leave nothing of the demo at a broker of yours, nor in Home Assistant."""
    left: set[str] = set()

    def take(incoming: Incoming) -> None:
        if incoming.retain and incoming.payload:
            left.add(incoming.topic)

    discovery = Topics(broker.base, NODE, broker.discovery_prefix).discovery("+")
    with contextlib.suppress(PimqttError):
        async with Client(broker) as client:
            with client.connection.listen(take):
                await client.subscribe([f"{broker.base}/{NODE}/#", discovery])
                await asyncio.sleep(SETTLE_S)
            for topic in sorted(left):
                await client.connection.publish(topic, b"", retain=True)


def _embedded(port: int | None) -> AbstractAsyncContextManager[Broker]:
    """Start a broker of our own on loopback."""
    try:
        from pimqtt_agent.console.embedded import embedded  # noqa: PLC0415 - an extra, for the demo only
    except ModuleNotFoundError:
        reason = "the demo's own broker needs amqtt: pip install 'pimqtt-agent[demo]'; or use yours: --broker HOST"
        raise PimqttError(reason) from None
    return embedded(port)


def _node(folder: Path, broker: Broker) -> AbstractAsyncContextManager[asyncio.Task[int]]:
    """Run the real thing in a folder; gives a task that is done when it ended."""
    (folder / "config.yaml").write_text(f"{CONFIG.read_text(encoding='utf-8')}\nmqtt: {_mqtt(broker)}\n", "utf-8")
    package = str(Path(__file__).parents[2])
    environment = {
        **os.environ, _PASSWORD: broker.password or "", "PYTHONPATH": _joined(package, os.environ.get("PYTHONPATH")),
        "XDG_RUNTIME_DIR": str(folder / "run"), "XDG_STATE_HOME": str(folder / "state"),
    }  # fmt: skip
    for name in ("RUNTIME_DIRECTORY", "STATE_DIRECTORY", "NOTIFY_SOCKET", "PIMQTT_PROFILE"):
        environment.pop(name, None)
    command = [sys.executable, "-m", "pimqtt_agent", "run", "-c", str(folder / "config.yaml")]
    return running(command, folder / "run.log", environment)


def _joined(*paths: str | None) -> str:
    return os.pathsep.join(path for path in paths if path)


def _mqtt(broker: Broker) -> str:
    """Write the configuration's section for a broker; the password stays in the environment."""
    section = {
        "host": broker.host, "port": broker.port, "protocol": broker.protocol, "base": broker.base,
        "discovery_prefix": broker.discovery_prefix, "transport": broker.transport, "path": broker.path,
    }  # fmt: skip
    tls = {"ca": broker.ca, "cert": broker.cert, "key": broker.key, "insecure": broker.insecure}
    extra = {
        **({"user": broker.user} if broker.user else {}),
        **({"password": f"${{{_PASSWORD}}}"} if broker.password else {}),
        **({"tls": {key: value for key, value in tls.items() if value}} if broker.tls else {}),
    }
    return json.dumps({**section, **extra})
