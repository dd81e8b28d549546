"""`camera`: stills on request and on schedule; a Pi camera, a USB camera, a video file or a painted scene."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from math import inf
from queue import Empty
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from pimqtt_agent import entities
from pimqtt_agent.clock import boottime_s
from pimqtt_agent.devices.base import Device, Driver, File, Icon, Positive, Report
from pimqtt_agent.errors import HardwareError
from pimqtt_agent.hardware.protocols import Board
from pimqtt_agent.media.grabber import Failed, Grabber, Order, Plan, Result, Taken
from pimqtt_agent.media.quality import FLOOR
from pimqtt_agent.rules import Value

#: A press waits so long for its picture, since an answer is due 0.3 s after the press (s).
QUICK_S = 0.2
#: Opening waits so long for the first one, so that a camera that is not there does not first count as well (s).
SOON_S = 1.0
#: While a picture is being taken, it is looked for so often (s).
_LOOK_S = 0.05
#: Between tries to open a source that failed; doubled up to the last (s).
RETRY_S = (2.0, 60.0)
#: Home Assistant stores each change for good: of stills every second it takes over the time of one in ten seconds.
_SELDOM = (
    "{% set newer_s = as_timestamp(value, 0) - as_timestamp(this.state, 0) %}"
    "{{ this.state if 0 <= newer_s < 10 else value }}"
)

_SHORT = {"synthetic": {"synthetic": True}, "pi": {"pi": 0}}
_ALLOWED = "synthetic, pi, {file: PATH}, {v4l2: DEVICE}, {pi: NUMBER}"


class SourceOptions(BaseModel):
    """Where pictures come from: one of these."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    synthetic: Literal[True] | None = None
    """A painted scene that moves; needs no camera."""
    file: File | None = None
    """A video file that plays for ever; a relative path starts at the configuration's folder."""
    v4l2: Annotated[str, Field(min_length=1)] | None = None
    """A USB camera's device, such as `/dev/video0` or a path below `/dev/v4l/by-id/`."""
    pi: Annotated[int, Field(ge=0, le=3)] | None = None
    """The number of a camera at the Pi's own connector."""

    @model_validator(mode="after")
    def _one(self) -> SourceOptions:
        if len(self.model_dump(exclude_none=True)) != 1:
            raise ValueError(f"one source is needed; allowed: {_ALLOWED}")
        return self

    @property
    def choice(self) -> tuple[str, Any]:
        """The word that was chosen, and what stands beside it."""
        ((word, argument),) = self.model_dump(exclude_none=True).items()
        return word, argument


def _source(raw: object) -> object:
    if isinstance(raw, str):
        if raw not in _SHORT:
            raise ValueError(f"Input is no source; allowed: {_ALLOWED}")
        return _SHORT[raw]
    return raw


_Source = Annotated[
    SourceOptions, BeforeValidator(_source, json_schema_input_type=Literal["synthetic", "pi"] | SourceOptions)
]
_Side = Annotated[int, Field(ge=64, le=4608, multiple_of=2)]


class Camera(Device, kind="camera"):
    """A camera that takes stills."""

    keeper: ClassVar[str] = "camera"
    example: ClassVar[str] = "{id: eye, kind: camera, source: synthetic}"

    source: _Source
    """`synthetic`, `pi`, `{pi: 1}`, `{v4l2: /dev/video0}` or `{file: clip.mp4}`."""
    width: _Side = 640
    """The picture's width in pixels, before it is turned."""
    height: _Side = 480
    """The picture's height in pixels; a picture of another shape is fitted in."""
    rotation: Literal[0, 90, 180, 270] = 0
    """How far the picture is turned, clockwise, in degrees."""
    interval: Annotated[float, Field(ge=1, allow_inf_nan=False)] | None = None
    """Seconds between stills by schedule; none where it is left out."""
    max_bytes: Annotated[int, Field(ge=4096, lt=1_000_000)] = 900_000
    """The largest picture; its quality, then its size, give way."""
    quality: Annotated[int, Field(ge=FLOOR, le=100)] = 85
    """The JPEG quality that is wanted; what the scene does not allow is lowered, to 30 at the worst."""
    stall_s: Annotated[float, Field(gt=0, le=600, allow_inf_nan=False)] = 10.0
    """The camera is unavailable when no picture came for so many seconds."""
    keep_open: bool = False
    """Keep the camera running between stills: faster, and its loss is seen at once, for more heat and memory."""
    idle_s: Positive = 5.0
    """Else it is closed when it was not used for so many seconds."""
    icon: Icon | None = None
    """Its icon (`mdi:cctv`)."""

    def mistakes(self) -> Iterator[tuple[str, str]]:
        """Tell what has no effect."""
        if self.keep_open and "idle_s" in self.model_fields_set:
            yield "idle_s", "with keep_open the camera is never closed; leave idle_s out"

    def entities(self) -> tuple[entities.Entity, ...]:
        """Declare the picture, its button, its time and size."""
        return (
            entities.Camera(name="Picture", icon=self.icon),
            entities.Button(key="snapshot", name="Take picture", icon="mdi:camera"),
            entities.Sensor(key="taken", name="Picture taken", device_class="timestamp", value_template=_SELDOM),
            entities.Sensor(
                key="size",
                name="Picture size",
                device_class="data_size",
                unit_of_measurement="B",
                state_class="measurement",
                entity_category="diagnostic",
                enabled_by_default=False,
            ),
        )

    def plan(self) -> Plan:
        """Say what the thread that takes pictures needs."""
        word, argument = self.source.choice
        return Plan(
            word=word,
            argument=argument,
            width=self.width,
            height=self.height,
            rotation=self.rotation,
            max_bytes=self.max_bytes,
            quality=self.quality,
            idle_s=inf if self.keep_open else self.idle_s,
            stall_s=self.stall_s,
        )

    def open(self, board: Board, first: Mapping[str, Value], report: Report) -> Driver:
        """Take the first picture; what fails soon is told by ``HardwareError``, what fails later by health."""
        driver = CameraDriver(self, report)
        try:
            driver.take_still(SOON_S)
        except HardwareError:
            driver.close()
            raise
        return driver


