"""`system`: the node's own readings and buttons. Always there, made by the agent; not a kind of `devices:`."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pimqtt_agent import __version__, entities
from pimqtt_agent.clock import boottime_s
from pimqtt_agent.devices.base import Device, Id
from pimqtt_agent.errors import CommandError
from pimqtt_agent.identity import ROOT, addresses, text
from pimqtt_agent.readings import readings, under_voltage
from pimqtt_agent.rules import Value

if TYPE_CHECKING:
    from pimqtt_agent.settings import SystemOptions

IDENTIFY_S = 5.0
_CLOCK_STEP_S = 2  # a boot time that differs by less is the same one


class SystemDevice(Device):
    """The node itself: registered under no word, so that nobody can configure a second one."""

    keeper: ClassVar[str] = "agent"
    kind_name: ClassVar[str] = "system"

    id: Id = "system"
    kind: str = "system"
    allow: frozenset[str] = frozenset()
    """Which buttons act."""
    found: frozenset[str] = frozenset()
    """Which readings and buttons this board offers, by entity key."""

    @classmethod
    def of(cls, options: SystemOptions, root: Path = ROOT) -> SystemDevice:
        """Make it for the board that the agent runs on."""
        buttons = {"restart", "reboot"} | ({"identify"} if _led(root) else set())
        return cls(allow=options.allow, found=frozenset(readings(root)) | buttons)

    def entities(self) -> tuple[entities.Entity, ...]:
        """Declare what the board offers, buttons only where they are allowed."""
        always = {"version", "address", "started"}
        sensors = [entity for entity in _SENSORS if entity.key in self.found | always]
        return (*sensors, *(button for button in _BUTTONS if button.key in self.found & self.allow))


def _sensor(key: str, name: str, **options: Any) -> entities.Sensor:
    return entities.Sensor(key=key, name=name, entity_category="diagnostic", **options)


def _measured(key: str, name: str, unit: str | None, digits: int, **options: Any) -> entities.Sensor:
    numeric = {"state_class": "measurement", "suggested_display_precision": digits, "unit_of_measurement": unit}
    return _sensor(key, name, **numeric, **options)


def _problem(key: str, name: str) -> entities.BinarySensor:
    return entities.BinarySensor(key=key, name=name, device_class="problem", entity_category="diagnostic")


_SENSORS: tuple[entities.Entity, ...] = (
    _measured("temperature", "CPU temperature", "°C", 1, device_class="temperature"),
    _measured("load", "Load", None, 2, icon="mdi:gauge"),
    _measured("memory", "Memory used", "%", 0, icon="mdi:memory"),
    _measured("disk", "Disk used", "%", 0, icon="mdi:harddisk"),
    _sensor("booted", "Booted", device_class="timestamp"),
    _sensor("started", "Agent started", device_class="timestamp"),
    _problem("throttled", "Throttled"),
    _problem("under_voltage", "Under-voltage"),
    _measured("wifi", "Wi-Fi signal", "dBm", 0, device_class="signal_strength"),
    _sensor("version", "Version", icon="mdi:tag-outline"),
    _sensor("address", "IP address", icon="mdi:ip-network"),
)
_BUTTONS: tuple[entities.Entity, ...] = (
    entities.Button(key="restart", name="Restart pimqtt", device_class="restart", entity_category="config"),
    entities.Button(key="reboot", name="Reboot", device_class="restart", entity_category="config"),
    entities.Button(key="identify", name="Identify", device_class="identify", entity_category="diagnostic"),
)


class System:
    """Reads the node and does what its buttons ask for. Driver-like: ``deadline_s`` and ``tick`` as a driver's.

    ``restart`` and ``reboot`` are called on a press and may raise ``CommandError``; ``clock`` is CLOCK_BOOTTIME (s).
    """

    #: buttons that may take seconds; they touch nothing of ours and may be pressed in a thread
    SLOW: ClassVar[frozenset[str]] = frozenset({"reboot"})
    deadline_s: float = inf
    #: whether the supply is too weak, or was since boot; None where the board does not tell
    under_voltage: bool | None = None

    def __init__(
        self,
        device: SystemDevice,
        *,
        restart: Callable[[], None],
        reboot: Callable[[], None],
        root: Path = ROOT,
        clock: Callable[[], float] = boottime_s,
    ) -> None:
        """Note when the agent started; nothing is read or touched yet."""
        self._device = device
        self._root = root
        self._clock = clock
        self._started_s = clock()
        self._booted_unix_s: float | None = None
        self._blinking: tuple[Path, str] | None = None
        self._actions = {"restart": restart, "reboot": reboot, "identify": self._identify}

    def read(self) -> dict[str, Value]:
        """Read every sensor now, by entity key; None where it can't be read at the moment."""
        found: dict[str, Value] = {key: None for key in self._device.found if key not in self._actions}
        values = found | readings(self._root)
        self._watch_supply()
        booted = values.get("booted")
        if booted is not None and (self._booted_unix_s is None or abs(booted - self._booted_unix_s) > _CLOCK_STEP_S):
            self._booted_unix_s = booted
        values["booted"] = _iso(self._booted_unix_s)
        values["started"] = self._booted_unix_s and _iso(self._booted_unix_s + int(self._started_s))
        return values | {"version": __version__, "address": next(iter(addresses(self._root)), None)}

    def press(self, key: str) -> None:
        """Do what a button asks for. Raises ``CommandError``."""
        if key not in self._actions:
            raise CommandError("unknown", f"there is no button {entities.quote(key)}")
        if key not in self._device.allow:
            raise CommandError("forbidden", f"{entities.quote(key)} is not among system.allow of the configuration")
        self._actions[key]()

    def tick(self, now: float) -> None:
        """Give the LED back to what it showed before."""
        if self._blinking and now >= self.deadline_s:
            trigger, before = self._blinking
            self._blinking, self.deadline_s = None, inf
            _write(trigger, before)

    def close(self) -> None:
        """Leave no LED blinking."""
        self.tick(inf)

    def _watch_supply(self) -> None:
        """Remember that the supply was too weak: the mainline kernel tells no more than the moment."""
        weak = under_voltage(self._root)
        if weak is not None:
            self.under_voltage = weak or bool(self.under_voltage)

    def _identify(self) -> None:
        led = _led(self._root)
        if led is None:
            raise CommandError("unavailable", "'identify': this board has no LED that pimqtt may write")
        trigger = led / "trigger"
        if self._blinking is None:
            before = re.search(r"\[(.+?)\]", text(trigger) or "")
            if not _write(trigger, "timer"):
                raise CommandError("unavailable", f"'identify': the LED {led.name} can't be set to blink")
            self._blinking = trigger, before[1] if before else "none"
        for file in ("delay_on", "delay_off"):  # the kernel makes them with its trigger; its own pace is 1 Hz
            if (led / file).exists():
                _write(led / file, "100")
        self.deadline_s = self._clock() + IDENTIFY_S


