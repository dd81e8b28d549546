"""The node's own readings and buttons, as the agent runs them; buttons of devices go to their keepers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from pimqtt_agent.answers import Answers
from pimqtt_agent.clock import boottime_s, synchronised
from pimqtt_agent.devices.system import System, SystemDevice, reboot_board
from pimqtt_agent.errors import CommandError
from pimqtt_agent.intake import Job
from pimqtt_agent.keeper import messages as wire
from pimqtt_agent.keepers import KeeperLink
from pimqtt_agent.model import Model


class Own:
    """Runs ``system``."""

    def __init__(
        self,
        device: SystemDevice,
        model: Model,
        answers: Answers,
        *,
        restart: Callable[[], None],
        flush: Callable[[], None],
    ) -> None:
        """``restart`` asks the supervisor for a new agent; ``flush`` writes what was published."""
        self._system = System(device, restart=restart, reboot=reboot_board)
        self._model, self._answers, self._flush = model, answers, flush
        self._readings: dict[str, Any] = {}
        self._pressing: set[asyncio.Task[None]] = set()

    def readings(self) -> dict[str, Any]:
        """Return the newest readings."""
        return self._readings or self.read()

    def read(self) -> dict[str, Any]:
        """Read now, and tell the model."""
        self._readings = self._system.read()
        for key, value in self._readings.items():
            thing = self._model.thing("system", key)
            if thing:
                thing.heard(value)
        return self._readings

    def facts(self) -> dict[str, Any]:
        """Return what ``info`` tells of the board and may change."""
        return {"clock_synchronised": synchronised(), "under_voltage": self._system.under_voltage}

    async def run(self, every_s: float) -> None:
        """Read and publish every so often."""
        while True:
            self.read()
            for thing in self._model.of("system"):
                self._answers.state(thing)
            self._flush()
            until = boottime_s() + every_s
            while boottime_s() < until:
                await asyncio.sleep(min(until, self._system.deadline_s) - boottime_s())
                self._system.tick(boottime_s())

    def press(self, job: Job, done: Callable[[wire.Answer], None], keeper: Callable[[str], KeeperLink]) -> None:
        """Do a button."""
        device, key, at_s = job.thing.device.id, job.thing.entity.key, job.message.at_s
        if device != "system":
            keeper(device).ask(lambda seq: wire.Press(seq, device, key, at_s), done)
            return
        if key not in System.SLOW:
            done(self._pressed(key))
            return
        task = asyncio.create_task(self._press_slowly(key, done), name=f"press {key}")
        self._pressing.add(task)
        task.add_done_callback(self._pressing.discard)

    async def _press_slowly(self, key: str, done: Callable[[wire.Answer], None]) -> None:
        """Do a button in a thread: stops must not wait for it."""
        done(await asyncio.to_thread(self._pressed, key))
        self._flush()

    def _pressed(self, key: str) -> wire.Answer:
        code = reason = ""
        try:
            self._system.press(key)
        except CommandError as error:
            code, reason = error.code, str(error)
        return wire.Answer(0, code, reason, None, None, None, None, None)
