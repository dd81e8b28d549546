"""Home Assistant's clock behind a node's: what is refused for it is told in words, and raised as a repair."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import Any

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from rig import ROOT, Pi, Socket, set_up

PUMP, LAMP = "switch.car1_pump", "light.car1_lamp"
CLOCK = "clock_behind_car1"
#: judges a command that comes at once, by the code and with the clock of the agent
JUDGE = """
import sys, time
from pimqtt_agent import commands
envelope = commands.open_envelope(sys.stdin.buffer.read())
print(commands.stale(envelope, float(sys.argv[1]) if sys.argv[1] else None, float(sys.argv[2])))
"""


def judged(payload: dict[str, Any], ttl_s: float | None, wall_s: float) -> str:
    """Return the agent's own reason; empty where it would act."""
    python = os.environ.get("PIMQTT_AGENT_PYTHON", sys.executable)
    done = subprocess.run(
        [python, "-c", JUDGE, "" if ttl_s is None else str(ttl_s), str(wall_s)], input=json.dumps(payload),
        capture_output=True, text=True, cwd=ROOT, timeout=60, check=True,
    )  # fmt: skip
    return done.stdout.strip()


def raised(hass: HomeAssistant) -> ir.IssueEntry | None:
    return ir.async_get(hass).async_get_issue("pimqtt", CLOCK)


def refuse(pi: Pi, output: str) -> None:
    pi.refuse[output] = {"code": "stale", "reason": "at 1.000: it is 3.02 s old, it may be 2 s"}


@pytest.mark.parametrize(
    ("entity", "ttl", "allowed_s"),
    [({"entity_id": LAMP}, None, None), ({"entity_id": PUMP}, None, 5.0), ({"unique_id": "pimqtt.car1.arm"}, 1, 1.0)],
)
async def test_the_agent_takes_what_a_slow_clock_sends_for_late(
    socket: Socket, pi: Pi, entity: dict[str, Any], ttl: float | None, allowed_s: float | None
) -> None:
    more = {} if ttl is None else {"ttl": ttl}
    await socket.ask("pimqtt/command", **entity, value="ON" if "entity_id" in entity else 40, **more)
    sent = pi.published[-1].payload
    limit_s = allowed_s or 2
    assert judged(sent, allowed_s, time.time()) == ""
    assert judged(sent, allowed_s, time.time() + limit_s + 0.5).startswith(f"at {sent['at']:.3f}: it is ")


async def test_a_refusal_that_only_a_clock_explains_says_so(socket: Socket, pi: Pi, hass: HomeAssistant) -> None:
    refuse(pi, "lamp")
    told = (await socket.ask("pimqtt/command", entity_id=LAMP, value="ON"))["result"]
    assert (told["outcome"], told["code"], told["reason_key"]) == ("rejected", "stale", "clock_behind")
    assert "Home Assistant's clock is behind the clock of The red car" in told["reason"]
    assert told["reason_placeholders"]["limit"] == "2"
    issue = raised(hass)
    assert issue is not None
    assert issue.translation_placeholders == {"node": "car1", "name": "The red car", "seconds": "2"}


async def test_the_action_says_so_too(hass: HomeAssistant, pi: Pi, entry: Any) -> None:
    refuse(pi, "lamp")
    with pytest.raises(Exception, match="Home Assistant's clock is behind"):
        await hass.services.async_call("pimqtt", "command", {"entity_id": LAMP, "value": "ON"}, blocking=True)


@pytest.mark.parametrize(
    "reason", ["at 1.000: it is 3.02 s old, it may be 2 s", "40: a stop of this output overtook it"]
)
async def test_so_it_does_for_motion_that_no_stop_overtook(
    socket: Socket, pi: Pi, hass: HomeAssistant, reason: str
) -> None:
    by_clock = reason.startswith("at ")
    pi.refuse["arm"] = {"code": "stale", "reason": reason}
    told = (await socket.ask("pimqtt/command", unique_id="pimqtt.car1.arm", value=40, ttl=2))["result"]
    assert (told["code"], told["reason_key"]) == ("stale", "clock_behind" if by_clock else None)
    assert (raised(hass) is not None) == by_clock


