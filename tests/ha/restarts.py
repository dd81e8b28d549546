"""Broker, Home Assistant and a node, each of which ends and comes back."""

from __future__ import annotations

import asyncio
import getpass
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.broker.steps import kill_all
from tests.ha.aftermath import BACK_S, Aftermath
from tests.ha.api import ApiError, until
from tests.ha.pi import Pi, settled
from tests.ha.rig import HomeAssistant
from tests.rig import Mosquitto, observer
from tests.wire import Wire

#: Everything rests at another value than it starts with: `boiler` keeps it over stops, `winch` is latched.
DEVICES = (
    "{id: relay, kind: switch, pin: 27}",
    "{id: boiler, kind: switch, pin: 26, initial: last, on_stop: keep}",
    "{id: pump, kind: switch, pin: 17, ttl: {default: 900, max: 3600}}",
    "{id: lamp, kind: light, pin: 18}",
    "{id: fan, kind: motor, forward: 23, backward: 24}",
    "{id: winch, kind: motor, forward: 20, backward: 21}",
    "{id: door, kind: binary_sensor, pin: 22, pull: up}",
    "{id: bell, kind: button, pin: 25}",
    "{id: eye, kind: camera, source: synthetic}",
)
SPARE = "{id: spare, kind: switch, pin: 4}"
ENTITIES = 32
RELAY, BOILER, PUMP, LAMP, UNUSED = 27, 26, 17, 18, (23, 24, 20, 21, 4)
#: Every device that is announced.
EVERY = ("system", "relay", "boiler", "pump", "lamp", "fan", "winch", "door", "bell", "eye", "spare")
PERSISTENT = "user {user}\npersistence true\npersistence_location {folder}/\nautosave_interval 86400\n"
BRIGHTNESS = 51


@dataclass
class Trio(Aftermath):
    """The three, and how they end and come back."""

    extra: tuple[str, ...] = (SPARE,)

    @property
    def store(self) -> Path:
        """What the broker keeps over its end."""
        return self.broker.folder / "mosquitto.db"

    async def arrange(self) -> None:
        """Put everything to where a row begins, also after one that failed half-way."""
        if self._passed:
            self._warned_of_nothing()
        elif self._said:
            self.ha.provoked += self.ha.warnings(self._said)
        self._passed = False
        processes = {"B": self.broker.process, "H": self.ha._process, "A": self.pi.process}
        for who, process in processes.items():
            if process is None or process.poll() is not None:
                await self.start(who)
        await until(self._heard, BACK_S, "Home Assistant connected")
        if self.extra != (SPARE,):
            self.configure(SPARE)
            self.pi.reload()
            await self.ha.wait_state(self.pi.entity_id("switch", "spare"), "off", BACK_S)
        call, name = self.ha.call, self.pi.entity_id
        for output in ("relay", "boiler", "pump"):
            await call("switch", "turn_on", {"entity_id": name("switch", output)})
        await call("light", "turn_on", {"entity_id": name("light", "lamp"), "brightness": BRIGHTNESS})
        await call("switch", "turn_on", {"entity_id": name("switch", "winch", "stop")})
        for output in ("relay", "boiler", "pump", "winch_stop"):
            await self.ha.wait_state(name("switch", output), "on")
        await self.ha.wait_state(name("light", "lamp"), lambda s: s["attributes"].get("brightness") == BRIGHTNESS)
        await self.ha.wait_state(name("binary_sensor", "door"), "off")
        await until(self._picture, 20, "a picture")
        entries = await self.pi.registered(self.ha)
        self.before = await settled(self.ha, self.pi, len(entries))
        self.devices = await self._known_devices()
        self.marks, self._said, self._since = self.pi.marks(), len(self.ha.log()), len(self.wire.seen)
        self._broker_left = self.older_store = False

    # ---- what ends and comes back

    async def stop(self, who: str, *, clean: bool = True) -> None:
        """End one: ``B``, ``H`` or ``A``; unclean is a kill, of the node's processes all at once."""
        if who == "B":
            self._broker_left = True
            await asyncio.to_thread(self.broker.stop, signal.SIGTERM if clean else signal.SIGKILL)
        elif who == "H":
            await self.ha.stop(clean=clean)
        elif clean:
            assert await asyncio.to_thread(self.pi.stop) == 0
        else:
            await asyncio.to_thread(kill_all, self.pi)

    async def start(self, who: str) -> None:
        """Start one and wait until it runs, not until it is connected."""
        if who == "H":
            self.ha._spawn()  # `start` would wait for the broker, too
            await until(self.ha._running, 90, "Home Assistant running")
            return
        self._born = len(self.wire.seen)
        await asyncio.to_thread((self.broker if who == "B" else self.pi).start)

    async def end_supervisor(self) -> None:
        """Kill it; its children end by themselves."""
        assert self.pi.process
        left = self.pi.descendants()
        self.pi.process.kill()
        await until(lambda: _all_ended(left), 10, "the children ended")
        await asyncio.to_thread(self.pi.stop)

    async def end_agent(self, number: int = signal.SIGKILL) -> None:
        """Kill it alone (or freeze it, which makes the supervisor kill it); wait for the next one."""
        self._born = len(self.wire.seen)
        old = self.pi.signal("agent", number)
        await until(lambda: self._successor(old), 40, "another agent")

    async def _successor(self, old: int) -> bool:
        return self.pi.pid("agent") not in (0, old)

    async def leave(self) -> None:
        """Take the spare device out of the configuration of the running node."""
        old = self.pi.pid("agent")
        self.configure()
        self.pi.reload()
        await until(lambda: self._successor(old), 30, "another agent")

    def configure(self, *devices: str, mqtt: str = "") -> None:
        """Write the configuration with these devices beside the usual ones, and perhaps more about the broker."""
        self.extra = devices
        self.pi.write([*DEVICES, *devices])
        if mqtt:
            text = self.pi.config.read_text()
            self.pi.config.write_text(text.replace(f"port: {self.pi.port}}}", f"port: {self.pi.port}, {mqtt}}}"))

    async def remember(self) -> None:
        """Let the broker write its store now."""
        assert self.broker.process
        self.store.unlink(missing_ok=True)
        self.broker.process.send_signal(signal.SIGUSR1)
        await until(self._stored, 20, "the broker's store")

    async def _stored(self) -> bool:
        return self.store.exists() and self.store.stat().st_size > 0

    async def _heard(self) -> bool:
        try:
            await self.ha._hear()
        except ApiError:
            return False
        return True


