"""Publishing through Home Assistant's MQTT client, never retained, and waiting for what is told of it."""

from __future__ import annotations

import asyncio
import inspect
import json
from typing import Any, Final

from homeassistant.components import mqtt
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from .answers import ANSWER_S
from .errors import INVALID, NOT_CONNECTED, RefusedError
from .strict_json import MAX_DEPTH, deeper_than, quote

#: What is told to be unanswered must not be done later: so long it may be under way (whole s, as brokers count).
EXPIRY_S: Final = int(ANSWER_S)


def is_connected(hass: HomeAssistant) -> bool:
    """Tell whether MQTT is there: its entry can be taken away at any time."""
    return mqtt.DATA_MQTT in hass.data and mqtt.is_connected(hass)


def discovery_prefix(hass: HomeAssistant) -> str:
    """Return the topic below which MQTT looks for what announces itself."""
    entries = hass.config_entries.async_entries(mqtt.DOMAIN)
    settings = {**entries[0].data, **entries[0].options} if entries else {}
    return str(settings.get("discovery_prefix") or mqtt.DEFAULT_PREFIX)


def require_connection(hass: HomeAssistant) -> None:
    """Raise ``RefusedError`` where MQTT is not connected."""
    if not is_connected(hass):
        raise RefusedError(NOT_CONNECTED, "not_connected")


def encoded(content: Any) -> str:
    """Return content as JSON. Raises ``RefusedError`` for what JSON can't have, and what no agent reads."""
    if deeper_than(content, MAX_DEPTH):
        reason = f"it is nested deeper than {MAX_DEPTH}"
        raise RefusedError(INVALID, "not_json", value="{...}", reason=reason)
    try:
        return json.dumps(content, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise RefusedError(INVALID, "not_json", value=quote(content), reason=str(error)) from None


async def publish(hass: HomeAssistant, topic: str, payload: str, *, qos: int, expiry_s: int | None = None) -> None:
    """Publish; a broker that can drops what it still has after ``expiry_s``. Raises ``RefusedError``."""
    require_connection(hass)
    options: dict[str, Any] = {}
    if expiry_s is not None and _bears_expiry(hass):
        options["message_expiry_interval"] = expiry_s
    try:
        await mqtt.async_publish(hass, topic, payload, qos, retain=False, **options)
    except HomeAssistantError as error:
        raise RefusedError(NOT_CONNECTED, "not_connected") from error


async def heard[T](sending: asyncio.Task[None], told: asyncio.Future[T]) -> T | None:
    """Return what is told of something that is being sent; None where nothing was. Raises what could not be sent.

    Both have one deadline: Home Assistant alone waits 10 s for the broker to acknowledge a message.
    """
    try:
        async with asyncio.timeout(ANSWER_S):
            either: set[asyncio.Future[Any]] = {sending, told}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not told.done():
                await asyncio.shield(sending)
                await asyncio.wait({told})
    except TimeoutError:
        pass
    return told.result() if told.done() else None


def _bears_expiry(hass: HomeAssistant) -> bool:
    """Tell whether MQTT 5 is spoken, and this Home Assistant lets us set what only that can bear."""
    entries = hass.config_entries.async_entries(mqtt.DOMAIN)
    speaks = bool(entries) and entries[0].data.get("protocol") == "5"
    return speaks and "message_expiry_interval" in inspect.signature(mqtt.async_publish).parameters
