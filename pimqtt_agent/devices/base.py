"""The frame of a kind: its configuration model, its entities, its driver. Kinds register by class keyword."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Protocol

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationInfo

from pimqtt_agent.entities import Entity
from pimqtt_agent.hardware.protocols import Board, Line
from pimqtt_agent.rules import Value

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema

Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]+$", max_length=64)]
#: As Home Assistant wants it: it drops an entity whose icon is another text.
Icon = Annotated[str, StringConstraints(pattern=r"^[\w-]+:[\w-]+$")]
Owner = Annotated[str, StringConstraints(min_length=1, max_length=64)]

#: Every kind that was registered, by the word in YAML.
KINDS: dict[str, type[Device]] = {}


def _beside(path: str, info: ValidationInfo) -> str:
    folder = (info.context or {}).get("folder") or ""
    try:
        return str(Path(folder) / Path(path).expanduser())
    except RuntimeError:
        raise ValueError(f"{path!r}: there is no such home") from None


#: A file or folder; a relative one is taken from the configuration's folder.
File = Annotated[str, StringConstraints(pattern=r"^[^\x00]+$"), AfterValidator(_beside)]


def readable(identity: str) -> str:
    """Make a name for people of an id: ``porch_pi`` is "Porch pi"."""
    return identity.replace("_", " ").replace("-", " ").strip().capitalize() or identity


class Report(Protocol):
    """Where a driver tells what happened. Callable in the keeper's thread only."""

    def state(self, key: str, value: Value) -> None:
        """Tell an entity's true state (inputs, and outputs whose state the driver knows better)."""

    def event(self, key: str, event: Mapping[str, Any]) -> None:
        """Tell a press or another event (``{"event_type": ..}``)."""

    def blob(self, key: str, data: bytes) -> None:
        """Hand over a picture."""

    def health(self, *, ok: bool, reason: str = "") -> None:
        """Tell that the device works or does not (its availability)."""


class Driver:
    """Drives one device inside a keeper; made by ``Device.open``, which claims the lines with their first levels.

    Everything is called from the keeper's only thread. ``now`` is CLOCK_BOOTTIME in seconds. Raises ``HardwareError``.
    """

    #: when ``tick`` is wanted next (s, CLOCK_BOOTTIME); ``inf`` for never
    deadline_s: float = inf

    def drive(
        self, key: str, value: Value, now: float, *, shaped: bool = False, transition_s: float | None = None
    ) -> None:
        """Bring an output to a value; only a ``shaped`` change may take its time (ramp, transition)."""

    def press(self, key: str, now: float) -> None:
        """Do what a button asks for."""

    def state(self, key: str) -> Value:
        """The true state of an entity."""

    def tick(self, now: float) -> None:
        """Go on with ramps, debouncing, pulses, frames."""

    def close(self) -> None:
        """Give the lines back."""


class Device(BaseModel):
    """One YAML entry under ``devices``. A kind subclasses it: ``class Switch(OutputDevice, kind="switch")``."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    #: which process runs it: ``pins``, ``camera`` (one process each) or ``agent`` (no hardware)
    keeper: ClassVar[str] = "pins"
    #: an entry for the example configuration and the reference
    example: ClassVar[str] = ""
    #: options that only discovery tells; a driver that uses one of these takes it out
    SHOWN: ClassVar[frozenset[str]] = frozenset({"name", "area", "icon", "device_class"})
    kind_name: ClassVar[str] = ""

    id: Id
    """Its name in topics: a-z, 0-9, _ and -."""
    kind: str
    """What it is."""
    name: str | None = None
    """Its name for people; made of the id where it is left out (`porch_pump`: Porch pump)."""
    area: str | None = None
    """The room that Home Assistant suggests for it."""

    def __init_subclass__(cls, *, kind: str = "", **kwargs: Any) -> None:
        """Register the kind."""
        super().__init_subclass__(**kwargs)
        if not kind:
            return
        if kind in KINDS:
            raise TypeError(f"kind {kind!r} is defined by {KINDS[kind].__module__} and {cls.__module__}")
        cls.kind_name = kind
        KINDS[kind] = cls

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Say in the editor's schema which word selects this kind."""
        result = handler.resolve_ref_schema(handler(schema))
        if cls.kind_name:
            result["properties"]["kind"] = {"const": cls.kind_name, "title": "Kind", "type": "string"}
        return result

    @property
    def title(self) -> str:
        """Its name for people."""
        return self.name or readable(self.id)

    def entities(self) -> tuple[Entity, ...]:
        """Declare its entities, from the configuration alone."""
        raise NotImplementedError

    @cached_property
    def declared(self) -> tuple[Entity, ...]:
        """What ``entities`` declares, made once."""
        return self.entities()

    def workings(self) -> str:
        """Write down what its driver and its leases are made of; while that is the same nothing is reopened."""
        return self.model_dump_json(exclude=set(self.SHOWN))

    def lines(self) -> Iterator[tuple[str, Line]]:
        """Name the lines it claims: (configuration path below the entry such as ``left.forward``, line)."""
        return iter(())

    def mistakes(self) -> Iterator[tuple[str, str]]:
        """Tell impossible combinations: (configuration path below the entry, sentence)."""
        return iter(())

    def notes(self) -> Iterator[tuple[str, str]]:
        """Tell what is right and yet may surprise: (configuration path below the entry, sentence)."""
        return iter(())

    def open(self, board: Board, first: Mapping[str, Value], report: Report) -> Driver:
        """Claim the lines, each output with its first value (by key), and return the driver."""
        raise NotImplementedError


Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
