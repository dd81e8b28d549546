"""What is mounted in a keeper: devices, their outputs and drivers, the latches, and the page behind them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from math import inf
from typing import TYPE_CHECKING, Any

import msgspec

from pimqtt_agent.devices import Device, Driver
from pimqtt_agent.entities import Entity, from_text
from pimqtt_agent.errors import CommandError, HardwareError
from pimqtt_agent.hardware.protocols import Board
from pimqtt_agent.keeper import messages as wire
from pimqtt_agent.keeper.mounted import Mounted, made
from pimqtt_agent.keeper.page import NODE, Page, Record
from pimqtt_agent.lease import Output
from pimqtt_agent.limits import Interlock
from pimqtt_agent.rules import LAST, Drive, Memory

if TYPE_CHECKING:
    from pimqtt_agent.keeper.shell import Shell

log = logging.getLogger(__name__)


class Bench:
    """All that is mounted, and what outlives the keeper."""

    def __init__(self, board: Board, page: Page, shell: Shell) -> None:
        """Read what an earlier keeper left; a torn page counts as latched."""
        self.board = board
        self.mounted: dict[str, Mounted] = {}
        self.watched: list[Output] = []
        self.failed: list[Output] = []
        self.unread: dict[str, str] = {}
        self._lively: list[Mounted] | None = None
        self._shell = shell
        self._page = page
        self._records = page.read()
        self._remembered: dict[Output, Memory] = {}
        self._interlocks: dict[str, Interlock] = {}
        self._owners: dict[Output, Mounted] = {}
        self._keys: dict[Output, str] = {}
        self._latches = {name[1:] for name, record in self._records.items() if name.startswith(NODE) and record.latched}
        if page.torn:
            log.error("the page that keepers share is torn: every output is latched")
            self._latches.add("")
            self._page.write(Record(NODE, latched=True))

    def mount(self, device: Device, clock: Callable[[], float]) -> list[Output]:
        """Start a device's leases and open its driver; what a start switches off is off from its claim on."""
        now = clock()
        mounted = self.mounted[device.id] = Mounted(device, self._shell.link)
        latched = bool(self._latches & {"", device.id})
        for entity in device.declared:
            if entity.rules is None:
                continue
            rules = entity.rules
            group = rules.limits.interlock
            interlock = self._interlocks.setdefault(group, Interlock()) if group else None
            name = f"{device.id}/{entity.key}" if entity.key else device.id
            output = mounted.outputs[entity.key] = Output(name, rules, interlock, entity.quoted)
            self._owners[output], self._keys[output] = mounted, entity.key
            output.start(now, self._memory(output, entity), latched=latched)
            if rules.on_disconnect:
                self.watched.append(output)
        self._open(mounted, now)
        claimed_s = clock()
        for output in mounted.outputs.values():
            if output.off_since_s == now:
                output.off_since_s = claimed_s
        return list(mounted.outputs.values())

    def unmount(self, device_id: str) -> None:
        """Close a device and forget its outputs."""
        mounted = self.mounted.pop(device_id)
        for output in mounted.outputs.values():
            del self._owners[output], self._keys[output]
            self._remembered.pop(output, None)
            if output.interlock:
                output.interlock.members.remove(output)
            if output in self.watched:
                self.watched.remove(output)
        if mounted.driver:
            mounted.driver.close()
        self._lively = None

    def outdated(self, wanted: list[dict[str, Any]]) -> list[str]:
        """Name what is mounted and not wanted, or wanted to work otherwise."""
        specs = {spec["id"]: spec for spec in wanted}
        return [device_id for device_id, mounted in self.mounted.items() if not mounted.is_as(specs.get(device_id))]

    def missing(self, wanted: list[dict[str, Any]]) -> Iterator[Device]:
        """Make the devices that are wanted and not mounted; what only a newer keeper can read is told."""
        self.unread = {}
        for spec in wanted:
            if spec["id"] in self.mounted:
                continue
            device = made(spec)
            if device:
                yield device
            else:
                reason = f"{spec['id']} needs the version that was installed meanwhile; restart pimqtt"
                log.error("%s", reason)
                self.unread[spec["id"]] = reason

    def output(self, device_id: str, key: str) -> Output | None:
        """Find an entity's output."""
        mounted = self.mounted.get(device_id)
        return mounted.outputs.get(key) if mounted else None

    def reason(self, device_id: str) -> str:
        """Tell why a device can't do what is asked of it."""
        mounted = self.mounted.get(device_id)
        return mounted.reason if mounted else self.unread.get(device_id, f"{device_id} is not open")

    def deadline_s(self) -> float:
        """When ``tick`` is wanted next."""
        return min((m.driver.deadline_s if m.driver else m.retry_s for m in self._may_tick()), default=inf)

    def tick(self, now: float) -> Iterator[Mounted]:
        """Let drivers go on; open again what failed."""
        for mounted in self._may_tick():
            if mounted.driver and mounted.driver.deadline_s <= now:
                try:
                    mounted.driver.tick(now)
                except HardwareError as error:
                    self._fail(mounted, now, error)
                    yield mounted
            elif mounted.retry_s <= now:
                self._reopen(mounted, now)
                yield mounted

    def reopen(self, failed: Iterable[Output], now: float) -> None:
        """Open at once what had worked until now: under the kernel's rule its lines may have kept their levels."""
        for mounted in dict.fromkeys(self._owners[output] for output in failed):
            if mounted.driver is None and mounted.retry_s <= now:
                self._reopen(mounted, now)

    def drive(self, action: Drive, now: float) -> None:
        """Tell a driver; one that fails is closed and opened again later."""
        mounted = self._owners[action.output]
        if mounted.driver is None:
            return
        try:
            key = self._keys[action.output]
            mounted.driver.drive(key, action.value, now, shaped=action.shaped, transition_s=action.transition_s)
        except HardwareError as error:
            self._fail(mounted, now, error)

    def of(self, output: Output) -> Mounted:
        """Return the device of an output."""
        return self._owners[output]

    def key(self, output: Output) -> str:
        """Return the key of an output within its device."""
        return self._keys[output]

    def latch(self, device_id: str, *, on: bool) -> list[tuple[Output, bool]]:
        """Set or reset a latch (OFF at the node clears the narrower); return whether each output is latched now."""
        changed = {device_id} if on or device_id else {"", *self._latches}
        for name in changed:
            (self._latches.add if on else self._latches.discard)(name)
            self._page.write(Record(NODE + name, latched=on), self._gone)
        return [
            (output, bool(self._latches & {"", mounted.device.id}))
            for mounted in self.mounted.values()
            for output in mounted.outputs.values()
        ]

    def proof(self, controller: str, at_s: float) -> None:
        """Note a proof of life for the outputs that watch this controller."""
        for output in self.watched:
            if output.rules.on_disconnect and output.rules.on_disconnect.controller == controller:
                output.proof(at_s)

    def remember(self, output: Output) -> None:
        """Write what must outlive us, where it changed."""
        memory = output.memory()
        if memory == self._remembered.get(output):
            return
        self._remembered[output] = memory
        limits = output.rules.limits
        off_since_s = memory.off_since_s if limits.min_off_s or output.interlock else None
        on_since_s = memory.on_since_s if limits.max_on_s else None
        new = Record(
            output.name, memory.resting, off_since_s, on_since_s=on_since_s, proof_s=memory.proof_s,
            disconnected=memory.disconnected,
        )  # fmt: skip
        if new != self._records.get(output.name):
            self._records[output.name] = new
            self._page.write(new, self._gone)

    def _gone(self, name: str) -> bool:
        """Whether nobody misses what the page holds under a name: a latch that was reset, an output that has left."""
        if name.startswith(NODE):
            return name[1:] not in self._latches
        device, _, key = name.partition("/")
        mounted = self.mounted.get(device)
        return mounted is None or key not in mounted.outputs

    def tell_all(self) -> None:
        """Tell every state and health."""
        for mounted in self.mounted.values():
            mounted.health(ok=mounted.ok, reason=mounted.reason)
            mounted.tell()
        for device_id, reason in self.unread.items():
            self._shell.link.send(wire.Health(device_id, ok=False, reason=reason))

    def tell_latches(self) -> None:
        """Tell the node's latch and each device's own."""
        self._shell.link.send(wire.Latched("", "" in self._latches))
        for device_id, mounted in self.mounted.items():
            if mounted.outputs:
                self._shell.link.send(wire.Latched(device_id, device_id in self._latches))

    def tell_state(self, output: Output) -> None:
        """Tell an output's true state."""
        mounted, key = self._owners[output], self._keys[output]
        if mounted.driver:
            self._shell.link.send(wire.State(mounted.device.id, key, mounted.driver.state(key)))

    def _memory(self, output: Output, entity: Entity) -> Memory | None:
        record = self._records.get(output.name)
        if record is None or not (record.live or output.rules.initial == LAST):
            return None
        if not fits(entity, record.resting):
            return None  # another kind under the same id left it
        return Memory(
            resting=record.resting, off_since_s=record.off_since_s, on_since_s=record.on_since_s,
            proof_s=record.proof_s, disconnected=record.disconnected,
        )  # fmt: skip

    def _open(self, mounted: Mounted, now: float) -> bool:
        self._lively = None
        opened = mounted.open(self.board, now)
        if not opened:
            self.failed += mounted.outputs.values()
        return opened

    def _reopen(self, mounted: Mounted, now: float) -> None:
        if self._open(mounted, now):
            mounted.tell()
            self._shell.remounted = True

    def _fail(self, mounted: Mounted, now: float, error: HardwareError) -> None:
        mounted.fail(now, error)
        self.failed += mounted.outputs.values()
        self._lively = None

    def _may_tick(self) -> list[Mounted]:
        """Most drivers never tick: with many outputs it matters not to ask each at every wake-up."""
        if self._lively is None:
            everybody = self.mounted.values()
            self._lively = [m for m in everybody if m.driver is None or type(m.driver).tick is not Driver.tick]
        return self._lively


def fits(entity: Entity, value: Any) -> bool:
    """Whether a value that was left on the page is one of this entity."""
    try:
        text = entity.quoted(value)  # not its state: that may say more than a command may (a light's color_mode)
        raw = msgspec.json.decode(text) if text.startswith("{") else from_text(text)
        return bool(entity.decode(raw)[0] == value)
    except (CommandError, KeyError, TypeError, ValueError, AttributeError):
        return False
