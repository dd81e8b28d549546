"""The dashboard in the side bar. Its content is the strategy of the bundle, so nothing is stored."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final

from homeassistant.components import frontend
from homeassistant.components.lovelace.const import LOVELACE_DATA
from homeassistant.components.lovelace.dashboard import LovelaceConfig
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.json import json_bytes, json_fragment

_LOGGER = logging.getLogger(__name__)

PATH: Final = "pimqtt"
TITLE, ICON = "pimqtt", "mdi:raspberry-pi"
CONFIG: Final[dict[str, Any]] = {"strategy": {"type": "custom:pimqtt"}}


class Dashboard(LovelaceConfig):
    """A dashboard that nobody edits."""

    @property
    def mode(self) -> str:
        """Say that it is not stored."""
        return "yaml"

    async def async_get_info(self) -> dict[str, Any]:
        """Return what the list of dashboards shows."""
        return {"mode": self.mode, "views": 0}

    async def async_load(self, force: bool) -> dict[str, Any]:  # noqa: FBT001 - Home Assistant's signature
        """Return the configuration."""
        return CONFIG

    async def async_json(self, force: bool) -> json_fragment:  # noqa: FBT001 - Home Assistant's signature
        """Return the configuration as JSON."""
        return json_fragment(json_bytes(CONFIG))


@callback
def async_add(hass: HomeAssistant) -> Callable[[], None]:
    """Add it to the side bar; return what takes it away."""
    if PATH in hass.data.get(frontend.DATA_PANELS, {}):
        _LOGGER.warning("There is a panel /%s already: pimqtt adds no dashboard of its own to the side bar", PATH)
        return lambda: None
    dashboards = hass.data[LOVELACE_DATA].dashboards
    about = {
        "id": PATH, "title": TITLE, "icon": ICON, "mode": "yaml", "require_admin": False, "show_in_sidebar": True,
        "url_path": PATH,
    }  # fmt: skip
    dashboards[PATH] = Dashboard(hass, PATH, about)
    frontend.async_register_built_in_panel(
        hass, "lovelace", sidebar_title=TITLE, sidebar_icon=ICON, frontend_url_path=PATH, config={"mode": "yaml"},
        require_admin=False,
    )  # fmt: skip

    @callback
    def remove() -> None:
        frontend.async_remove_panel(hass, PATH)
        dashboards.pop(PATH, None)

    return remove
