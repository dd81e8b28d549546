"""A real Home Assistant for the tests: its own process, its own configuration, loopback only.

``async with HomeAssistant(python, broker_port) as ha:`` starts one and connects it to a broker. ``python`` is what
``scripts/ha-env`` prints. Put whatever must be there at the start (``custom_components``) into ``ha.config`` before.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from socket import socket as new_socket
from types import TracebackType
from typing import Any, Self

from tests.ha.api import Api, ApiError, until

_START_S = 90
_STOP_S = 30
_ENTRY = re.compile(r"^\S+ \S+ [A-Z]+ \(", re.MULTILINE)
#: What every Home Assistant of this rig says, whatever it is told over MQTT.
_NOISE = (
    "Skipping pip installation of required modules",  # the rig asks for that: scripts/ha-env installed them
    "[haffmpeg.",  # a bare configuration asks for the version of ffmpeg, which need not be installed
    "libturbojpeg",  # a library of the distribution's that only makes scaling pictures faster
    "We found a custom integration",  # said of every custom component
)
#: What versions say that still have their HTTP settings in YAML.
_OLD_NOISE = ("No device components to cleanup",)  # they hear their own clearing of a topic

#: The marketplace wants the internet from its first second on: here it is one that its user has switched off.
_SHOP = {
    "created_at": "2026-01-01T00:00:00+00:00", "modified_at": "2026-01-01T00:00:00+00:00", "data": {}, "options": {},
    "disabled_by": "user", "discovery_keys": {}, "domain": "marketplace", "entry_id": "01JGFRM4000000000000000000",
    "minor_version": 1, "version": 1, "pref_disable_new_entities": False, "pref_disable_polling": False,
    "source": "system", "subentries": [], "title": "", "unique_id": None,
}


def free_port() -> int:
    """Give a free port below the ephemeral ones, where no outgoing connection takes it during a restart."""
    while True:
        port = random.randint(20_000, 29_999)
        with new_socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def _components(python: str) -> Path:
    """Find the integrations of the Home Assistant of an environment: what they offer depends on its version."""
    return next(Path(python).parents[1].glob("lib/python3*/site-packages/homeassistant/components"))


class HomeAssistant(Api):
    """One Home Assistant; the API methods are inherited."""

    def __init__(self, python: str, broker_port: int, broker_host: str = "127.0.0.1", **login: str) -> None:
        """``login`` is the ``username`` and ``password`` at the broker, where it wants them."""
        self._broker = {
            "broker": broker_host, "port": broker_port, "set_client_cert": False, "set_ca_cert": "off", **login,
        }
        self._components = _components(python)
        self._old = not (self._components / "http/config.py").exists()
        self._command = [python, "-m", "homeassistant", "--skip-pip", "--log-no-color"]
        self._process: subprocess.Popen[bytes] | None = None
        self._port = free_port()
        #: warnings that tests provoked and looked at
        self.provoked: list[str] = []
        self.config = Path(tempfile.mkdtemp(prefix="pimqtt-ha-"))
        super().__init__(f"http://127.0.0.1:{self._port}")
        self._seed()

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            self.discard()
            raise
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None,
                        trace: TracebackType | None) -> None:
        try:
            await self.stop()
        finally:
            self.discard()

    def _seed(self) -> None:
        """Write what keeps a first start silent.

        The onboarding steps after the user's would add integrations that want the internet; ``http:`` in YAML is
        deprecated and only taken on trial, its store is what the user interface writes. Older versions know it only.
        """
        http = {
            "server_host": ["127.0.0.1"], "server_port": self._port, "cors_allowed_origins": [],
            "login_attempts_threshold": -1, "ip_ban_enabled": False, "ssl_profile": "intermediate_v6",
            "use_x_frame_options": True, "created_at": "2026-01-01T00:00:00+00:00", "error": None,
            "error_message": None,
        }
        store = self.config / ".storage"
        store.mkdir()
        seeds: list[tuple[str, int, dict[str, Any]]] = [
            ("onboarding", 4, {"done": ["core_config", "analytics", "integration"]})
        ]
        yaml = f"http:\n  server_host: 127.0.0.1\n  server_port: {self._port}\n"
        if (self._components / "marketplace").exists():
            seeds.append(("core.config_entries", 1, {"entries": [_SHOP]}))
        if not self._old:
            seeds.append(("http", 3, {"stable": http, "pending": None, "yaml_migration_done": True}))
            yaml = ""
        for key, version, data in seeds:
            content = {"version": version, "minor_version": 1, "key": key, "data": data}
            (store / key).write_text(json.dumps(content), encoding="utf-8")
        (self.config / "configuration.yaml").write_text(yaml, encoding="utf-8")

    def install(self, component: Path) -> None:
        """Link a custom component into the configuration; before the start."""
        folder = self.config / "custom_components"
        folder.mkdir(exist_ok=True)
        (folder / component.name).symlink_to(component)

    def configure(self, yaml: str) -> None:
        """Add to configuration.yaml; before the start. Browsers want ``recorder:``, else the frontend throws."""
        with (self.config / "configuration.yaml").open("a", encoding="utf-8") as file:
            file.write(yaml)

    async def start(self) -> None:
        """Start it and wait until it runs and hears the broker; the first time, make it a home of its own."""
        self._spawn()
        try:
            if not self.token:
                await self._move_in()
            await until(self._connected, _START_S, "MQTT loaded")
            await self._hear()
        except (TimeoutError, ApiError) as error:
            error.add_note(self.log()[-3000:])
            raise

    def _spawn(self) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        # Should the rig itself be killed, the child goes with it.
        command = ["setpriv", "--pdeathsig", "KILL", "--", *self._command, "--config", str(self.config)]
        environment["HA_DISABLE_LOG_FILE"] = "1"  # standard error is the log, across restarts
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, cwd=self.config, env=environment, stdin=subprocess.DEVNULL,
                                             stdout=log, stderr=log, start_new_session=True)

    async def _move_in(self) -> None:
        """Make it a home: an owner, MQTT; and wait until that is on disk."""
        await until(self._onboarding, _START_S, "Home Assistant answering")
        await self.onboard()
        await until(self._running, _START_S, "Home Assistant running")
        await self.ask("config/core/update", country="NL")  # else a repair asks for one
        await self.add_integration("mqtt", self._broker)
        await until(self._saved, _START_S, "the new home saved")

    async def _onboarding(self) -> Any:
        return await self._look("/api/onboarding")

    async def _running(self) -> bool:
        return (await self._look("/api/config") or {}).get("state") == "RUNNING"

    async def _connected(self) -> bool:
        entries = await self._look("/api/config/config_entries/entry?domain=mqtt")
        return await self._running() and bool(entries) and entries[0]["state"] == "loaded"

    async def _look(self, path: str) -> Any:
        """Give what a Home Assistant that is perhaps still starting answers, or None."""
        if self._process is None or self._process.poll() is not None:
            raise ApiError("Home Assistant has ended")
        try:
            return await self.rest("GET", path)
        except (OSError, ApiError):
            return None

    async def _saved(self) -> bool:
        marks = {"auth": "long_lived_access_token", "core.config_entries": '"domain":"mqtt"'}
        files = {mark: self.config / ".storage" / key for key, mark in marks.items()}
        return all(file.exists() and mark in file.read_text(encoding="utf-8") for mark, file in files.items())

    async def _hear(self) -> None:
        """Wait until a message comes back from the broker: what is not retained is lost until then.

        Home Assistant subscribes half a second after MQTT is loaded, to all that has gathered by then at once.
        """
        topic = f"pimqtt-rig/{self._port}"

        async def heard() -> bool:
            await self.call("mqtt", "publish", {"topic": topic, "payload": "?"})
            with suppress(TimeoutError):
                async with asyncio.timeout(0.1):
                    while json.loads(await socket.recv())["type"] != "event":
                        pass
                    return True
            return False

        async with self.socket() as socket:
            await socket.send(json.dumps({"id": 1, "type": "mqtt/subscribe", "topic": topic}))
            await until(heard, _START_S, "messages coming back from the broker")

    async def stop(self, *, clean: bool = True) -> None:
        """End it, by asking or by killing it."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM if clean else signal.SIGKILL)
        try:
            await asyncio.to_thread(self._process.wait, _STOP_S)
        finally:
            self.kill()

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    async def restart(self, *, clean: bool = True) -> None:
        """Stop and start it."""
        await self.stop(clean=clean)
        await self.start()

    def discard(self) -> None:
        """End it if need be and remove its configuration."""
        self.kill()
        shutil.rmtree(self.config, ignore_errors=True)

    @property
    def _log(self) -> Path:
        return self.config / "rig.log"

    def log(self) -> str:
        """Give the log since the first start."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def warnings(self, since: int = 0) -> list[str]:
        """Give what was logged as WARNING or worse, with tracebacks, from ``since`` (a length of ``log()``) on."""
        return warnings_in(self.log()[since:], *(_OLD_NOISE if self._old else ()))


def warnings_in(log: str, *noise: str) -> list[str]:
    """Give what is WARNING or worse in a log, with tracebacks, but for ``noise`` and what all Home Assistants say."""
    starts = [match.start() for match in _ENTRY.finditer(log)]
    entries = [log[start:end].rstrip() for start, end in pairwise([*starts, len(log)])]
    bad = [entry for entry in entries if entry.split(" ", 3)[2] in ("WARNING", "ERROR", "CRITICAL")]
    return [entry for entry in bad if not any(each in entry for each in (*_NOISE, *noise))]
