"""`pimqtt demo`: an embedded broker, the real `pimqtt run` on a simulated Pi, and a view of what they do."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shlex
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from typing import Any

from pimqtt_agent.client import SETTLE_S, Client
from pimqtt_agent.client_broker import Broker
from pimqtt_agent.client_connection import Incoming
from pimqtt_agent.console import demo_view, output
from pimqtt_agent.console.options import Shared
from pimqtt_agent.errors import PimqttError
from pimqtt_agent.kernel_asks import die_with_parent
from pimqtt_agent.topics import Topics

NODE, CONFIG = "demo", Path(__file__).with_name("demo.yaml")
_PASSWORD = "PIMQTT_DEMO_PASSWORD"
#: How long the node may take to come, and to go (s).
START_S, STOP_S = 20.0, 6.0
#: What to paste: the last part of the topic, the payload. Line 22 is the door's, 25 the bell's (0 pressed, 1 let go).
_LINES = (
    ("pump/set", '{"value": "ON", "ttl": 5}'),
    ("car/set", "forward"),
    ("fan/set", '{"value": 60, "ttl": 10}'),
    ("lamp/set", '{"state": "ON", "brightness": 80}'),
    ("arm/set", "45"),
    ("sim/22/set", "0"),
    ("sim/25/set", "0"),
    ("sim/25/set", "1"),
    ("eye/snapshot/set", "PRESS"),
    ("stop/set", "ON"),
    ("stop/set", "OFF"),
)


async def demo(shared: Shared, port: int | None, seconds: float | None) -> int:
    """Show it until the end."""
    async with contextlib.AsyncExitStack() as stack:
        broker = shared.broker() if shared.host else await stack.enter_async_context(_embedded(port))
        folder = Path(tempfile.mkdtemp(prefix="pimqtt-demo-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        if shared.host:
            stack.push_async_callback(_sweep, broker)
        ended = await stack.enter_async_context(_node(folder, broker))
        client = await stack.enter_async_context(Client(broker))
        view = demo_view.DemoView(client, folder / "config.yaml", lines=shared.lines)
        stack.callback(view.close)
        online, watching = asyncio.create_task(view.online.wait()), asyncio.create_task(view.watch())
        tasks: list[asyncio.Task[Any]] = [online, watching, ended]
        stack.push_async_callback(_cancel, tasks[:2])
        await _first(tasks, START_S)
        if not view.online.is_set():
            raise PimqttError(f"the demo's node did not come up: {_last_words(folder)}")
        _greet(broker, embedded=not shared.host)
        showing = asyncio.create_task(view.show())
        stack.push_async_callback(_cancel, [showing])
        await _first([showing, watching, ended], seconds)
        if ended.done():
            raise PimqttError(f"the demo's node ended: {_last_words(folder)}")
    return 0


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


@contextlib.asynccontextmanager
async def _node(folder: Path, broker: Broker) -> AsyncIterator[asyncio.Task[None]]:
    """Run the real thing in a folder; gives a task that is done when it ended."""
    (folder / "config.yaml").write_text(f"{CONFIG.read_text(encoding='utf-8')}\nmqtt: {_mqtt(broker)}\n", "utf-8")
    package = str(Path(__file__).parents[2])
    environment = {
        **os.environ, _PASSWORD: broker.password or "", "PYTHONPATH": _joined(package, os.environ.get("PYTHONPATH")),
        "XDG_RUNTIME_DIR": str(folder / "run"), "XDG_STATE_HOME": str(folder / "state"),
    }  # fmt: skip
    for name in ("RUNTIME_DIRECTORY", "STATE_DIRECTORY", "NOTIFY_SOCKET", "PIMQTT_PROFILE"):
        environment.pop(name, None)
    with (folder / "run.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "pimqtt_agent", "run", "-c", str(folder / "config.yaml"), env=environment,
            cwd=folder, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            preexec_fn=partial(die_with_parent, signal.SIGTERM),
        )  # fmt: skip
    ended = asyncio.create_task(_wait(process))
    try:
        yield ended
    finally:
        if not ended.done():
            process.terminate()
            await asyncio.wait({ended}, timeout=STOP_S)
        if not ended.done():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await ended


async def _wait(process: asyncio.subprocess.Process) -> None:
    await process.wait()


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


def _greet(broker: Broker, *, embedded: bool) -> None:
    """Print what to paste."""
    what = "an embedded broker" if embedded else "your broker"
    output.say(f"A simulated Pi, node {NODE}, at {what}: {broker}. Paste these into another terminal:\n")
    for line in lines(broker):
        output.say(line)
    output.say(f"\nor: pimqtt --broker {broker} drive {NODE}/car (by keyboard), watch, send, stop. Ctrl-C ends.\n")


def lines(broker: Broker) -> list[str]:
    """Return commands for a shell."""
    head = ["mosquitto_pub", "-h", broker.host, "-p", str(broker.port)]
    if broker.tls:
        head += ["--cafile", broker.ca] if broker.ca else ["--tls-use-os-certs"]
    start = shlex.join(head) + (f' -u {shlex.quote(broker.user)} -P "$PIMQTT_PASSWORD"' if broker.user else "")
    return [f"{start} -t {broker.base}/{NODE}/{topic} -m {shlex.quote(payload)}" for topic, payload in _LINES]


def _last_words(folder: Path) -> str:
    words = (folder / "run.log").read_text(errors="replace").strip().splitlines()
    return words[-1] if words else "it said nothing"
