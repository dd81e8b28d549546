"""As many devices as a node may have, each with all options: more than one datagram of the link holds."""

from __future__ import annotations

import json

import pytest

from tests.broker.steps import Start, eventually, replaced, told
from tests.rig import Observer

pytestmark = pytest.mark.broker

HEATER = (
    "{{id: heater-{0}, kind: switch, pin: {0}, name: Heater number {0} of the greenhouse, area: Greenhouse, "
    "active_low: true, safe: off, initial: off, on_stop: off, on_disconnect: {{after: 30, value: off}}, max_on: 3600, "
    "min_off: 0.5, ttl: {{default: 600, min: 1, max: 3600, required: false}}, icon: 'mdi:radiator'}}"
)
COUNT = 800


@pytest.mark.timeout(120)
async def test_all_of_them_work_and_survive_agent_and_keeper(node: Start, watch: Observer) -> None:
    running = node(*(HEATER.format(number) for number in range(COUNT)))

    async def states(since: int) -> None:
        def there() -> bool:
            topics = {seen.topic for seen in watch.seen[since:]}
            return all(f"pimqtt/car1/heater-{number}/state" in topics for number in (0, COUNT // 2, COUNT - 1))

        await eventually(there, 40, f"states; see {running.log}")

    await states(0)
    last = f"heater-{COUNT - 1}"
    assert (await told(watch, last, {"value": "ON", "ttl": 60}))["outcome"] == "accepted"
    assert running.levels(COUNT - 1) == [1, 0]
    for role in ("agent", "keeper pins"):
        since = len(watch.seen)
        old = running.pid(role)
        await replaced(running, role, running.signal(role, 9))
        await states(since)
        assert running.pid(role) != old
    await watch.wait(f"pimqtt/car1/{last}/result", lambda seen: json.loads(seen.payload)["cause"] == "keeper_lost")
    assert running.levels(COUNT - 1) == [1, 0, 1]
    assert "Traceback" not in running.log.read_text()
