"""A camera whose source does what a test says, and what its driver tells."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, ClassVar, cast

import numpy as np

from pimqtt_agent.clock import boottime_s
from pimqtt_agent.devices.camera import Camera, CameraDriver
from pimqtt_agent.errors import HardwareError
from pimqtt_agent.hardware.protocols import Board
from pimqtt_agent.media.grabber import Grabber
from pimqtt_agent.media.sources import Frame

NO_BOARD = cast("Board", None)


def make(**options: Any) -> Camera:
    return Camera.model_validate({"id": "eye", "kind": "camera", "source": "synthetic"} | options)


class Report:
    """Keeps what the driver tells."""

    def __init__(self) -> None:
        self.blobs: list[bytes] = []
        self.states: list[tuple[str, Any]] = []
        self.healths: list[tuple[bool, str]] = []

    def state(self, key: str, value: Any) -> None:
        self.states.append((key, value))

    def event(self, key: str, event: Mapping[str, Any]) -> None:
        raise AssertionError((key, event))

    def blob(self, key: str, data: bytes) -> None:
        assert key == ""
        self.blobs.append(data)

    def health(self, *, ok: bool, reason: str = "") -> None:
        self.healths.append((ok, reason))


class Scripted:
    """A source whose ``on_read`` is replaced by each test; counts what is done to it."""

    settle_s: ClassVar[float] = 0.0
    done: ClassVar[list[str]] = []
    on_open: ClassVar[Callable[[], None]]
    on_read: ClassVar[Callable[[], None]]

    def __init__(self, *_: object) -> None:
        pass

    def open(self) -> None:
        self.done.append("open")
        type(self).on_open()

    def read(self, now: float) -> Frame:
        assert now > 1_000_000_000
        self.done.append("read")
        type(self).on_read()
        return Frame(*(np.full(shape, 128, np.uint8) for shape in ((48, 64), (24, 32), (24, 32))))

    def close(self) -> None:
        self.done.append("close")


def scripted(report: Report, **options: Any) -> CameraDriver:
    return CameraDriver(make(**options), report, partial(Grabber, make=Scripted))


def run(driver: CameraDriver, until: Callable[[], bool], limit_s: float = 5.0) -> None:
    """Do what the keeper's loop does: tick when the driver wants it."""
    end_s = boottime_s() + limit_s
    while not until():
        now = boottime_s()
        assert now < end_s, "it did not happen"
        if driver.deadline_s <= now:
            driver.tick(now)
        else:
            time.sleep(min(driver.deadline_s - now, 0.02))


def fail(reason: str = "the cable is out") -> None:
    raise HardwareError(reason)
