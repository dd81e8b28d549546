"""Setting pimqtt up: found by an agent's ``info`` or by mDNS, or by hand."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from homeassistant.components import mqtt
from homeassistant.config_entries import ConfigEntry, ConfigFlow, ConfigFlowResult, OptionsFlow, OptionsFlowWithReload
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.service_info.mqtt import MqttServiceInfo
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo

from .const import CONF_BASE, CONF_SIDEBAR, DEFAULT_BASE, DOMAIN
from .model import read_info
from .publishing import discovery_prefix, is_connected
from .strict_json import WireError
from .topics import parse

if TYPE_CHECKING:
    import probatio as vol
else:
    import voluptuous as vol

#: What is retained comes at once; subscriptions go out half a second late.
LISTEN_S: Final = 2.0
TITLE: Final = "pimqtt"


class PimqttFlow(ConfigFlow, domain=DOMAIN):
    """One entry holds all nodes."""

    VERSION = 1
    MINOR_VERSION = 1

    def __init__(self) -> None:
        """Start with the default base topic."""
        self._base = DEFAULT_BASE
        self._name = TITLE

    async def async_step_mqtt(self, discovery_info: MqttServiceInfo) -> ConfigFlowResult:
        """An agent said what it is."""
        heard = parse(DEFAULT_BASE, discovery_info.topic)
        if heard is None or not discovery_info.payload:
            return self.async_abort(reason="not_pimqtt")
        try:
            info = read_info(heard.place.node, discovery_info.payload)
        except WireError:
            return self.async_abort(reason="not_pimqtt")
        return await self._found(info.name, DEFAULT_BASE)

    async def async_step_zeroconf(self, discovery_info: ZeroconfServiceInfo) -> ConfigFlowResult:
        """An agent announced itself in the local network."""
        about = discovery_info.properties
        base = about.get("base") or DEFAULT_BASE
        if _mistake(self.hass, base):
            return self.async_abort(reason="not_pimqtt")
        return await self._found(about.get("name") or about.get("node") or discovery_info.name.split(".")[0], base)

    async def async_step_confirm(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask whether to set up what was found."""
        if not self.hass.config_entries.async_entries("mqtt"):
            return self.async_abort(reason="mqtt_missing")
        if user_input is None:
            self._set_confirm_only()
            return self.async_show_form(step_id="confirm", description_placeholders={"name": self._name})
        return self._create()

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the base topic."""
        if not self.hass.config_entries.async_entries("mqtt"):
            return self.async_abort(reason="mqtt_missing")
        await self.async_set_unique_id(DOMAIN, raise_on_progress=False)
        self._abort_if_unique_id_configured()
        errors = await self._check(user_input)
        if user_input is None or errors:
            return self.async_show_form(step_id="user", data_schema=_schema(user_input), errors=errors)
        if not await self._anything_heard():
            return await self.async_step_silent()
        return self._create()

    async def async_step_silent(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Nothing was heard: agents may come later."""
        if user_input is None:
            return self.async_show_form(step_id="silent", description_placeholders={"base": self._base})
        return self._create()

    async def async_step_reconfigure(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Change the base topic."""
        entry = self._get_reconfigure_entry()
        errors = await self._check(user_input)
        if user_input is None or errors:
            shown = _schema(user_input or dict(entry.data))
            return self.async_show_form(step_id="reconfigure", data_schema=shown, errors=errors)
        return self.async_update_reload_and_abort(entry, data_updates={CONF_BASE: self._base})

    @staticmethod
    @callback
    def async_get_options_flow(config_entry: ConfigEntry) -> OptionsFlow:
        """Offer the options."""
        return PimqttOptions()

    async def _found(self, name: str, base: str) -> ConfigFlowResult:
        await self.async_set_unique_id(DOMAIN)
        self._abort_if_unique_id_configured()
        self._base, self._name = base, name
        self.context["title_placeholders"] = {"name": name}
        return await self.async_step_confirm()

    async def _check(self, user_input: dict[str, Any] | None) -> dict[str, str]:
        if user_input is None:
            return {}
        self._base = user_input[CONF_BASE].strip()
        mistake = _mistake(self.hass, self._base)
        if mistake:
            return {CONF_BASE: mistake}
        return {} if is_connected(self.hass) else {"base": "not_connected"}

    async def _anything_heard(self) -> bool:
        """Listen for an agent."""
        heard = asyncio.Event()
        stop = await mqtt.async_subscribe(self.hass, f"{self._base}/+/info", callback(lambda _: heard.set()))
        try:
            async with asyncio.timeout(LISTEN_S):
                return await heard.wait()
        except TimeoutError:
            return False
        finally:
            stop()

    def _create(self) -> ConfigFlowResult:
        return self.async_create_entry(title=TITLE, data={CONF_BASE: self._base})


class PimqttOptions(OptionsFlowWithReload):
    """What can be switched at any time."""

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for all of them."""
        if user_input is not None:
            return self.async_create_entry(data=user_input)
        schema = vol.Schema({vol.Required(CONF_SIDEBAR, default=False): bool})
        shown = self.add_suggested_values_to_schema(schema, self.config_entry.options)
        return self.async_show_form(step_id="init", data_schema=shown)


def _schema(given: dict[str, Any] | None) -> vol.Schema:
    return vol.Schema({vol.Required(CONF_BASE, default=(given or {}).get(CONF_BASE, DEFAULT_BASE)): str})


def _mistake(hass: HomeAssistant, base: str) -> str | None:
    """Say what is wrong with a base topic. As with the agents it is apart from the discovery prefix."""
    if not base or base != base.strip("/") or len(base) > 200 or base.startswith("$"):
        return "invalid_base"
    try:
        mqtt.valid_publish_topic(base)
    except vol.Invalid:
        return "invalid_base"
    one, other = f"{base}/", f"{discovery_prefix(hass)}/"
    return "discovery_base" if one.startswith(other) or other.startswith(one) else None
