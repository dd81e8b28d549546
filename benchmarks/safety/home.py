"""Home Assistant drives, by the websocket command that its cards use, and is killed."""

from __future__ import annotations

import asyncio
import json
import random
import time
from typing import Any

from benchmarks.environment import run as command
from benchmarks.errors import BenchmarkError
from benchmarks.plan import Row
from benchmarks.safety.capture import last_ns, mark, port_of
from benchmarks.safety.judging import Facts, judge
from benchmarks.safety.pins import PUMP_TTL_S, speed
from benchmarks.safety.plan import Part
from benchmarks.safety.rows import row_of
from benchmarks.safety.spoilt import wrong
from benchmarks.safety.stage import Stage
from benchmarks.safety.world.pulse import Pulse, excused
from tests.ha.api import ApiError
from tests.ha.rig import HomeAssistant
from tests.rig import ROOT

COMPONENT = ROOT / "homeassistant_component/custom_components/pimqtt"
RENEWALS, EVERY_S = range(9, 14), 0.1
#: Car and fan are renewed by two commands; a kill between the two would leave two deadlines (s).
APART_S = 0.02


def run_part(part: Part, chance: random.Random, pulse: Pulse, first: int = 0) -> list[Row]:
    """Kill it so often; it comes back each time."""
    python = command(ROOT / "scripts/ha-env").splitlines()[-1]
    with part.fault.make(part.nodes, part.rule) as stage:
        try:
            return asyncio.run(_all(python, stage, part, chance, pulse, first))
        except (TimeoutError, ApiError, OSError) as error:
            raise BenchmarkError(f"Home Assistant: {error}") from error


async def _all(
    python: str, stage: Stage, part: Part, chance: random.Random, pulse: Pulse, first: int
) -> list[Row]:  # fmt: skip
    rows: list[Row] = []
    home = HomeAssistant(python, stage.broker.port)
    home.install(COMPONENT)
    async with home:
        await home.add_integration("pimqtt", {})
        while sum(not row["void"] for row in rows) < part.rounds and len(rows) < 2 * part.rounds + 2:
            if rows:
                await home.start()
            row = await _trial(home, stage, part, first + len(rows), chance.choice(RENEWALS))
            rows.append(excused(row, pulse, part.fault.expected(part.rule)))
    return rows


async def _trial(home: HomeAssistant, stage: Stage, part: Part, number: int, renewals: int) -> Row:
    (node,) = stage.nodes
    await asyncio.to_thread(stage.prepare)
    with stage.capture() as capture:
        armed_ns = time.monotonic_ns()
        async with home.socket() as socket:
            driver = Driver(socket, node.name)
            await driver.open()
            command_ns = stage.publish((f"pimqtt/{node.name}/pump/set", {"value": "ON", "ttl": PUMP_TTL_S}))
            await driver.drive(renewals)
            fault_ns = time.monotonic_ns()
            home.kill()
        await asyncio.sleep(part.fault.watch_s)
        end_ns, packets = time.monotonic_ns(), capture.packets()
    port = port_of(packets, node.name, end_ns)
    last = [last_ns(packets, port, end_ns, mark(node.name, device)) for device in ("car", "fan")]
    void = "killed between car and fan" if abs(last[0] - last[1]) > APART_S * 1e9 else ""
    facts = Facts(armed_ns, end_ns, {"fault": fault_ns, "renewal": min(last), "command": command_ns})
    findings = judge(stage.trace(node).seen(), part.fault.expected(part.rule), facts)
    row = row_of(part.fault.name, part.rule, node.name, wrong(findings) if void else findings, void)
    return {**row, "round": number}


class Driver:
    """A browser that drives car and fan of a node."""

    def __init__(self, socket: Any, node: str) -> None:
        """Take an authenticated websocket."""
        self._socket, self._node, self._number = socket, node, 0
        self._sessions: dict[int, dict[str, Any]] = {}

    async def open(self) -> None:
        """Open a session for each, as soon as the component knows them."""
        for device in ("car", "fan"):
            end = time.monotonic() + 30
            while not await self._opened(device):
                if time.monotonic() > end:
                    raise TimeoutError(f"no driving session for {device}")
                await asyncio.sleep(0.2)

    async def drive(self, renewals: int) -> None:
        """Renew both at a steady clock; the fault comes in the middle between two."""
        begin_s = time.monotonic()
        for seq in range(renewals):
            await self._listen(begin_s + seq * EVERY_S)
            for session in self._sessions.values():
                level = speed(seq)
                value = {"x": 0, "y": level} if session["device"] == "car" else round(100 * level)
                await self._send(
                    "pimqtt/drive/send", session=session["session"], seq=seq, value=value, token=session["token"]
                )
        await self._listen(begin_s + (renewals - 0.5) * EVERY_S)

    async def _opened(self, device: str) -> bool:
        """Open a session; False where Home Assistant does not know the device yet."""
        number = await self._send("pimqtt/drive", unique_id=f"pimqtt.{self._node}.{device}")
        while True:
            told = json.loads(await asyncio.wait_for(self._socket.recv(), 10))
            if told["id"] == number and not told.get("success", True):
                return False
            if told["id"] == number and "session" in told.get("event", {}):
                self._sessions[number] = {"device": device, **told["event"]}
                return bool(told["event"]["token"])

    async def _send(self, kind: str, **fields: Any) -> int:
        self._number += 1
        await self._socket.send(json.dumps({"id": self._number, "type": kind, **fields}))
        return self._number

    async def _listen(self, until_s: float) -> None:
        """Take the newest tokens until a time."""
        while (left_s := until_s - time.monotonic()) > 0:
            try:
                told = json.loads(await asyncio.wait_for(self._socket.recv(), left_s))
            except TimeoutError:
                return
            if told["id"] in self._sessions and told.get("event", {}).get("token"):
                self._sessions[told["id"]]["token"] = told["event"]["token"]
