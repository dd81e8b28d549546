"""What many ordinary commands leave behind: nothing."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from tests.broker.steps import FAN, LAMP, PUMP, Start, connected, eventually, online, told
from tests.rig import Mosquitto, Node, Observer

pytestmark = [pytest.mark.broker, pytest.mark.timeout(400)]

#: Commands for which nothing may grow (with ``--full`` more), and how much may be by chance: holes in the heap (KiB).
COMMANDS, MANY_COMMANDS, CHANCE_KIB = 10_000, 100_000, 1024
#: What fills up until it is full: digests. What is remembered for a repetition (QoS 1) is bounded by a minute
#: and by 16 MiB, so few are sent like that here; tests of their own hold those bounds.
WARM_UP = 6_000


def used_kib(running: Node) -> dict[str, int]:
    """Return what each process has for itself."""
    found = {}
    for role in ("agent", "keeper pins"):
        lines = Path(f"/proc/{running.pid(role)}/smaps_rollup").read_text().splitlines()
        found[role] = sum(int(line.split()[1]) for line in lines if line.startswith(("Private_Dirty", "Private_Clean")))
    assert running.process
    lines = Path(f"/proc/{running.process.pid}/smaps_rollup").read_text().splitlines()
    found["supervisor"] = sum(int(line.split()[1]) for line in lines if line.startswith("Private_Dirty"))
    return found


def command(number: int) -> tuple[str, str]:
    """Make one of many different commands: plain, with a lease, of many owners, wrong ones."""
    owner = f"owner{number % 500}"
    match number % 8:
        case 0 | 1:
            return "lamp", "ON" if number % 16 else "OFF"
        case 2 | 3:
            return "pump", json.dumps({"value": "ON", "ttl": 1 + number % 7, "id": str(number), "owner": owner})
        case 4:
            return "pump", json.dumps({"value": "OFF", "id": str(number), "owner": owner})
        case 5:
            return "fan", json.dumps({"value": number % 100, "owner": owner, "token": "made up"})
        case 6:
            return "fan", json.dumps({"value": number % 100, "owner": owner})
        case _:
            return f"nobody{number % 50}", "1junk"


@pytest.mark.parametrize("commands", [COMMANDS, pytest.param(MANY_COMMANDS, marks=pytest.mark.full)])
async def test_many_more_commands_leave_no_more_memory_in_use_than_6_000(
    node: Start, broker: Mosquitto, watch: Observer, commands: int
) -> None:
    running = node(LAMP, PUMP, FAN)
    await online(watch)
    await watch.client.unsubscribe("pimqtt/#")  # we have not the memory either
    await watch.client.subscribe("pimqtt/car1/lamp/result")

    async def send(first: int, count: int) -> None:
        async with connected(broker.port, "endurance") as client:
            for number in range(first, first + count):
                device, payload = command(number)
                await client.publish(f"pimqtt/car1/{device}/set", payload, qos=int(number % 40 in (2, 11, 20)))
                if number % 100 == 99:  # as fast as it is answered
                    assert (await told(watch, "lamp", {"value": "ON"}))["outcome"] == "accepted"
                    watch.seen.clear()

    await send(0, WARM_UP)
    before = await asyncio.to_thread(used_kib, running)
    pids = [running.pid(role) for role in before if role != "supervisor"]
    await send(WARM_UP, commands)
    after = await asyncio.to_thread(used_kib, running)
    grown = {role: after[role] - before[role] for role in before}
    assert all(kib <= CHANCE_KIB for kib in grown.values()), f"{grown} KiB more than {before}"
    assert [running.pid(role) for role in before if role != "supervisor"] == pids
    await eventually(lambda: running.levels(17)[-1] == 0, 8, "the last lease has ended")
