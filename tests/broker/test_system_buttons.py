"""The node's own buttons: what they ask of the system must hold up nobody."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest

from tests.broker.steps import PUMP, SLOW_S, Start, online, reached, seconds, told
from tests.rig import Observer

pytestmark = pytest.mark.broker

REBOOT = "pimqtt/car1/system/reboot"


async def test_an_emergency_stop_does_not_wait_for_a_reboot_that_takes_its_time(
    node: Start, watch: Observer, tmp_path: Path
) -> None:
    """A bus that is slow to answer, as on a board that is ill."""
    systemctl = tmp_path / "bin/systemctl"
    systemctl.parent.mkdir()
    systemctl.write_text("#!/bin/sh\nsleep 1.5\necho 'Call to Reboot failed: Access denied' >&2\nexit 1\n")
    systemctl.chmod(0o755)
    path = f"{systemctl.parent}:{os.environ['PATH']}"
    running = node(PUMP, extra="system: {allow: [reboot]}\n", env={"PATH": path})
    await online(watch)
    await told(watch, "pump", {"value": "ON", "ttl": 30})
    pressed_ns = time.monotonic_ns()
    await watch.send(f"{REBOOT}/set", {"value": "PRESS", "id": "r1"})
    await asyncio.sleep(0.1)
    sent_ns = time.monotonic_ns()
    await watch.send("pimqtt/car1/stop/set", "ON")
    assert seconds(sent_ns, await reached(running, 17, 0)) < SLOW_S
    refused = (await watch.wait(f"{REBOOT}/result")).json()
    assert seconds(pressed_ns, time.monotonic_ns()) > 1.4, "the reboot should have taken its time"
    assert {"id": "r1", "outcome": "rejected", "code": "forbidden"}.items() <= refused.items()
    assert "Access denied" in refused["reason"]