#: What a start claims: all at rest, `boiler` where it was.
CLAIMED: dict[int, list[float]] = {
    **{pin: [0] for pin in (RELAY, PUMP, LAMP, *UNUSED)}, BOILER: [1],
}  # fmt: skip
#: The same after a stop, which puts to safe what was on.
STOPPED = {**CLAIMED, **{pin: [0.0, 0.0] for pin in (RELAY, PUMP, LAMP)}}
NOTHING: dict[int, list[float]] = {}


def alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


async def _all_ended(pids: list[int]) -> bool:
    return not any(alive(pid) for pid in pids)


@asynccontextmanager
async def trio(ha: HomeAssistant, broker: Mosquitto, folder: Path, name: str) -> AsyncIterator[Trio]:
    """Give the three, with a broker that keeps what is retained over its end."""
    forgetful, kept = broker.config.read_text(), PERSISTENT.format(folder=broker.folder, user=getpass.getuser())
    said = len(ha.log())
    broker.stop()
    broker.config.write_text(forgetful + kept)
    broker.start()
    async with Wire(broker.port) as wire:
        pi = Pi(folder, wire.port, name, [*DEVICES, SPARE])
        three = Trio(ha, broker, wire, pi)
        try:
            await asyncio.to_thread(pi.start)
            await settled(ha, pi, ENTITIES, BACK_S)
            async with observer(broker.port, ()) as sender:
                await sender.send(pi.topic("sim", "22", "set"), "0", qos=1)
            await three.remember()
            ha.provoked += ha.warnings(said)
            yield three
        finally:
            await asyncio.to_thread(pi.__exit__, None, None, None)
            await _restored(three, forgetful)


async def _restored(three: Trio, forgetful: str) -> None:
    """Leave Home Assistant and the broker as they were."""
    three.pi.port = three.broker.port
    await three.pi.forget(three.ha)
    said = len(three.ha.log())
    three.broker.stop()
    three.broker.config.write_text(forgetful)
    three.store.unlink(missing_ok=True)
    three.broker.start()
    await until(three._heard, BACK_S, "Home Assistant connected")
    three.ha.provoked += three.ha.warnings(said)

