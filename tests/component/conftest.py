"""Fixtures of the component's tests."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import custom_components
import pytest
from homeassistant.auth.permissions import PolicyPermissions
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component

sys.path.insert(0, str(Path(__file__).parent))
from driving import Drive
from rig import COMPONENT, Pi, Socket, listen, set_up

# the test package brings a folder of this name, which would hide ours
custom_components.__path__ = [str(COMPONENT.parent)]


@pytest.fixture(autouse=True)
def ours(enable_custom_integrations: None) -> None:
    """Find the component."""


@pytest.fixture(autouse=True)
async def enable_event_loop_debug() -> None:
    """Let the loop see who calls it from a wrong thread, as the test package does."""
    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    # futures and handles ask for this: noting where each was made takes nearly half of all time
    vars(loop)["get_debug"] = lambda: False


@pytest.fixture
def expected_lingering_timers() -> bool:
    """MQTT leaves its own."""
    return True


@pytest.fixture(autouse=True)
def config_folder(hass: HomeAssistant, tmp_path: Path) -> None:
    """Write to a configuration of the test's own."""
    hass.config.config_dir = str(tmp_path)


@pytest.fixture
async def pi(hass: HomeAssistant, mqtt_mock: Any) -> Pi:
    """A Pi that answers; nothing of it was heard yet."""
    found = Pi(hass)
    listen(mqtt_mock, found)
    return found


@pytest.fixture
async def entry(hass: HomeAssistant, pi: Pi) -> Any:
    """The component, with the Pi announced."""
    assert await async_setup_component(hass, "homeassistant", {})
    loaded = await set_up(hass)
    await pi.announce()
    return loaded


@pytest.fixture
async def socket(entry: Any, hass: HomeAssistant, hass_ws_client: Any) -> Socket:
    """An administrator's browser."""
    return Socket(await hass_ws_client(hass))


@pytest.fixture
def drive(socket: Socket, pi: Pi) -> Drive:
    """A driving session of that browser, not yet opened."""
    return Drive(socket, pi)


@pytest.fixture
def browser(entry: Any, hass: HomeAssistant, hass_ws_client: Any) -> Callable[..., Awaitable[Socket]]:
    """Open a browser of a user, who may control and read the given entities."""

    async def open_(name: str = "Ben", control: tuple[str, ...] = (), read: tuple[str, ...] = ()) -> Socket:
        user = await hass.auth.async_create_user(name, group_ids=[])
        rights = {one: {"read": True} for one in read} | {one: {"read": True, "control": True} for one in control}
        user.__dict__["permissions"] = PolicyPermissions({"entities": {"entity_ids": rights}}, MagicMock())
        refresh = await hass.auth.async_create_refresh_token(user, "https://example.com")
        return Socket(await hass_ws_client(hass, hass.auth.async_create_access_token(refresh)))

    return open_
