"""A switch whose hardware fails as a test wants it: a kind of somebody else's package, in real keepers."""

from __future__ import annotations

from pathlib import Path

from tests.broker.foreign import install

_KIND = '''
import os
import time
from pathlib import Path
from typing import ClassVar

from pimqtt_agent.devices.switch import Switch, SwitchDriver
from pimqtt_agent.errors import HardwareError

FOLDER = Path(__file__).parent


def fails(how):
    return (FOLDER / how).exists()


class Frail(Switch, kind="frail"):
    """A switch on failing hardware."""

    example: ClassVar[str] = "{id: it, kind: frail, pin: 4}"

    def open(self, board, first, report):
        if fails("crash"):
            os._exit(70)
        if fails("slow"):
            time.sleep(1.5)
        if fails("leisurely") and board.fileno() >= 0:  # not where its levels are only written down
            time.sleep(0.12)
        if fails("unopenable"):
            raise HardwareError("it can't be opened")
        return FrailDriver(self, board, first[""])


class FrailDriver(SwitchDriver):
    def drive(self, key, value, now, **shape):
        if fails("unwritable"):
            raise HardwareError("it can't be written")
        super().drive(key, value, now, **shape)
'''


class Frail:
    """The kind ``frail``; ``fails`` makes it ``crash``, ``slow``, ``leisurely``, ``unopenable`` or ``unwritable``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        #: what a node needs to find it
        self.env = install(folder, "frail", _KIND)

    def fails(self, how: str) -> None:
        """Fail like that from now on."""
        (self._folder / how).touch()

    def works(self, how: str) -> None:
        """Fail like that no longer."""
        (self._folder / how).unlink()
