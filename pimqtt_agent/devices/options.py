"""The options that every output has, under the same names, and how they become the rules of its lease."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from msgspec import structs
from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from pimqtt_agent.devices.base import Device, Id, NotNegative, Owner, Positive
from pimqtt_agent.rules import KEEP, LAST, MIN_TTL_S, Limits, Motion, OnDisconnect, Rules, Ttl, Value

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema

_MODEL = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class TtlOptions(BaseModel):
    """How long a command may last, in seconds."""

    model_config = _MODEL

    default: Annotated[float, Field(ge=MIN_TTL_S, allow_inf_nan=False)] | None = None
    """What a command without `ttl` takes; without a default such a command stays."""
    min: Annotated[float, Field(ge=MIN_TTL_S, allow_inf_nan=False)] = MIN_TTL_S
    """The shortest that is taken."""
    max: Annotated[float, Field(ge=MIN_TTL_S, allow_inf_nan=False)] | None = None
    """The longest that is taken."""
    required: bool = False
    """Reject commands without a `ttl` (a stop is always taken)."""


class OwnerOptions(BaseModel):
    """A controller that is a named owner: its commands and heartbeats are the proof of life."""

    model_config = _MODEL

    owner: Owner
    """The owner's name, as in its commands."""


class DisconnectOptions(BaseModel):
    """What happens when the controller is lost."""

    model_config = _MODEL

    after: Positive
    """Seconds since the last proof of life."""
    value: Any = None
    """The value it goes to; the safe value where it is left out."""
    controller: Literal["broker", "home_assistant"] | OwnerOptions = "broker"
    """Whose loss counts."""


class InterlockOptions(BaseModel):
    """A group of outputs that are never on together."""

    model_config = _MODEL

    group: Id
    """The group's name, the same at all members."""
    dead_time: NotNegative = 0.0
    """Seconds between one going off and another going on."""


class ArmingOptions(BaseModel):
    """Movement needs a live heartbeat first."""

    model_config = _MODEL

    heartbeat_s: Positive = 1.0
    """How old the owner's last heartbeat may be."""


