"""Outputs on real lines: what a meter shows after a command, and when a lease is over."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.broker.steps import called, results, told
from tests.kernel.bench import (
    BACKWARD,
    DRIVEN,
    FORWARD,
    GLOW,
    KERNEL_FIRST,
    LAMP,
    LATE_S,
    METERED,
    PUMP,
    RELAY,
    SAFE,
    STALE,
    Bench,
    moved,
)  # fmt: skip
from tests.rig import Observer, iterate

pytestmark = pytest.mark.broker


async def test_a_switch_and_a_relay_that_is_on_while_its_line_is_low(bench: Bench, watch: Observer) -> None:
    for device in ("lamp", "relay"):
        for value in ("ON", "OFF"):
            assert (await told(watch, device, {"value": value}))["outcome"] == "accepted"
            # accepted is said after the pin was driven
            on = value == "ON"
            assert bench.outside.level(LAMP if device == "lamp" else RELAY) == int(on is (device == "lamp"))
    await asyncio.sleep(0.05)
    assert (bench.outside.seen(LAMP), bench.outside.seen(RELAY)) == ([1, 0], [0, 1])
    assert bench.outside.seen(PUMP) == []


async def test_a_lease_ends_on_its_time(bench: Bench, watch: Observer) -> None:
    await told(watch, "pump", {"value": "ON", "ttl": 1.0, "owner": "me", "id": "a"})
    assert (await watch.result("pump", "a", cause="expired"))["state"] == "OFF"
    await asyncio.sleep(0.05)
    on, off = bench.outside.rows()
    assert [(row["pin"], row["value"]) for row in (on, off)] == [(PUMP, 1), (PUMP, 0)]
    assert 0.95 - LATE_S / 10 <= (off["t_ns"] - on["t_ns"]) / 1e9 <= 1 + LATE_S


async def test_a_lamp_is_dimmed_by_pulses(bench: Bench, watch: Observer) -> None:
    for brightness, share in ((76, 0.3), (204, 0.8)):
        await told(watch, "glow", {"value": {"state": "ON", "brightness": brightness}})
        assert bench.outside.share(GLOW) == pytest.approx(share, abs=0.15)
    for value, share in ((255, 1), (0, 0)):
        await told(watch, "glow", {"value": {"state": "ON", "brightness": value} if value else "OFF"})
        await asyncio.sleep(0.05)  # the period that has begun may end
        assert bench.outside.share(GLOW, 200) == share


async def test_a_motor_turns_both_ways_and_never_into_itself(bench: Bench, watch: Observer) -> None:
    for value, levels in ((100, (1, 0)), (-100, (0, 1)), ("forward", (1, 0)), ("stop", (0, 0))):
        await moved(watch, value)
        await bench.outside.until(dict(zip((FORWARD, BACKWARD), levels, strict=True)), LATE_S)
    assert (1 in bench.outside.seen(FORWARD), 1 in bench.outside.seen(BACKWARD)) == (True, True)
    assert all(sum(now.values()) < 2 for now in iterate(bench.outside.rows(), {FORWARD, BACKWARD}))
    await moved(watch, -50)
    assert bench.outside.share(BACKWARD, 300) == pytest.approx(0.5, abs=0.25)
    assert bench.outside.level(FORWARD) == 0


async def test_a_motor_runs_while_it_is_renewed_and_stops_one_dead_man_after_the_last(
    bench: Bench, watch: Observer
) -> None:
    until, number = time.monotonic() + 2, 0
    sent_ns = 0
    while time.monotonic() < until:
        number, sent_ns = number + 1, time.monotonic_ns()
        await watch.send("pimqtt/car1/fan/set", {"value": 100, "owner": "me", "id": str(number)})
        await asyncio.sleep(0.1)
    await watch.result("fan", str(number), cause="expired")
    await asyncio.sleep(0.05)
    on, off = bench.outside.rows()
    assert [(row["pin"], row["value"]) for row in (on, off)] == [(FORWARD, 1), (FORWARD, 0)]
    assert 0.48 <= (off["t_ns"] - sent_ns) / 1e9 <= 0.5 + LATE_S
    assert {result["code"] for result in results(watch, "fan", outcome="rejected")} <= STALE


@KERNEL_FIRST
async def test_an_emergency_stop_makes_everything_safe_until_it_is_reset(bench: Bench, watch: Observer) -> None:
    for device in ("pump", "lamp", "relay"):
        await told(watch, device, {"value": "ON"})
    await moved(watch, 100)
    await bench.outside.until(DRIVEN, LATE_S)
    await watch.send("pimqtt/car1/stop/set", "ON")
    await bench.outside.until(SAFE, LATE_S)
    bench.outside.forget()
    assert (await told(watch, "relay", {"value": "ON"}))["code"] == "latched"
    since = len(watch.seen)
    await watch.send("pimqtt/car1/stop/set", "OFF")
    await watch.wait("pimqtt/car1/stop/state", lambda seen: seen.text == "OFF", since=since)
    await asyncio.sleep(0.1)
    assert bench.outside.rows() == []
    assert (await told(watch, "relay", {"value": "ON"}))["outcome"] == "accepted"


@KERNEL_FIRST
async def test_the_node_tells_of_each_line_what_a_meter_shows(bench: Bench, watch: Observer) -> None:
    await told(watch, "lamp", {"value": "ON"})
    rows = (await called(watch, action="list_pins"))["result"]["pins"]
    told_levels = {row["line"]: row["level"] for row in rows if row["line"] in METERED}
    assert told_levels == bench.outside.levels() == {**SAFE, LAMP: 1}
