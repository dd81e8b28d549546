"""What `pimqtt announce` writes is what the component reads: the records' keys and values, by both of its ways."""

from __future__ import annotations

import os
import subprocess
import sys
from ipaddress import ip_address
from pathlib import Path
from xml.etree import ElementTree as ET

from custom_components.pimqtt import mdns
from custom_components.pimqtt.topics import parse
from homeassistant.config_entries import SOURCE_ZEROCONF
from homeassistant.core import HomeAssistant
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
from rig import ROOT, Pi

NAME = "The <red> & Gärtner's car 2.0"
CONFIG = f'node: {{id: car1, name: "{NAME}"}}\nmqtt: {{base: garage/pimqtt}}\nhardware: {{backend: simulated}}\n'


def announced(folder: Path) -> ZeroconfServiceInfo:
    """Return what Home Assistant makes of the agent's service file."""
    (folder / "car1.yaml").write_text(CONFIG)
    python = os.environ.get("PIMQTT_AGENT_PYTHON", sys.executable)
    command = [python, "-m", "pimqtt_agent", "announce", "-c", str(folder / "car1.yaml")]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    group = ET.fromstring(subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout)
    service = group.find("service")
    assert service is not None
    records = [record.text or "" for record in service.findall("txt-record")]
    kind, address = f"{service.findtext('type')}.local.", ip_address("192.0.2.7")
    return ZeroconfServiceInfo(
        ip_address=address, ip_addresses=[address], hostname="car1.local.", name=f"{group.findtext('name')}.{kind}",
        port=int(service.findtext("port", "")), type=kind, properties=dict(one.split("=", 1) for one in records),
    )  # fmt: skip


async def test_the_config_flow_reads_it(hass: HomeAssistant, pi: Pi, tmp_path: Path) -> None:
    info = announced(tmp_path)
    assert info.type == mdns.SERVICE
    found = await hass.config_entries.flow.async_init("pimqtt", context={"source": SOURCE_ZEROCONF}, data=info)
    assert found["description_placeholders"] == {"name": NAME}
    done = await hass.config_entries.flow.async_configure(found["flow_id"], {})
    assert done["data"] == {"base_topic": "garage/pimqtt"}
    assert parse(done["data"]["base_topic"], "garage/pimqtt/car1/info")


def test_the_search_reads_it(tmp_path: Path) -> None:
    info = announced(tmp_path)
    told = mdns.told(info.name, info.properties, info.addresses)
    assert told == {"node": "car1", "name": NAME, "address": "192.0.2.7"}
