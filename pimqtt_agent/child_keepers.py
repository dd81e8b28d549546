"""The keepers as the supervisor's children: cameras', and the pins', whose lines must never be left away from safe."""

from __future__ import annotations

import logging
import socket
from enum import Enum, auto
from math import inf
from typing import TYPE_CHECKING

from pimqtt_agent.child import Child, why
from pimqtt_agent.clock import boottime_s
from pimqtt_agent.keeper import link, process
from pimqtt_agent.keeper.page import Page

if TYPE_CHECKING:
    from pimqtt_agent.supervisor import Supervisor

log = logging.getLogger(__name__)

#: Pins that beat fast, or were asked, are silent after this (s).
FAST_SILENT_S = 0.5
#: While lines may be away from safe a new keeper must beat within this, else they are made safe without it (s).
START_SILENT_S = 0.6
#: What its start may take longer after each line claimed: to kill it then would only let them twitch (s).
OPENING_S = 0.3
#: But its whole start no longer than this: what it has not claimed yet may be on, and is to be safe within 1 s (s).
OPEN_S = 0.8
#: A keeper at rest beats every 10 s; a camera may be busy opening its sensor (s).
REST_SILENT_S, CAMERA_SILENT_S, CAMERA_ASKED_S = 25.0, 40.0, 10.0
#: What has worked is replaced at once, but not for ever where each lives shorter than this (s).
RAPID_S, RAPID_DEATHS = 1.0, 10
#: The longest wait while lines may be away from safe (s).
UNSAFE_S = 1.0
#: How a keeper ends that has done `on_stop`.
LINGERED = process.LINGERED << 8
IN_ORDER = (0, LINGERED)


class KeeperChild(Child):
    """A keeper. The link's two ends outlive it, so that its successor goes on where it ended."""

    kind = "camera"
    silent_s = CAMERA_SILENT_S
    asked_s = CAMERA_ASKED_S

    def __init__(self, supervisor: Supervisor, camera: str, page: Page) -> None:
        """``camera`` is empty for the pins."""
        super().__init__(supervisor)
        self.camera = camera
        self.title = f"pimqtt: keeper camera {camera}"
        self.generation = 0
        self.keeper_end, self.agent_end = link.pair()
        self._page = page
        self._lingers = False

    def start(self, now: float) -> None:
        """Fork the next generation."""
        self.generation += 1
        self._lingers = False
        super().start(now)

    def main(self, control: socket.socket) -> None:
        """Be a keeper."""
        settings = self.supervisor.settings
        process.main(
            process.Task(
                settings=settings,
                devices=[d for d in settings.devices if d.keeper == self.kind and self.camera in ("", d.id)],
                generation=self.generation,
                page=self._page,
                link=self.keeper_end,
                control=control,
                runtime=self.supervisor.runtime,
                owner=self.parent,
                camera=self.camera,
            )
        )

    def heard(self, word: bytes) -> None:  # noqa: ARG002 - every word is a beat
        """Note a beat."""
        self.worked = True
        self.lives(self.silent_s)

    def ask_beat(self, now: float) -> None:
        """Somebody got no answer: it must beat at once. One that has just started has a limit of its own."""
        if self.pid and self.worked and not self.ending:
            self.say(process.ASK)
            self.deadline_s = min(self.deadline_s, now + self.asked_s)

    def ended(self, now: float, status: int) -> None:
        """Start it again, unless it ended for want of an agent."""
        self._lingers = status == LINGERED
        if self._lingers:
            log.info("%s ended: no agent came back", self.title)
        else:
            self.supervisor.agent.say(process.GONE + self.camera.encode())
            super().ended(now, status)

    def end(self, now: float, *, again: bool = False, word: bytes = process.STOP) -> None:
        """Ask it to end; no agent brings it back."""
        self._lingers = False
        super().end(now, again=again, word=word)

    def wanted(self, now: float) -> None:
        """An agent is there."""
        if self._lingers:
            self.start(now)


class Levels(Enum):
    """What the supervisor knows of the lines."""

    UNKNOWN = auto()
    SAFE = auto()
    AWAY = auto()


class PinKeeperChild(KeeperChild):
    """The pins' keeper. Where none comes up, the list that the last one left is driven without it."""

    kind = "pins"
    silent_s = REST_SILENT_S
    asked_s = FAST_SILENT_S

    def __init__(self, supervisor: Supervisor, page: Page) -> None:
        """Know nothing of the lines yet."""
        super().__init__(supervisor, "", page)
        self.title = "pimqtt: keeper pins"
        self._levels = Levels.UNKNOWN
        self._in_a_row = 0
        self._held_up = False

    def longest_wait_s(self) -> float:
        """Lines that may be away from safe must not wait for the next keeper."""
        return UNSAFE_S if self._levels is Levels.AWAY else inf

    def start(self, now: float) -> None:
        """Fork the next generation, as soon as nobody else holds the lines."""
        self._held_up = bool(self.supervisor.safe.pid)
        if self._held_up:
            self.deadline_s = inf
            return
        super().start(now)
        if self._levels is Levels.AWAY:
            self.deadline_s = now + START_SILENT_S

    def end(self, now: float, *, again: bool = False, word: bytes = process.STOP) -> None:
        """Ask it to end; what waits for the lines waits no more."""
        self._held_up = False
        super().end(now, again=again, word=word)

    def heard(self, word: bytes) -> None:
        """Note a beat, and by its pace whether something is on."""
        if word == process.OPENING:
            if not self.ending:
                latest_s = min(boottime_s() + OPENING_S, self._started_s + OPEN_S)
                self.deadline_s = max(self.deadline_s, latest_s)
            return
        if not self.worked:
            self.supervisor.problem("pins", "")
        self.worked = True
        fast = word == process.BEAT_FAST
        self._levels = Levels.AWAY if fast else Levels.SAFE
        self.lives(FAST_SILENT_S if fast else self.silent_s)

    def ended(self, now: float, status: int) -> None:
        """Replace at once what has worked; where that is no use, make the lines safe without a keeper."""
        self._in_a_row = self._in_a_row + 1 if now - self._started_s < RAPID_S else 0
        if self.worked and status not in IN_ORDER and self._in_a_row < RAPID_DEATHS:
            log.warning("%s ended (%s) and is replaced", self.title, why(status))
            self.start(now)
            return
        if status not in IN_ORDER:
            self.supervisor.problem("pins", f"no pin keeper comes up ({why(status)})")
        self.released(now, status)
        super().ended(now, status)

    def released(self, now: float, status: int) -> None:
        """Where it did not end in order, nobody has put the lines where they belong."""
        if status in IN_ORDER:
            self._levels = Levels.UNKNOWN  # they are as `on_stop` says
        elif self._levels is not Levels.SAFE:
            log.warning("%s is gone: what it had listed is put to its safe value", self.title)
            self.supervisor.safe.start(now)

    def lines_free(self, now: float, *, safe: bool) -> None:
        """`safe` has ended; what waited for it goes on."""
        if safe:
            self._levels = Levels.SAFE
        if self._held_up:
            self.start(now)
