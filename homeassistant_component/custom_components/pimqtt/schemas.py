"""What actions and websocket commands take alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from homeassistant.helpers import config_validation as cv

from .const import LONGEST_OWNER

if TYPE_CHECKING:
    import probatio as vol
else:
    import voluptuous as vol


def _no_bool(value: Any) -> Any:
    """Python takes true for 1."""
    if isinstance(value, bool):
        raise vol.Invalid("expected a number, not true or false")
    return value


def _whole(value: Any) -> int:
    number = float(value)
    if not number.is_integer():
        raise vol.Invalid("expected a whole number")
    return int(number)


OWNER: Final = vol.All(cv.string, vol.Length(min=1, max=LONGEST_OWNER))
PRIORITY: Final = vol.All(_no_bool, _whole, vol.Range(min=0, max=9))
#: A TTL; the agent's own limits stand above it.
SECONDS: Final = vol.All(_no_bool, vol.Coerce(float), vol.Range(min=0.05, max=31_536_000))
AXIS: Final = vol.All(_no_bool, vol.Coerce(float), vol.Range(min=-1, max=1))
ID: Final = vol.All(cv.string, vol.Length(min=1, max=64))
WHO: Final[dict[Any, Any]] = {vol.Optional("owner"): OWNER, vol.Optional("priority"): PRIORITY}
