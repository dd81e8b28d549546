"""One device in a keeper: its outputs, and its driver while it works."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from math import inf
from typing import Any

from pydantic import ValidationError

from pimqtt_agent.devices import KINDS, Device, Driver
from pimqtt_agent.entities import Entity
from pimqtt_agent.errors import HardwareError
from pimqtt_agent.hardware.protocols import Board
from pimqtt_agent.keeper import messages as wire
from pimqtt_agent.keeper.link import Link
from pimqtt_agent.lease import Output

log = logging.getLogger(__name__)

#: Seconds until a device that failed is opened again; doubled up to the last. Outputs are never left for long: where a
#: released line keeps its level, opening it is what puts it to rest.
RETRY_S, RETRY_OUTPUT_S, RETRY_OTHER_S = 0.25, 1.0, 30.0
#: What has worked for so long is opened again at once (s).
STEADY_S = 1.0


def made(spec: dict[str, Any]) -> Device | None:
    """Make a device of what the agent hands over; None where only a newer keeper can read it."""
    try:
        return KINDS[str(spec["kind"])].model_validate(spec)
    except (KeyError, ValidationError):
        return None


class Mounted:
    """A device's outputs by key, and its driver. It is the driver's ``Report``."""

    def __init__(self, device: Device, link: Link) -> None:
        """Start without a driver."""
        self.device = device
        self.spec = device.model_dump(mode="json", exclude_unset=True)
        self.outputs: dict[str, Output] = {}
        self.driver: Driver | None = None
        self.reason = f"{device.id} is not open yet"
        self.ok = False
        self.retry_s = inf
        self._wait_s = RETRY_S
        self._opened_s = 0.0
        self._link = link

    def is_as(self, spec: dict[str, Any] | None) -> bool:
        """Whether it works as a configuration wants it; what is only shown may differ."""
        if spec is None or spec == self.spec:
            return spec is not None
        device = made(spec)
        return device is not None and device.kind == self.device.kind and device.workings() == self.device.workings()

    def state(self, key: str, value: Any) -> None:
        """Pass on an entity's true state."""
        self._link.send(wire.State(self.device.id, key, value))

    def event(self, key: str, event: Mapping[str, Any]) -> None:
        """Pass on an event."""
        self._link.send(wire.Happened(self.device.id, key, dict(event)))

    def blob(self, key: str, data: bytes) -> None:
        """Pass on a picture."""
        self._link.send_blob(self.device.id, key, data)

    def health(self, *, ok: bool, reason: str = "") -> None:
        """Pass on that it works or not."""
        self.ok, self.reason = ok, reason
        self._link.send(wire.Health(self.device.id, ok, reason))

    def open(self, board: Board, now: float) -> bool:
        """Claim its lines, each output at the value that its lease machine wants."""
        first = {key: output.applied for key, output in self.outputs.items()}
        try:
            self.driver = self.device.open(board, first, self)
        except HardwareError as error:
            self.fail(now, error)
            return False
        self._opened_s, self.retry_s = now, inf
        self.health(ok=True)
        return True

    def fail(self, now: float, error: HardwareError) -> None:
        """Give its lines back and open it again: at once if it had worked, else later and later."""
        driver, self.driver = self.driver, None
        if driver:
            try:
                driver.close()
            except HardwareError as broken:
                log.error("%s: %s", self.device.id, broken)  # noqa: TRY400 - a sentence, no bug of ours
        if driver and now - self._opened_s >= STEADY_S:
            self._wait_s, self.retry_s = RETRY_S, now
        else:
            self.retry_s = now + self._wait_s
            self._wait_s = min(self._wait_s * 2, RETRY_OUTPUT_S if self.outputs else RETRY_OTHER_S)
        if self.ok or self.reason != str(error):  # else it was told, and will be as long as it lasts
            log.error("%s: %s", self.device.id, error)
            self.health(ok=False, reason=str(error))

    def tell(self) -> None:
        """Tell every entity's state."""
        for entity in self.device.declared if self.driver else ():
            self._tell(entity)

    def _tell(self, entity: Entity) -> None:
        value = self.driver.state(entity.key) if self.driver else None
        if entity.state_level == "state":
            self.state(entity.key, value)
        elif isinstance(value, bytes):  # the last picture, for an agent that has just started
            self.blob(entity.key, value)
