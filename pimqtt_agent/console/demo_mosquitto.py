"""The demo's Mosquitto: Home Assistant speaks MQTT 5, which the embedded broker does not."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

from pimqtt_agent.client_broker import Broker
from pimqtt_agent.console.demo_process import free_port, last_words, running
from pimqtt_agent.errors import PimqttError

MISSING = "Home Assistant speaks MQTT 5, for which the demo wants Mosquitto: sudo apt install mosquitto"
CONFIG = "listener {port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n"
START_S = 5.0


@contextlib.asynccontextmanager
async def mosquitto(port: int | None, folder: Path) -> AsyncIterator[Broker]:
    """Start one on loopback, for this demo alone: on the wanted port, else 1883, else any that is free."""
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        raise PimqttError(MISSING)
    broker = Broker(port=free_port(port, 1883))
    config, log = folder / "mosquitto.conf", folder / "mosquitto.log"
    config.write_text(CONFIG.format(port=broker.port))
    async with running([program, "-c", str(config)], log) as ended:
        await _listening(broker, ended, log)
        yield broker


async def _listening(broker: Broker, ended: asyncio.Task[int], log: Path) -> None:
    try:
        async with asyncio.timeout(START_S):
            while not ended.done():
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_connection(broker.host, broker.port)
                    writer.close()
                    return
                await asyncio.sleep(0.05)
    except TimeoutError:
        pass
    raise PimqttError(f"Mosquitto did not start: {last_words(log)}")
