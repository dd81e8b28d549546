"""The sections of a configuration besides ``devices``, and the whole of it once it is read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, SerializeAsAny

from pimqtt_agent.devices.base import Device, File, Id, Owner, readable
from pimqtt_agent.hardware.protocols import Line

#: Home Assistant takes no control characters in topics either.
Topic = Annotated[str, Field(pattern=r"^[^#+/\s\x00-\x1f\x7f-\x9f][^#+\s\x00-\x1f\x7f-\x9f]*$", max_length=255)]

_MODEL = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class NodeOptions(BaseModel):
    """This Pi."""

    model_config = _MODEL

    id: Id
    """Its name in topics: a-z, 0-9, _ and -."""
    name: str | None = None
    """Its name for people; made of the id where it is left out (`porch-pi`: Porch pi)."""
    area: str | None = None
    """The room that Home Assistant suggests for it."""

    @property
    def title(self) -> str:
        """Its name for people."""
        return self.name or readable(self.id)


class TlsOptions(BaseModel):
    """An encrypted connection; `tls: true` trusts the system's authorities."""

    model_config = _MODEL

    ca: File | None = None
    """The authority's certificate file; the system's where it is left out."""
    cert: File | None = None
    """A client certificate."""
    key: File | None = None
    """The client certificate's key, where it does not stand in the same file; without a passphrase."""
    insecure: bool = False
    """Do not check the broker's name (never do this outside a test)."""


def _tls(raw: Any) -> Any:
    return ({} if raw else None) if isinstance(raw, bool) else raw


class MqttOptions(BaseModel):
    """The broker."""

    model_config = _MODEL

    host: Annotated[str, Field(pattern=r"^\S+$")] = "127.0.0.1"
    """Its name or address."""
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    """Its port: 1883, 8883 with TLS where it is left out."""
    user: str | None = None
    """The login; write it as `!secret` or `${ENV}`."""
    password: SecretStr | None = None
    """The password; write it as `!secret` or `${ENV}`."""
    client_id: str | None = None
    """Our name at the broker; made from node and hardware where it is left out."""
    protocol: Literal["auto", "5", "3.1.1"] = "auto"
    """`auto` takes MQTT 5 and falls back to 3.1.1."""
    transport: Literal["tcp", "websockets"] = "tcp"
    """How to reach it."""
    path: str = "/mqtt"
    """The path of a WebSocket."""
    tls: Annotated[TlsOptions | None, BeforeValidator(_tls)] = None
    """Encryption."""
    keepalive: Annotated[int, Field(ge=2, le=600)] = 15
    """Seconds after which a silent connection counts as lost."""
    base: Topic = "pimqtt"
    """The base of all topics."""
    discovery_prefix: Topic = "homeassistant"
    """Home Assistant's discovery prefix."""

    @property
    def port_number(self) -> int:
        """The port that is meant."""
        return self.port or (8883 if self.tls else 1883)


class SimulatedOptions(BaseModel):
    """No hardware: levels in a mapped file, changes in a trace."""

    model_config = _MODEL

    backend: Literal["simulated"]
    """Which hardware."""
    trace: File | None = None
    """A file for the level changes, relative to the configuration's folder."""
    control: bool = False
    """Allow `sim/<pin>/set` to set inputs over MQTT."""
    on_release: Literal["latch", "pull"] = "latch"
    """What a released line does: keep its level (a Pi's kernel) or fall to the outside pull (mainline)."""
    pulls: dict[Line, Literal["up", "down"]] = {}
    """The outside pull of lines; down where it is left out."""


class PiOptions(BaseModel):
    """A Raspberry Pi's header, by gpiozero on lgpio."""

    model_config = _MODEL

    backend: Literal["pi"]
    """Which hardware."""


class KernelOptions(BaseModel):
    """Any Linux board's GPIO chips, by libgpiod."""

    model_config = _MODEL

    backend: Literal["kernel"]
    """Which hardware."""
    chip: Annotated[str, Field(min_length=1)] | None = None
    """The chip of plain line numbers: its label (`pinctrl-bcm2711`) or path (`/dev/gpiochip0`)."""
    chips: dict[Id, Annotated[str, Field(min_length=1)]] = {}
    """More chips by a name of yours, for lines written `name:line`: label or path."""


HardwareOptions = Annotated[SimulatedOptions | PiOptions | KernelOptions, Field(discriminator="backend")]


class OwnerCap(BaseModel):
    """What an owner's name may claim."""

    model_config = _MODEL

    max_priority: Annotated[int, Field(ge=0, le=9)] = 9
    """A higher priority counts as this."""


class SystemOptions(BaseModel):
    """The node's own readings and buttons."""

    model_config = _MODEL

    interval: Annotated[float, Field(ge=5, le=3600)] = 60
    """Seconds between readings."""
    allow: frozenset[Literal["restart", "reboot", "identify"]] = frozenset({"restart", "identify"})
    """Which buttons act: `restart` (of pimqtt), `reboot` (of the board), `identify`."""


def _node(raw: Any) -> Any:
    return {"id": raw} if isinstance(raw, str | int | float) else raw  # a number is told as an id that is no text


class Settings(BaseModel):
    """A whole configuration. ``file`` is where it was read from."""

    model_config = _MODEL

    node: Annotated[NodeOptions, BeforeValidator(_node)]
    """This Pi: its id, or `{id, name, area}`."""
    mqtt: MqttOptions = MqttOptions()
    """The broker."""
    hardware: HardwareOptions
    """Which pins."""
    owners: dict[Owner, OwnerCap] = {}
    """Caps for owners' priorities."""
    system: SystemOptions = SystemOptions()
    """The node's own readings and buttons."""
    state_dir: File | None = None
    """The folder of the little that must outlive a boot; a relative path starts at the configuration's folder."""
    linger_s: Annotated[float, Field(ge=1, le=3600)] = 30
    """How long the pins are kept without an agent, once no lease is left."""
    devices: tuple[SerializeAsAny[Device], ...] = ()
    """What hangs on it."""
    file: Path = Field(default=Path("config.yaml"), exclude=True)

    @property
    def folder(self) -> Path:
        """The configuration's folder; relative paths start there."""
        return self.file.resolve().parent


