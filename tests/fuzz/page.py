"""The page that outlives keepers, as the next keeper's start reads it."""

from __future__ import annotations

import random
import zlib
from typing import Any

import msgspec

from pimqtt_agent.keeper.link import Link, pair
from pimqtt_agent.keeper.page import _END, NODE, SLOT, Page, Record
from pimqtt_agent.keeper.shell import Shell
from tests.fuzz import mutate
from tests.fuzz.ends import Bench
from tests.fuzz.target import Finding, Target
from tests.fuzz.things import DEVICES


class SharedPage(Target):
    """The page that outlives keepers: any bytes in its slots."""

    name = "page"
    modules = ("keeper/page:read,_slot,_reached", "keeper/bench:_memory,fits,__init__,mount")
    share = 10
    takes_ms = 11

    @classmethod
    def seeds(cls) -> list[bytes]:
        some = [
            Record("pump", True),
            Record("fan", 50.0),
            Record("lamp", {"on": True, "brightness": 5}, 1.0),
            Record("heater", True, 5.0, on_since_s=9.0, proof_s=1e4, disconnected=True),
            Record("x" * 600),
            Record(NODE, latched=True),
            Record(NODE + "fan", latched=True),
            Record("arm", float("nan")),
            Record("car/limit", 40.0, live=False),
            Record("glow", {"on": True, "rgb": 5}),
            Record("pump", 1),
        ]
        found = [bytes([flags]) + msgspec.msgpack.encode(record) for record in some for flags in (1, 3)]
        found += [
            b"\0" + msgspec.msgpack.encode(some[0]),
            b"\2\0\0\0\0",
            b"\5\x90",
            b"\1\xc1",
            b"\1",
            b"",
        ]
        return [*found, b"\1\x91\xa1\xff", b"\4" + b"\xff" * 600, b"\1\x92\xa4pump" + b"\x91" * 400]

    @classmethod
    def mutated(cls, data: bytes, rng: random.Random) -> bytes:
        return mutate.packed(data, rng)

    def run(self, data: bytes) -> None:
        flags, body = (data[0], data[1:]) if data else (0, b"")
        memory = _filled(flags, body)
        found = _over(memory)
        found.read()
        latched = {""} if found.torn else set()
        start(_over(memory), self.clock.now_s, latched=latched)
        again = _over(memory)
        if latched and not again.read()[NODE].latched:
            raise Finding("a torn page is forgotten")
        again.write(Record("y", 1))
        memory.close()


def _filled(flags: int, body: bytes) -> Any:
    """Make a page's memory: 1 with right checksums, 2 one slot more in use than there are, 4 far more."""
    memory = Page()._map
    slots = [body[at : at + SLOT - 8] for at in range(0, min(len(body), 5 * SLOT), SLOT - 8)]
    for index, part in enumerate(slots):
        head = len(part).to_bytes(4, "little") + zlib.crc32(part).to_bytes(4, "little") if flags & 1 else b""
        memory[index * SLOT : index * SLOT + len(head + part)] = head + part
    used = (1 << 60) if flags & 4 else len(slots) + bool(flags & 2)
    memory[_END : _END + 8] = used.to_bytes(8, "little")
    return memory


def _over(memory: Any) -> Page:
    page = Page()
    page._map = memory
    return page


_DEVICES = [device for device in DEVICES if device.id in ("pump", "heater", "lamp", "glow", "fan", "arm", "car")]


def start(page: Page, now_s: float, *, latched: set[str]) -> None:
    """Start a keeper on a page; what is latched must be at its safe level, and every level a sound one."""
    board = Bench()
    one, two = pair()
    with one, two:
        shell = Shell(board, page, Link(one, 1), linger_s=1e9, clock=lambda: now_s)
        shell.open(_DEVICES)
        board.sound()
        safe_levels = _at_safe()
        for device in _DEVICES:
            lines = {line for _, line in device.lines()}
            if latched & {"", device.id} and {line: board.levels.get(line) for line in lines} != {
                line: safe_levels.get(line) for line in lines
            }:
                raise Finding(f"{device.id} is latched and not at its safe level")
        shell.tick(now_s + 1)
        board.sound()


_SAFE: dict[Any, Any] = {}


def _at_safe() -> dict[Any, Any]:
    if not _SAFE:
        board = Bench()
        one, two = pair()
        with one, two:
            Shell(board, Page(), Link(one, 1), linger_s=1, clock=lambda: 0.0).open(_DEVICES)
        _SAFE.update(board.levels)
    return _SAFE
