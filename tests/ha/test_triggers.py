"""Presses as device triggers: Home Assistant lists them for automations, and they fire."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.ha.api import until
from tests.ha.pi import Pi, press, settled
from tests.ha.rig import HomeAssistant
from tests.rig import Observer

pytestmark = [pytest.mark.broker, pytest.mark.ha, pytest.mark.timeout(300), pytest.mark.usefixtures("no_warnings")]

BELL = "{id: bell, kind: button, pin: 25, long: 1.5, double: 0.8}"
PUMP = "{id: pump, kind: switch, pin: 17}"
SHORT, DOUBLE, LONG = "button_short_press", "button_double_press", "button_long_press"


@pytest.fixture
async def porch(ha: HomeAssistant, broker_port: int, tmp_path: Path) -> AsyncIterator[Pi]:
    """Give a node with a button; nothing of it is left behind."""
    before = len(ha.log())
    with Pi(tmp_path, broker_port, "porch", [BELL, PUMP]) as pi:
        await settled(ha, pi, 4)
        yield pi
    await pi.forget(ha)
    assert ha.warnings(before) == []


async def triggers(ha: HomeAssistant, pi: Pi, device: str) -> dict[str, dict[str, Any]]:
    """List the device triggers of a device's own, by type."""
    devices = {name: entry for entry in await ha.devices() for _, name in entry["identifiers"]}
    found = await ha.ask("device_automation/trigger/list", device_id=devices[pi.unique_id(device)]["id"])
    return {trigger["type"]: trigger for trigger in found if trigger["domain"] == "mqtt"}


async def until_there_are(ha: HomeAssistant, pi: Pi, types: set[str]) -> dict[str, dict[str, Any]]:
    async def there() -> dict[str, dict[str, Any]] | None:
        found = await triggers(ha, pi, "bell")
        return found if set(found) == types else None

    return await until(there, 15, f"the triggers {types}")


@contextlib.asynccontextmanager
async def armed(ha: HomeAssistant, trigger: dict[str, Any]) -> AsyncIterator[asyncio.Queue[dict[str, Any]]]:
    """Attach to a trigger as an automation does; give what it fires with."""
    asked = {key: trigger[key] for key in ("platform", "domain", "device_id", "type", "subtype")}
    fired: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    async with ha.socket() as socket:
        await socket.send(json.dumps({"id": 1, "type": "subscribe_trigger", "trigger": asked}))
        answer = json.loads(await socket.recv())
        assert answer["success"], answer

        async def listen() -> None:
            async for text in socket:
                await fired.put(json.loads(text)["event"]["variables"]["trigger"])

        task = asyncio.create_task(listen())
        try:
            yield fired
        finally:
            task.cancel()
            await asyncio.wait({task})


async def test_they_are_listed_for_the_button_alone(ha: HomeAssistant, porch: Pi) -> None:
    found = await until_there_are(ha, porch, {SHORT, DOUBLE, LONG})

    assert {trigger["subtype"] for trigger in found.values()} == {"button_1"}
    assert await triggers(ha, porch, "pump") == {}


@pytest.mark.parametrize(
    ("levels", "kind"),
    [((0, 0.1, 1), SHORT), ((0, 0.1, 1, 0.2, 0, 0.1, 1), DOUBLE), ((0, 2.5, 1), LONG)],
    ids=["short", "double", "long"],
)
async def test_each_fires_for_its_press_and_no_other(
    ha: HomeAssistant, porch: Pi, watch: Observer, levels: tuple[float, ...], kind: str
) -> None:
    found = await until_there_are(ha, porch, {SHORT, DOUBLE, LONG})
    async with contextlib.AsyncExitStack() as automations:
        fired = {name: await automations.enter_async_context(armed(ha, found[name])) for name in found}
        await asyncio.sleep(1)  # until Home Assistant has subscribed

        await press(watch, porch, 25, *levels)

        told = await asyncio.wait_for(fired[kind].get(), 10)
        assert told["topic"] == porch.topic("bell", "event")
        await asyncio.sleep(1.2)
        assert {name: queue.qsize() for name, queue in fired.items()} == dict.fromkeys(found, 0)


async def test_one_that_the_configuration_takes_away_is_gone_and_comes_back(ha: HomeAssistant, porch: Pi) -> None:
    await until_there_are(ha, porch, {SHORT, DOUBLE, LONG})

    porch.write([BELL.replace("double: 0.8", "double: 0"), PUMP])
    porch.reload()
    await until_there_are(ha, porch, {SHORT, LONG})
    await asyncio.sleep(3)  # what is announced after the removal

    porch.write([BELL, PUMP])
    porch.reload()
    await until_there_are(ha, porch, {SHORT, DOUBLE, LONG})
