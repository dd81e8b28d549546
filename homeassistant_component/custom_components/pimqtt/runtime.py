"""What lives as long as the config entry is loaded."""

from __future__ import annotations

from dataclasses import dataclass

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.util.signal_type import SignalType

from .commanding import Commands
from .const import DOMAIN
from .errors import NOT_CONNECTED, RefusedError
from .fleet import Fleet
from .latching import Latches
from .sessions import Sessions

#: The entry was loaded, or is unloaded.
SIGNAL_ENTRY: SignalType[bool] = SignalType("pimqtt_entry")


@dataclass(frozen=True, slots=True)
class Runtime:
    """The parts of a loaded entry."""

    fleet: Fleet
    commands: Commands
    latches: Latches
    sessions: Sessions


type PimqttEntry = ConfigEntry[Runtime]


def loaded(hass: HomeAssistant) -> Runtime | None:
    """Return the parts of the entry, None while there is none."""
    entries: list[PimqttEntry] = hass.config_entries.async_loaded_entries(DOMAIN)
    return entries[0].runtime_data if entries else None


def required(hass: HomeAssistant) -> Runtime:
    """Return the parts of the entry. Raises ``RefusedError`` while there is none."""
    runtime = loaded(hass)
    if runtime is None:
        raise RefusedError(NOT_CONNECTED, "not_set_up")
    return runtime
