"""The search for nodes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from unittest.mock import AsyncMock, MagicMock, patch

import pytest
from custom_components.pimqtt import mdns
from custom_components.pimqtt.fleet import SIGNAL_NODE
from homeassistant.core import HomeAssistant
from homeassistant.helpers.dispatcher import DATA_DISPATCHER
from rig import Pi, Socket
from zeroconf import ServiceStateChange


async def collect(socket: Socket) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    while not events or "done" not in events[-1]:
        events.append(await socket.event())
    return events


def found(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [event["found"] for event in events if "found" in event]


async def test_it_finds_what_is_there_and_what_comes(socket: Socket, pi: Pi) -> None:
    assert (await socket.ask("pimqtt/search", seconds=1))["success"]
    pi.node = "car2"
    await pi.say("availability", "online")
    await pi.say("info", {**pi.info, "node": "car2", "hardware_id": "car2", "name": "New"})
    events = await collect(socket)
    progress = [event["progress"] for event in events if "progress" in event]
    assert progress[0] < 0.5
    assert (progress[-1], progress) == (1.0, sorted(progress))
    assert found(events) == [
        {"node": "car1", "name": "The red car", "address": "192.0.2.7", "by": "mqtt", "new": False},
        {"node": "car2", "name": "New", "address": "192.0.2.7", "by": "mqtt", "new": True},
    ]


async def test_what_is_offline_is_not_found(socket: Socket, pi: Pi) -> None:
    await pi.say("availability", "offline")
    assert (await socket.ask("pimqtt/search", seconds=1))["success"]
    assert found(await collect(socket)) == []


async def test_who_may_read_nothing_finds_nothing(browser: Callable[..., Awaitable[Socket]]) -> None:
    stranger = await browser()
    assert (await stranger.ask("pimqtt/search", seconds=1))["success"]
    assert found(await collect(stranger)) == []


def listeners(hass: HomeAssistant) -> int:
    """Count who is told when a node changes."""
    return len(hass.data[DATA_DISPATCHER][SIGNAL_NODE])


async def heard(socket: Socket, search: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what a search has told by now that nobody took yet."""
    assert (await socket.ask("pimqtt/call", node="car1", action="get_version"))["success"]
    told = [one["event"] for one in socket.events if one["id"] == search["id"]]
    socket.events.clear()
    return told


async def test_it_can_be_given_up(socket: Socket, pi: Pi, hass: HomeAssistant) -> None:
    before = listeners(hass)
    search = await socket.ask("pimqtt/search", seconds=1)
    assert listeners(hass) == before + 1
    assert {"progress"} in [set(one) for one in await heard(socket, search)]
    assert (await socket.ask("unsubscribe_events", subscription=search["id"]))["success"]
    await heard(socket, search)
    assert listeners(hass) == before
    pi.node = "car2"
    await pi.say("availability", "online")
    await pi.say("info", {**pi.info, "node": "car2", "hardware_id": "car2", "name": "New"})
    pi.node = "car1"
    await asyncio.sleep(1.2)  # longer than it would have taken
    assert await heard(socket, search) == []


async def test_one_that_came_to_its_end_leaves_nothing(socket: Socket, hass: HomeAssistant) -> None:
    before = listeners(hass)
    search = await socket.ask("pimqtt/search", seconds=1)
    await collect(socket)
    assert listeners(hass) == before
    assert (await socket.ask("unsubscribe_events", subscription=search["id"]))["success"]
    assert await heard(socket, search) == []


@pytest.mark.parametrize("seconds", [0, 61, "5"])
async def test_a_time_that_is_none_is_refused(socket: Socket, seconds: Any) -> None:
    assert (await socket.ask("pimqtt/search", seconds=seconds))["error"]["code"] == "invalid_format"


class Browser:
    """What zeroconf's browser is to us."""

    made: Any = None

    def __init__(self, _zeroconf: Any, service: str, handlers: list[Any]) -> None:
        self.service, self.handlers, self.ended = service, handlers, False
        Browser.made = self

    async def async_cancel(self) -> None:
        self.ended = True

    def announce(self, name: str, change: ServiceStateChange = ServiceStateChange.Added) -> None:
        for handler in self.handlers:
            handler(zeroconf=MagicMock(), service_type=self.service, name=name, state_change=change)


@pytest.fixture
def services(hass: HomeAssistant) -> Any:
    """The services of a local network, by name."""
    known: dict[str, dict[str, str | None]] = {}
    Browser.made = None

    def info(_service: str, name: str) -> MagicMock:
        about = known.get(name)
        return MagicMock(
            async_request=AsyncMock(return_value=about is not None),
            decoded_properties=about, parsed_addresses=lambda: ["192.0.2.9", "fe80::1"],
        )  # fmt: skip

    hass.config.components.add("zeroconf")
    with (
        patch.object(mdns, "AsyncServiceBrowser", Browser),
        patch.object(mdns, "AsyncServiceInfo", info),
        patch("homeassistant.components.zeroconf.async_get_async_instance", AsyncMock()),
    ):
        yield known


async def test_mdns_finds_what_the_broker_does_not_know(socket: Socket, services: dict[str, Any]) -> None:
    car, stranger, silent = (f"{name}.{mdns.SERVICE}" for name in ("car1", "New Pi", "silent"))
    services[car] = {"node": "car1", "name": "The red car"}
    services[stranger] = {"node": "UP/../x"}
    assert (await socket.ask("pimqtt/search", seconds=1))["success"]
    for name in (car, car, stranger, silent):
        Browser.made.announce(name)
    Browser.made.announce(car, ServiceStateChange.Removed)
    events = await collect(socket)
    assert [one for one in found(events) if one["by"] == "zeroconf"] == [
        {"node": "car1", "name": "The red car", "address": "192.0.2.9", "by": "zeroconf", "new": False},
        {"node": None, "name": "New Pi", "address": "192.0.2.9", "by": "zeroconf", "new": True},
    ]
    assert Browser.made.ended


async def test_a_search_that_ended_hears_no_more(socket: Socket, services: dict[str, Any], hass: HomeAssistant) -> None:
    services["late"] = {"node": "late"}
    answer = await socket.ask("pimqtt/search", seconds=1)
    assert (await socket.ask("unsubscribe_events", subscription=answer["id"]))["success"]
    await hass.async_block_till_done()
    assert Browser.made.ended
    await heard(socket, answer)
    Browser.made.announce("late")
    await hass.async_block_till_done()
    assert await heard(socket, answer) == []


async def test_only_who_may_read_all_looks_around(
    browser: Callable[..., Awaitable[Socket]], services: dict[str, Any]
) -> None:
    reader = await browser(read=("switch.car1_pump",))
    assert (await reader.ask("pimqtt/search", seconds=1))["success"]
    assert [one["node"] for one in found(await collect(reader))] == ["car1"]
    assert Browser.made is None
