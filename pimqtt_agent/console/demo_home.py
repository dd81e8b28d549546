"""`demo --home-assistant`: a real Home Assistant with the component, on the demo's broker, with its dashboard first."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pimqtt_agent.client_broker import Broker
from pimqtt_agent.console import output
from pimqtt_agent.console.demo_home_api import HomeApi
from pimqtt_agent.console.demo_process import free_port, last_words, running
from pimqtt_agent.errors import PimqttError

_CLONE = Path(__file__).parents[2]
SCRIPT, COMPONENT = _CLONE / "scripts/ha-env", _CLONE / "homeassistant_component/custom_components/pimqtt"
USER, PASSWORD = "demo", "demo"
#: How long Home Assistant may take to come, and to go (s).
START_S, STOP_S = 120.0, 15.0
_POLL_S = 0.2
#: Without `default_config`, which would ask the internet for this and that.
_YAML = "homeassistant:\n  name: pimqtt demo\n  country: GB\nconfig:\nfrontend:\nhistory:\nlogbook:\nrecorder:\n"
_SINCE = "2026-01-01T00:00:00+00:00"


@dataclass
class Home:
    """A Home Assistant that is ready; ``ended`` is done when it ended."""

    url: str
    ended: asyncio.Task[int]
    log: Path

    @property
    def words(self) -> list[str]:
        """Say where it is; the first line is for programs too."""
        ready = f"READY url={self.url} user={USER} password={PASSWORD}"
        return [ready, "Open that address in a browser on this machine and log in: the dashboard is there.", ""]


@contextlib.asynccontextmanager
async def home(broker: Broker, folder: Path) -> AsyncIterator[Home]:
    """Start it in a new folder and set it up; what takes its time is told."""
    python = await _python(folder)
    config, log, port = folder / "home-assistant", folder / "home-assistant.log", free_port(None, 8123)
    _seed(config, port)
    output.complain("Starting Home Assistant (some ten seconds) ...")
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    command = [python, "-m", "homeassistant", "--skip-pip", "--log-no-color", "--config", str(config)]
    async with running(command, log, {**environment, "HA_DISABLE_LOG_FILE": "1"}, STOP_S) as ended:
        api = HomeApi(f"http://127.0.0.1:{port}")
        starting = asyncio.create_task(_set_up(api, broker))
        try:
            await asyncio.wait({starting, ended}, timeout=START_S, return_when=asyncio.FIRST_COMPLETED)
            if not starting.done():
                what = "ended" if ended.done() else f"was not ready within {START_S:g} s"
                raise PimqttError(f"Home Assistant {what}: {last_words(log)}")
            starting.result()
        finally:
            starting.cancel()
            await asyncio.wait({starting})
        yield Home(api.url, ended, log)


async def _python(folder: Path) -> str:
    """Prepare Home Assistant's environment, which is kept for the next time; return its Python."""
    if not SCRIPT.exists() or not COMPONENT.is_dir():
        raise PimqttError("--home-assistant works in a clone of pimqtt, which has the component: scripts/demo there")
    output.complain("Preparing Home Assistant (the first time some minutes, and more than 1 GB) ...")
    told = folder / "ha-env.log"
    async with running([str(SCRIPT)], told) as ended:
        status = await ended
    *words, python = ["", *told.read_text(errors="replace").splitlines()]
    if status:
        raise PimqttError("\n".join([*words[-20:], python, "Home Assistant could not be prepared; see above"]))
    return python


def _seed(config: Path, port: int) -> None:
    """Write a configuration that asks nobody outside this machine, with the component and its dashboard first.

    The steps of the onboarding after the user's would add integrations that want the internet, and so does the
    marketplace: here it is one that its user has switched off. `http:` in YAML would be taken on trial only.
    """
    shutil.copytree(COMPONENT, config / "custom_components/pimqtt", ignore=shutil.ignore_patterns("__pycache__"))
    (config / "configuration.yaml").write_text(_YAML)
    (config / ".storage").mkdir()
    stable = {
        "server_host": ["127.0.0.1"], "server_port": port, "cors_allowed_origins": [], "login_attempts_threshold": -1,
        "ip_ban_enabled": False, "ssl_profile": "intermediate_v6", "use_x_frame_options": True, "created_at": _SINCE,
        "error": None, "error_message": None,
    }  # fmt: skip
    shop: dict[str, Any] = {
        "created_at": _SINCE, "modified_at": _SINCE, "data": {}, "options": {}, "disabled_by": "user",
        "unique_id": None, "discovery_keys": {}, "domain": "marketplace", "entry_id": "01JGFRM4000000000000000000",
        "version": 1, "minor_version": 1, "pref_disable_new_entities": False, "pref_disable_polling": False,
        "source": "system", "subentries": [], "title": "",
    }  # fmt: skip
    stores: dict[str, tuple[int, dict[str, Any]]] = {
        "onboarding": (4, {"done": ["core_config", "analytics", "integration"]}),
        "http": (3, {"stable": stable, "pending": None, "yaml_migration_done": True}),
        "core.config_entries": (1, {"entries": [shop]}),
        "core.network": (1, {"configured_adapters": ["lo"]}),  # else it asks the network for names (mDNS)
        "frontend.system_data": (1, {"core": {"default_panel": "pimqtt"}}),
    }
    for key, (version, data) in stores.items():
        content = {"version": version, "minor_version": 1, "key": key, "data": data}
        (config / ".storage" / key).write_text(json.dumps(content), encoding="utf-8")


async def _set_up(api: HomeApi, broker: Broker) -> None:
    """Wait until it answers; then its user, MQTT, and the component with its dashboard in the side bar."""
    while not await _answers(api):
        await asyncio.sleep(_POLL_S)
    await api.onboard("Demo", USER, PASSWORD)
    while (await api.ask("GET", "/api/config"))["state"] != "RUNNING":
        await asyncio.sleep(_POLL_S)
    plain = {"broker": broker.host, "port": broker.port, "set_client_cert": False, "set_ca_cert": "off"}
    await api.add("mqtt", plain)
    entry = await api.add("pimqtt", {})
    await api.set_options(entry, {"sidebar": True})


async def _answers(api: HomeApi) -> bool:
    with contextlib.suppress(OSError):
        return bool(await api.ask("GET", "/api/onboarding"))
    return False