async def test_what_took_long_may_well_be_late(socket: Socket, pi: Pi, hass: HomeAssistant) -> None:
    async def publish(topic: str, payload: Any, *more: Any, **options: Any) -> None:
        hass.loop.call_later(0.6, pi.heard, topic, payload)

    refuse(pi, "lamp")
    mqtt = hass.data["mqtt"].client
    mqtt.async_publish.side_effect = publish
    told = (await socket.ask("pimqtt/command", entity_id=LAMP, value="ON", ttl=1))["result"]
    assert (told["code"], told["reason_key"]) == ("stale", None)
    assert raised(hass) is None


@pytest.mark.parametrize(
    "reason",
    ["expiry 2: it may have been on its way from the broker for 1.8 s", "'ON': the agent stood still for 0.30 s"],
)
@pytest.mark.parametrize("place", [{"entity_id": LAMP}, {"unique_id": "pimqtt.car1.arm"}])
async def test_what_no_clock_counted_is_no_matter_of_clocks(
    socket: Socket, pi: Pi, hass: HomeAssistant, place: dict[str, Any], reason: str
) -> None:
    for output in ("lamp", "arm"):
        pi.refuse[output] = {"code": "stale", "reason": reason}
    told = (await socket.ask("pimqtt/command", **place, value="ON" if "entity_id" in place else 40))["result"]
    assert (told["code"], told["reason"], told["reason_key"]) == ("stale", reason, None)
    assert raised(hass) is None


async def test_once_it_is_accepted_again_the_repair_goes(socket: Socket, pi: Pi, hass: HomeAssistant) -> None:
    refuse(pi, "lamp")
    await socket.ask("pimqtt/command", entity_id=LAMP, value="ON")
    await socket.ask("pimqtt/command", entity_id=PUMP, value="ON", ttl=30)
    assert raised(hass) is not None, "what may be half a minute old proves nothing"
    pi.refuse.clear()
    await socket.ask("pimqtt/command", entity_id=LAMP, value="ON")
    await hass.async_block_till_done()
    assert raised(hass) is None


def lease(ahead_s: float, left_s: float = 4.0) -> dict[str, Any]:
    return {"owner": "Bob", "remaining_s": left_s, "end": time.time() + ahead_s + left_s}


async def test_a_lease_tells_a_clock_that_is_ahead_of_ours(hass: HomeAssistant, pi: Pi, entry: Any) -> None:
    await pi.lease("pump", **lease(0.1))
    assert raised(hass) is None
    await pi.lease("pump", **lease(3.2))
    issue = raised(hass)
    assert issue is not None
    assert (issue.translation_placeholders or {})["seconds"] == "3"
    await pi.lease("pump", **lease(0.8))
    assert raised(hass) is not None, "it does not flicker"
    await pi.lease("pump", **lease(0.1))
    assert raised(hass) is None


@pytest.mark.parametrize("odd", [{"end": 1e300}, {"end": -5}, {"end": "soon"}, {"end": None}])
async def test_a_lease_whose_end_is_none_tells_nothing(
    hass: HomeAssistant, pi: Pi, entry: Any, odd: dict[str, Any]
) -> None:
    await pi.lease("pump", **{**lease(0), **odd})
    assert raised(hass) is None


async def test_of_a_lease_that_is_retained_only_what_is_left_is_shown(hass: HomeAssistant, pi: Pi) -> None:
    entry = await set_up(hass)
    lease = {"owner": "Bob", "value": "ON", "resting": "OFF", "remaining_s": 600, "end": time.time() + 100}
    pi.retained["pimqtt/car1/pump/lease"] = json.dumps(lease)
    await pi.announce()
    held = entry.runtime_data.fleet.nodes["car1"].leases["pump", ""]
    assert held.lease.remaining_s == pytest.approx(100, abs=5)
    assert raised(hass) is None


async def test_it_is_one_of_the_problems_that_cards_show(socket: Socket, pi: Pi) -> None:
    await pi.lease("pump", **lease(3.2))
    assert (await socket.ask("pimqtt/fleet"))["success"]
    (node,) = (await socket.event(lambda event: "nodes" in event))["nodes"]
    assert [one["key"] for one in node["problems"]] == ["clock_behind"]