class CameraDriver(Driver):
    """Asks its thread for stills and reports them; watches that the thread gets them."""

    def __init__(
        self, camera: Camera, report: Report, start: Callable[[Plan, Callable[[], float]], Grabber] = Grabber
    ) -> None:
        """Start the thread."""
        self._camera = camera
        self._report = report
        self._start = start
        self._grabber = start(camera.plan(), boottime_s)
        self._values: dict[str, Value] = {}
        self._asked = False  # an order is at hand
        self._again = False  # a still is wanted after it
        self._given_up = False  # the thread hung; it ends when its source lets it
        self._reason = ""  # why it does not work; empty: it does
        self._retry_s, self._wait_s = inf, RETRY_S[0]
        self._still_s = boottime_s() + camera.interval if camera.interval else inf
        self._probe_s = inf

    def press(self, key: str, now: float) -> None:
        """Take a still. One that takes its time is reported later; it fails by ``HardwareError`` or by health."""
        self.take_still(QUICK_S)

    def take_still(self, wait_s: float) -> None:
        """Take a still and wait so long for it. Raises ``HardwareError`` where the camera is known not to work."""
        if self._asked:
            self._again = True
        elif self._revive():
            self._ask("still")
        if self._asked:
            self._look(wait_s)
        self._plan()
        if self._reason:
            raise HardwareError(self._reason)

    def state(self, key: str) -> Value:
        """Return the last picture (``""``: its JPEG), its time or its size; None before the first."""
        return self._values.get(key)

    def tick(self, now: float) -> None:
        """Report what came; ask for what is due."""
        if self._asked:
            self._look()
        if self._asked:
            if now >= self._grabber.limit_s:
                self._give_up(now)
        elif self._reason:
            if now >= self._retry_s:
                self._retry()
        elif now >= self._still_s:
            self._still_s = now + (self._camera.interval or inf)
            self._ask("still")
        elif now >= self._probe_s:
            self._ask("probe")
        self._plan()

    def close(self) -> None:
        """Close the source; one that hangs is left to the end of this process."""
        self._grabber.stop(timeout_s=1.0)

    def _plan(self) -> None:
        """Say when ``tick`` is wanted: soon where a picture is on its way."""
        if self._asked:
            self.deadline_s = boottime_s() + _LOOK_S
        else:
            self.deadline_s = self._retry_s if self._reason else min(self._still_s, self._probe_s)

    def _ask(self, order: Order) -> None:
        self._asked = True
        self._grabber.order(order)

    def _look(self, timeout_s: float = 0.0) -> None:
        try:
            result = self._grabber.results.get(block=timeout_s > 0, timeout=timeout_s)
        except Empty:
            return
        self._asked = False
        self._take(result, boottime_s())
        if self._again:
            self._again = False
            self._ask("still")

    def _take(self, result: Result, now: float) -> None:
        if isinstance(result, Failed):
            self._ill(result.reason, now)
            return
        if isinstance(result, Taken):
            self._show(result)
        self._probe_s = now + self._camera.stall_s / 2 if self._camera.keep_open else inf
        self._retry_s, self._wait_s = inf, RETRY_S[0]
        if self._reason:
            self._reason = ""
            self._report.health(ok=True)

    def _show(self, taken: Taken) -> None:
        time_of_it = datetime.fromtimestamp(taken.at_unix_s, UTC).isoformat(timespec="milliseconds")
        self._values = {"": taken.jpeg, "taken": time_of_it, "size": len(taken.jpeg)}
        self._report.blob("", taken.jpeg)
        for key in ("taken", "size"):
            self._report.state(key, self._values[key])

    def _ill(self, reason: str, now: float) -> None:
        self._again = False
        self._retry_s, self._wait_s = now + self._wait_s, min(self._wait_s * 2, RETRY_S[1])
        if reason != self._reason:
            self._reason = reason
            self._report.health(ok=False, reason=reason)

    def _give_up(self, now: float) -> None:
        self._asked, self._given_up = False, True
        self._grabber.stop()
        self._ill(f"no picture for {self._camera.stall_s:g} s", now)

    def _revive(self) -> bool:
        """Say whether there is a thread to take orders; start one where the last hung and has ended since."""
        if self._given_up and not self._grabber.alive:
            self._grabber, self._given_up = self._start(self._camera.plan(), boottime_s), False
        return not self._given_up

    def _retry(self) -> None:
        if not self._revive():
            # Nothing in this process frees a device whose driver hangs; the supervisor starts another.
            raise SystemExit(f"{self._camera.id}: its source hangs")
        self._ask("still")
