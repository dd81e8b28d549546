"""What a board tells of itself in /proc and /sys: temperature, load, memory, supply, Wi-Fi. Reads, and no more."""

from __future__ import annotations

import fcntl
import os
import re
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pimqtt_agent.identity import ROOT, text

_UNDER_VOLTAGE, _THROTTLED = 0b0001, 0b1110  # capped, throttled, soft temperature limit
_UNDER_VOLTAGE_SINCE_BOOT = 1 << 16
_THROTTLED_FILES = "sys/devices/platform/soc*/soc*:firmware/get_throttled"
_MAILBOX_TAG = 0x00030046


def readings(root: Path = ROOT) -> dict[str, Any]:
    """Read /proc and /sys below ``root``. A key is missing where the board has no such thing; None: not now.

    temperature (°C), load (1 min), memory, disk (% used), booted (Unix s), throttled, under_voltage, wifi (dBm).
    """
    return {key: value() for key, value in _sources(root) if value is not None}


def _sources(root: Path) -> Iterator[tuple[str, Callable[[], Any] | None]]:
    zone, bits, wireless = _zone(root), _throttled(root), _wireless(root)
    yield "temperature", (lambda: _scaled(zone, 1000)) if zone else None
    yield "load", lambda: _number(r"^([\d.]+)", root / "proc/loadavg")
    yield "memory", lambda: _memory(root)
    yield "disk", lambda: _disk(root)
    yield "booted", lambda: _number(r"^btime (\d+)", root / "proc/stat")
    yield "throttled", (lambda: bool(bits & _THROTTLED)) if bits is not None else None
    yield "under_voltage", (lambda: bool(bits & _UNDER_VOLTAGE)) if bits is not None else _alarm(root)
    yield "wifi", (lambda: _signal(root)) if wireless else None


def under_voltage(root: Path = ROOT) -> bool | None:
    """Tell whether the supply is too weak, or was since boot where the firmware remembers; None: nobody tells."""
    bits, alarm = _throttled(root), _alarm(root)
    if bits is not None:
        return bool(bits & (_UNDER_VOLTAGE | _UNDER_VOLTAGE_SINCE_BOOT))
    return alarm() if alarm else None


def _number(pattern: str, path: Path) -> float | None:
    found = re.search(pattern, text(path) or "", re.MULTILINE)
    return float(found[1]) if found else None


def _scaled(path: Path, divisor: int) -> float | None:
    value = _number(r"^(-?\d+)$", path)
    return None if value is None else round(value / divisor, 1)


def _zone(root: Path) -> Path | None:
    """Find the CPU's thermal zone."""
    zones = sorted(root.glob("sys/class/thermal/thermal_zone*"))
    for word in ("cpu", "x86_pkg", "soc"):
        for zone in zones:
            if word in (text(zone / "type") or ""):
                return zone / "temp"
    return None


def _memory(root: Path) -> float | None:
    total, free = (_number(rf"^{key}:\s+(\d+)", root / "proc/meminfo") for key in ("MemTotal", "MemAvailable"))
    return round(100 * (1 - free / total), 1) if total and free is not None else None


def _disk(root: Path) -> float | None:
    """Say what `df` says: in percent of what we may use."""
    stat = os.statvfs(root)
    used = stat.f_blocks - stat.f_bfree
    return round(100 * used / (used + stat.f_bavail), 1) if used + stat.f_bavail else None


def _throttled(root: Path) -> int | None:
    """Read the firmware's bits: Raspberry Pi's kernels have a file, else the mailbox is asked (as vcgencmd does)."""
    for path in root.glob(_THROTTLED_FILES):
        bits = text(path)
        if bits and re.fullmatch(r"(0x)?[0-9a-fA-F]+", bits):
            return int(bits, 16)
    return _mailbox(root / "dev/vcio")


def _mailbox(path: Path) -> int | None:
    request = struct.pack("=7I", 28, 0, _MAILBOX_TAG, 4, 0, 0, 0)  # size, code, tag, room, length, value, end
    code = 3 << 30 | struct.calcsize("P") << 16 | 100 << 8  # _IOWR(100, 0, char *)
    try:
        with path.open("rb") as file:
            _, answer, _, _, _, bits, _ = struct.unpack("=7I", fcntl.ioctl(file, code, request))
    except OSError:
        return None
    return int(bits) if answer == 0x80000000 else None


def _alarm(root: Path) -> Callable[[], bool] | None:
    """Find the mainline kernel's under-voltage alarm."""
    for path in root.glob("sys/class/hwmon/hwmon*/in0_lcrit_alarm"):
        if text(path.with_name("name")) == "rpi_volt":
            return lambda: text(path) == "1"
    return None


def _wireless(root: Path) -> bool:
    return any(root.glob("sys/class/net/*/phy80211")) or any(root.glob("sys/class/net/*/wireless"))


def _signal(root: Path) -> float | None:
    """Read the first connected interface's level (dBm)."""
    level = _number(r"^\s*\S+:\s+\S+\s+\S+\s+(-\d+)", root / "proc/net/wireless")
    return None if level is None or level <= -256 else level
