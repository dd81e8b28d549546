"""pimqtt: what MQTT discovery cannot give. Entities stay with discovery; the component adds none."""

from __future__ import annotations

from homeassistant.components import mqtt
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HassJob, HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryNotReady, HomeAssistantError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.start import async_at_started
from homeassistant.helpers.typing import ConfigType

from . import actions, blueprint_files, bundle, dashboard, issues, registries, websocket
from .commanding import Commands
from .const import CONF_BASE, CONF_SIDEBAR, DOMAIN
from .errors import NOT_CONNECTED, RefusedError
from .fleet import Fleet
from .latching import Latches
from .runtime import SIGNAL_ENTRY, PimqttEntry, Runtime
from .seen import Seen
from .sessions import Sessions

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Set up what there is once, whether or not an entry is loaded."""
    await bundle.async_register(hass)
    websocket.async_register(hass)
    actions.async_register(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: PimqttEntry) -> bool:
    """Listen to the nodes below the entry's base topic."""
    if not await mqtt.async_wait_for_mqtt_client(hass):
        raise ConfigEntryNotReady(translation_domain=DOMAIN, translation_key="mqtt_missing")
    seen = Seen(hass)
    await seen.async_load()
    fleet = Fleet(hass, entry.data[CONF_BASE], seen)
    commands = Commands(hass, fleet)
    latches = Latches(hass, fleet)
    sessions = Sessions(hass, fleet, commands)
    entry.runtime_data = Runtime(fleet, commands, latches, sessions)
    watching = issues.async_watch(hass, fleet) + registries.async_follow(hass, fleet)
    for stop in (*commands.async_listen(), *latches.async_listen(), *watching):
        entry.async_on_unload(stop)
    try:
        await fleet.async_subscribe(entry.async_on_unload)
    except HomeAssistantError as error:  # MQTT was there a moment ago
        raise ConfigEntryNotReady(translation_domain=DOMAIN, translation_key="mqtt_missing") from error

    @callback
    def stopping() -> None:
        sessions.close_all(RefusedError(NOT_CONNECTED, "stopping"))

    # before MQTT is disconnected, which it is at the event
    entry.async_on_unload(hass.async_add_shutdown_job(HassJob(stopping)))
    if entry.options.get(CONF_SIDEBAR):
        entry.async_on_unload(dashboard.async_add(hass))
    entry.async_on_unload(async_at_started(hass, blueprint_files.async_install))

    @callback
    def loaded() -> None:
        if entry.state is ConfigEntryState.LOADED:
            async_dispatcher_send(hass, SIGNAL_ENTRY, True)

    entry.async_on_unload(entry.async_on_state_change(loaded))
    return True


async def async_unload_entry(hass: HomeAssistant, entry: PimqttEntry) -> bool:
    """Stop what is driven, and listen no more."""
    entry.runtime_data.sessions.close_all(RefusedError(NOT_CONNECTED, "unloaded"))
    async_dispatcher_send(hass, SIGNAL_ENTRY, False)
    await entry.runtime_data.fleet.seen.async_close()
    return True


async def async_remove_entry(hass: HomeAssistant, entry: PimqttEntry) -> None:
    """Leave no file behind but blueprints, which automations may use."""
    await Seen(hass).async_remove()
