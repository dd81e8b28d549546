"""Inputs on real lines: edges that somebody makes outside."""

from __future__ import annotations

import asyncio
import signal

import pytest

from tests.broker.steps import eventually_told, replaced
from tests.kernel.bench import BELL, DOOR, KERNEL_FIRST, Bench
from tests.rig import Observer

pytestmark = pytest.mark.broker
DOOR_STATE, BELL_EVENT = "pimqtt/car1/door/state", "pimqtt/car1/bell/event"


async def is_told(watch: Observer, state: str, since: int) -> None:
    await watch.wait(DOOR_STATE, lambda seen: seen.text == state, since=since)


def told_since(watch: Observer, topic: str, since: int) -> list[str]:
    return [seen.text for seen in watch.seen[since:] if seen.topic == topic]


async def test_a_contact_is_told_once_it_has_settled(bench: Bench, watch: Observer) -> None:
    bench.outside.drive(DOOR, 0)
    await watch.wait(DOOR_STATE, lambda seen: seen.text == "OFF")
    since = len(watch.seen)
    for level in (1, 0, 1, 0, 1):  # it bounces
        bench.outside.drive(DOOR, level)
    await is_told(watch, "ON", since)
    bench.outside.drive(DOOR, 0)
    await is_told(watch, "OFF", since)
    await asyncio.sleep(0.4)
    assert told_since(watch, DOOR_STATE, since) == ["ON", "OFF"]


@KERNEL_FIRST
async def test_a_short_touch_is_not_told(bench: Bench, watch: Observer) -> None:
    bench.outside.drive(DOOR, 0)
    await watch.wait(DOOR_STATE, lambda seen: seen.text == "OFF")
    since = len(watch.seen)
    bench.outside.drive(DOOR, 1)
    bench.outside.drive(DOOR, 0)
    await asyncio.sleep(0.6)
    assert told_since(watch, DOOR_STATE, since) == []


@KERNEL_FIRST
@pytest.mark.parametrize(("held_s", "times", "kind"), [(0.2, 1, "press"), (0.2, 2, "double"), (2.0, 1, "long")])
async def test_a_button_tells_how_it_was_pressed(
    bench: Bench, watch: Observer, held_s: float, times: int, kind: str
) -> None:
    bench.outside.drive(BELL, 1)
    await asyncio.sleep(0.2)
    since = len(watch.seen)
    for _ in range(times):
        bench.outside.drive(BELL, 0)
        await asyncio.sleep(held_s)
        bench.outside.drive(BELL, 1)
        await asyncio.sleep(0.2)
    event = await watch.wait(BELL_EVENT, since=since)
    assert event.json()["event_type"] == kind
    await asyncio.sleep(0.5)
    assert len(told_since(watch, BELL_EVENT, since)) == 1


async def test_the_successor_of_a_keeper_hears_edges_too(bench: Bench, watch: Observer) -> None:
    bench.outside.drive(DOOR, 0)
    await watch.wait(DOOR_STATE, lambda seen: seen.text == "OFF")
    keeper = bench.node.signal("keeper pins", signal.SIGKILL)
    await replaced(bench.node, "keeper pins", keeper)
    await eventually_told(watch, "lamp", {"value": "OFF"})  # it is at work
    since = len(watch.seen)
    for level, state in ((1, "ON"), (0, "OFF")):
        bench.outside.drive(DOOR, level)
        await is_told(watch, state, since)
