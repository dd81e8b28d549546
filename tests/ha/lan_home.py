"""A Home Assistant with the component in a network where avahi-daemon announces a node: ``lan_home.py PYTHON FOLDER``.

Prints what it found by mDNS, and what came of it, as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from tests.ha.api import until
from tests.ha.rig import HomeAssistant
from tests.rig import ROOT, Mosquitto

COMPONENT = ROOT / "homeassistant_component/custom_components/pimqtt"


async def offered(home: HomeAssistant) -> dict[str, Any] | None:
    """Give the flow that Home Assistant offers, once it does."""
    flows = await home.ask("config_entries/flow/progress")
    return next((flow for flow in flows if flow["handler"] == "pimqtt"), None)


async def stored(home: HomeAssistant) -> Any:
    """Give what was set up, once it is on disk."""
    entries = json.loads((home.config / ".storage/core.config_entries").read_text())["data"]["entries"]
    return next((entry["data"] for entry in entries if entry["domain"] == "pimqtt"), None)


async def search(home: HomeAssistant) -> list[dict[str, Any]]:
    """Give what the component's own search finds."""
    found: list[dict[str, Any]] = []
    async with home.socket() as socket:
        await socket.send(json.dumps({"id": 1, "type": "pimqtt/search", "seconds": 3}))
        async for text in socket:
            event = json.loads(text).get("event", {})
            if "done" in event:
                break
            found += [event["found"]] if "found" in event else []
    return found


async def main(python: str, folder: Path) -> None:
    """Let it find the node, set the component up as offered, and search."""
    with Mosquitto(folder) as broker:
        home = HomeAssistant(python, broker.port)
        home.install(COMPONENT)
        home.configure("zeroconf:\n")
        async with home:
            flow = await until(lambda: offered(home), 30, "the node found by mDNS")
            await home.rest("POST", f"/api/config/config_entries/flow/{flow['flow_id']}", {})
            data = await until(lambda: stored(home), 20, "the component set up")
            json.dump({"flow": flow, "data": data, "search": await search(home)}, sys.stdout)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
