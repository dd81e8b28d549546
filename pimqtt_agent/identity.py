"""Who this board is: the identity in unique ids, its model, its addresses. Reads files and asks the kernel, no more."""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import ipaddress
import platform
import re
import socket
import struct
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pimqtt_agent.settings import Settings

ROOT = Path("/")
_SIOCGIFADDR = 0x8915
_UNUSABLE = 0x01 | 0x08 | 0x20 | 0x40  # temporary, duplicate, deprecated, tentative


def identity(settings: Settings, root: Path = ROOT) -> tuple[str, str]:
    """Return (identity, model): the board's serial, else machine-id plus node; simulated, the node's id."""
    node = settings.node.id
    if settings.hardware.backend == "simulated":
        return node, model(root)
    return serial(root) or machine(node, root), model(root)


def text(path: Path) -> str | None:
    """Read a small file of /proc or /sys; None where there is none, or it gives an error."""
    try:
        return path.read_text(errors="replace").strip("\0 \n\t")
    except OSError:
        return None


def serial(root: Path = ROOT) -> str | None:
    """Return the board's serial number; None where it has none (missing or all zeros)."""
    found = re.search(r"^Serial\s*:\s*(\S+)", text(root / "proc/cpuinfo") or "", re.MULTILINE)
    for raw in (text(root / "proc/device-tree/serial-number"), found and found[1]):
        clean = re.sub(r"[^a-z0-9]", "", (raw or "").lower())
        if clean.strip("0"):
            return clean
    return None


def machine(node: str, root: Path = ROOT) -> str:
    """Return an identity from machine-id (hashed: it must not be shown) and node; without one the node's id."""
    raw = text(root / "etc/machine-id")
    if not raw or raw == "uninitialized":
        return node
    return f"{hmac.new(raw.encode(), b'pimqtt', hashlib.sha256).hexdigest()[:16]}-{node}"


def model(root: Path = ROOT) -> str:
    """Return the board's model, in its maker's words where there are some."""
    dmi = root / "sys/class/dmi/id"
    names = [name for name in (text(dmi / "sys_vendor"), text(dmi / "product_name")) if name]
    return text(root / "proc/device-tree/model") or " ".join(names) or platform.machine()


def addresses(root: Path = ROOT) -> list[str]:
    """Return the addresses that others may reach: IPv4, then global IPv6; the default route's interface first."""
    names = _interfaces(root)
    v4 = [address for name in names if (address := _ipv4(name)) and not address.startswith("127.")]
    return v4 + _ipv6(names, root)


def _interfaces(root: Path) -> list[str]:
    """Name the interfaces, those of default routes first (lowest metric first)."""
    metrics: dict[str, int] = {}
    for line in (text(root / "proc/net/route") or "").splitlines()[1:]:
        row = line.split()
        if len(row) >= 8 and row[1] == row[7] == "00000000":
            metrics[row[0]] = min(int(row[6]), metrics.get(row[0], 1 << 32))
    return sorted((name for _, name in socket.if_nameindex()), key=lambda name: metrics.get(name, 1 << 32))


def _ipv4(interface: str) -> str | None:
    """Ask for an interface's first IPv4 address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            answer = fcntl.ioctl(sock, _SIOCGIFADDR, struct.pack("256s", interface.encode()[:15]))
        except OSError:
            return None
    return socket.inet_ntoa(answer[20:24])


def _ipv6(names: list[str], root: Path) -> list[str]:
    """Read the lasting global IPv6 addresses."""
    rows = [line.split() for line in (text(root / "proc/net/if_inet6") or "").splitlines()]
    usable = [row for row in rows if len(row) == 6 and row[3] == "00" and not int(row[4], 16) & _UNUSABLE]
    order = {name: number for number, name in enumerate(names)}
    usable.sort(key=lambda row: order.get(row[5], len(order)))
    return [str(ipaddress.IPv6Address(int(row[0], 16))) for row in usable]
