"""Two hosts in network namespaces on one cable: a broker's and an agent's, whose link is cut or loses packets."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import itertools
import os
import socket
import struct
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from benchmarks.environment import run
from benchmarks.errors import BenchmarkError
from benchmarks.safety.world import packet_filter
from benchmarks.safety.world.direction import Direction

Host = Literal["broker", "agent"]
HOSTS: tuple[Host, ...] = ("broker", "agent")
RECEIVER: dict[Direction, Host] = {"to_broker": "broker", "to_agent": "agent"}
#: Seen from these two hosts alone.
ADDRESS: dict[Host, str] = {"broker": "10.99.0.1", "agent": "10.99.0.2"}
CARD = "cable"
CLEAR = "table inet faults\ndelete table inet faults\n"
DROP = """table inet faults {{
  chain incoming {{
    type filter hook input priority 0;
    iifname "{card}" {which} drop;
  }}
}}
"""
_NUMBERS = itertools.count()
_CLONE_NEWNET = 0x40000000
_SIOCSIFFLAGS, _DOWN, _UP = 0x8914, 0x1000, 0x1001
_libc = ctypes.CDLL(None, use_errno=True)


class Network:
    """The two hosts, while it is entered. Root only."""

    def __init__(self) -> None:
        """Name them."""
        self._name = f"pimqtt-{os.getpid()}-{next(_NUMBERS)}"

    def host(self, host: Host) -> str:
        """Return the name of a host's namespace."""
        return f"{self._name}-{host}"

    def command(self, host: Host, *words: str) -> tuple[str, ...]:
        """Return the command that runs these words on a host."""
        return ("ip", "netns", "exec", self.host(host), *words)

    @contextlib.contextmanager
    def inside(self, host: Host) -> Iterator[None]:
        """Put this thread on a host: what it starts and every socket that it makes stay there."""
        with Path("/proc/thread-self/ns/net").open() as home, Path("/run/netns", self.host(host)).open() as there:
            _enter(there.fileno())
            try:
                yield
            finally:
                _enter(home.fileno())

    def cut(self) -> None:
        """Pull the cable: the agent's card loses its carrier and keeps its address."""
        self._set_card(_DOWN)

    def join(self) -> None:
        """Plug it in again; the first quarter of a second may still lose packets."""
        self._set_card(_UP)

    def drop_one_way(self, direction: Direction, percent: int = 100) -> None:
        """Lose this many percent of the packets of one direction, until ``restore``; the link looks sound."""
        which = "" if percent >= 100 else f"numgen random mod 100 < {percent}"
        self._nft(direction, DROP.format(card=CARD, which=which))

    def restore(self, direction: Direction) -> None:
        """Let all packets of a direction pass."""
        self._nft(direction, "")

    def _nft(self, direction: Direction, rules: str) -> None:
        with self.inside(RECEIVER[direction]):
            packet_filter.apply(CLEAR + rules)

    def _set_card(self, flags: int) -> None:
        """Set the card of the broker up or down; in no time, as it is the moment of a fault."""
        with self.inside("broker"), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
            fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sh14x", CARD.encode(), flags))

    def _ip(self, host: Host, *words: str) -> None:
        run("ip", "-n", self.host(host), *words)

    def __enter__(self) -> Self:
        if os.geteuid() != 0:
            raise BenchmarkError("a network of its own needs root: run this with sudo, or leave out what cuts cables")
        try:
            for host in HOSTS:
                run("ip", "netns", "add", self.host(host))
            there = ("netns", self.host("agent"))
            self._ip("broker", "link", "add", CARD, "type", "veth", "peer", "name", CARD, *there)
            for host in HOSTS:
                self._ip(host, "addr", "add", f"{ADDRESS[host]}/24", "dev", CARD)
                self._ip(host, "link", "set", "lo", "up")
                self._ip(host, "link", "set", CARD, "up")
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        for host in HOSTS:
            if Path("/run/netns", self.host(host)).exists():
                run("ip", "netns", "del", self.host(host))


def _enter(namespace: int) -> None:
    if _libc.setns(namespace, _CLONE_NEWNET):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