def reboot_board(command: tuple[str, ...] = ("systemctl", "--no-ask-password", "reboot")) -> None:
    """Reboot the board by systemd, which must allow it to our user. Waits 2 s at most; raises ``CommandError``."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=2, check=False)  # noqa: S603
    except FileNotFoundError:
        raise CommandError("unavailable", f"this system has no {command[0]} to reboot with") from None
    except OSError as error:
        raise CommandError("unavailable", f"{command[0]} can't be run: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        raise CommandError("unavailable", f"{command[0]} did not answer within 2 s") from None
    if done.returncode:
        said = (done.stderr.strip() or f"exit status {done.returncode}").splitlines()[-1]
        refused = re.search(r"denied|permitted|authenti|authoriz", done.stderr, re.IGNORECASE)
        raise CommandError("forbidden" if refused else "unavailable", f"the board may not be rebooted by us: {said}")


def _led(root: Path) -> Path | None:
    """Find the board's LED that can blink by itself and that we may write."""
    for name in ("ACT", "led0"):
        led = root / "sys/class/leds" / name
        if "timer" in re.findall(r"[\w-]+", text(led / "trigger") or "") and os.access(led / "trigger", os.W_OK):
            return led
    return None


def _write(path: Path, value: str) -> bool:
    try:
        path.write_text(value)
    except OSError:
        return False
    return True


def _iso(unix_s: float | None) -> str | None:
    return None if unix_s is None else datetime.fromtimestamp(int(unix_s), UTC).isoformat()