class OutputDevice(Device):
    """A kind with an output under a lease. A kind says what it is by `motion` and reads values by `level`."""

    motion: ClassVar[Motion] = Motion.LEVEL
    #: the value that does not count as on; of motion also the safe value
    off: ClassVar[Value] = False
    #: what ``level`` takes, as JSON schema
    levels: ClassVar[dict[str, Any]] = {}

    safe: Any = None
    """The value it goes to in every doubt; off where it is left out."""
    initial: Any = None
    """What it starts with: a value, or `last` (what it rested at before)."""
    restore: Literal["config", "last", "off"] = "config"
    """What comes back after a restart: `config` is `initial`, `last` the last resting value, `off` the safe value."""
    on_stop: Any = None
    """What it goes to when pimqtt ends: a value or `keep`; the safe value where it is left out."""
    on_disconnect: DisconnectOptions | None = None
    """Where it goes when its controller is lost."""
    max_on: Positive | None = None
    """The longest it may be on, in seconds, whoever renews it."""
    min_off: NotNegative = 0.0
    """How long it stays off at least, in seconds."""
    interlock: InterlockOptions | None = None
    """Outputs that must never be on together."""
    ttl: TtlOptions = TtlOptions()
    """How long commands last."""
    control: Literal["exclusive", "shared"] = "exclusive"
    """`exclusive`: one owner holds it until its lease lapses; `shared`: the last command wins."""
    token: Literal["optional", "required"] = "optional"
    """`required`: commands must bear a fresh token of the keeper."""

    @classmethod
    def level(cls, raw: object) -> Value:
        """Read a value of the configuration; raises ``ValueError("Input is ...")``."""
        raise NotImplementedError

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Say in the editor's schema which values this kind takes."""
        result = super().__get_pydantic_json_schema__(schema, handler)
        level = cls.motion is Motion.LEVEL
        for key, word in (("safe", None), ("initial", LAST), ("on_stop", KEEP)):
            choices = [cls.levels, *([{"const": word}] if word and level else [])]
            if cls.levels:
                result["properties"][key] = {**result["properties"][key], "anyOf": choices}
        return result

    @field_validator("safe", "initial", "on_stop")
    @classmethod
    def _values(cls, raw: object, info: ValidationInfo) -> Value:
        words = {"initial": LAST, "on_stop": KEEP}
        if raw is not None and raw == words.get(info.field_name or ""):
            if cls.motion is not Motion.LEVEL:
                raise ValueError("Input can't be: what moves always starts and ends stopped")
            return raw
        return cls.level(raw)

    @field_validator("on_disconnect")
    @classmethod
    def _disconnect(cls, options: DisconnectOptions | None) -> DisconnectOptions | None:
        if options is None or options.value is None:
            return options
        try:
            return options.model_copy(update={"value": cls.level(options.value)})
        except ValueError as error:
            raise PydanticCustomError("level", "{what}", {"what": str(error), "below": "value"}) from None

    def mistakes(self) -> Iterator[tuple[str, str]]:
        """Tell combinations that can't be kept."""
        rules = self.rules()
        if rules.is_on(rules.safe):
            written = "on" if self.safe is True else self.safe
            for option in ("max_on", "min_off", "interlock"):
                if getattr(self, option):
                    yield option, f"{option} needs a safe value that is off, and safe is {written}"
        if self.ttl.required and self.ttl.default is not None:
            yield "ttl.default", "with ttl.required no command takes the default; leave one of the two out"
        yield from self._ttl_mistakes(rules.ttl)
        if self.restore == "last" and self.motion is not Motion.LEVEL:
            yield "restore", "what moves always starts stopped; leave restore out"
        if self.restore != "config" and self.initial is not None:
            yield "restore", f"restore: {self.restore} and initial exclude each other"
        if self.max_on and rules.initial != LAST and rules.is_on(rules.initial):
            yield "initial", "with max_on it would start on and end by that; start it off"

    def notes(self) -> Iterator[tuple[str, str]]:
        """Tell what Home Assistant's own entity can't do."""
        only = f"so it can only stop {self.id}"
        if self.ttl.required:
            yield "ttl.required", f"Home Assistant's own entity sends no ttl, {only}; ttl.default lets it do more"
        if self.token == "required":
            yield "token", f"Home Assistant's own entity bears no token, {only}; who sends asks for one (call token)"

    def rules(self) -> Rules:
        """Make the rules of the main output."""
        safe = self.off if self.safe is None else self.safe
        initial = safe if self.initial is None or self.restore == "off" else self.initial
        return Rules(
            motion=self.motion,
            safe=safe,
            off=self.off,
            initial=LAST if self.restore == "last" else initial,
            on_stop=safe if self.on_stop is None else self.on_stop,
            ttl=self._ttl(),
            shared=self.control == "shared",
            token_required=self.token == "required",
            on_disconnect=self._on_disconnect(safe),
            limits=Limits(
                max_on_s=self.max_on,
                min_off_s=self.min_off,
                interlock=self.interlock.group if self.interlock else None,
                dead_time_s=self.interlock.dead_time if self.interlock else 0.0,
            ),
        )

    def _ttl_mistakes(self, ttl: Ttl) -> Iterator[tuple[str, str]]:
        """Tell bounds that exclude each other; of motion the longest is its own where ``ttl.max`` is left out."""
        longest = "" if ttl.max is None else f"ttl.max {ttl.max:g}"
        if longest and self.ttl.max is None:
            longest = f"the longest movement, {ttl.max:g} s (ttl.max allows more)"
        default = self.ttl.default
        if ttl.max is not None and ttl.min > ttl.max:
            yield "ttl.min", f"{ttl.min:g} is above {longest}"
        elif default is not None and default < ttl.min:
            yield "ttl.default", f"{default:g} is below ttl.min {ttl.min:g}"
        elif default is not None and ttl.max is not None and default > ttl.max:
            yield "ttl.default", f"{default:g} is above {longest}"

    def _ttl(self) -> Ttl:
        options = self.ttl
        return Ttl(default=options.default, min=options.min, max=options.max, required=options.required)

    def _on_disconnect(self, safe: Value) -> OnDisconnect | None:
        options = self.on_disconnect
        if options is None:
            return None
        owner = options.controller.owner if isinstance(options.controller, OwnerOptions) else None
        controller = f"owner:{owner}" if owner else str(options.controller)
        value = safe if options.value is None else options.value
        return OnDisconnect(after_s=options.after, value=value, controller=controller)


class MotionDevice(OutputDevice):
    """A kind that moves as long as it is commanded: its lease is the dead-man."""

    motion: ClassVar[Motion] = Motion.CONTINUOUS

    deadman: Annotated[float, Field(ge=MIN_TTL_S, le=60, allow_inf_nan=False)] = 0.5
    """It stops when no command came for so many seconds."""
    arming: ArmingOptions | None = None
    """Movement needs a live heartbeat first."""

    def notes(self) -> Iterator[tuple[str, str]]:
        """Tell what Home Assistant's own entity can't do."""
        yield from super().notes()
        if self.arming is not None:
            yield "arming", f"Home Assistant's own entity sends no heartbeats, so it can only stop {self.id}"

    def rules(self) -> Rules:
        """Make the rules of the main output, with the dead-man as its TTL."""
        rules = super().rules()
        longest = self.ttl.max or self.deadman
        default = self.ttl.default or min(max(self.deadman, self.ttl.min), longest)
        ttl = structs.replace(rules.ttl, default=default, max=longest)
        arming_s = self.arming.heartbeat_s if self.arming else None
        return structs.replace(rules, ttl=ttl, deadman_s=self.deadman, arming_s=arming_s)


#: What ``on_off`` takes.
ON_OFF: dict[str, Any] = {"enum": [True, False, "on", "off", "On", "Off", "ON", "OFF"]}
#: What moves rests stopped.
STOPPED: dict[str, Any] = {"enum": [0, False, "off", "stop"]}


def on_off(raw: object) -> bool:
    """Read on or off as YAML writes them."""
    if isinstance(raw, bool):
        return raw
    if isinstance(raw, str) and raw.lower() in ("on", "off"):
        return raw.lower() == "on"
    raise ValueError("Input is not on or off")
