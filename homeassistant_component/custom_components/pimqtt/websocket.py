"""The websocket commands of cards and dashboards. Every user may use them for what Home Assistant lets it control."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, Final

from homeassistant.components import websocket_api
from homeassistant.components.websocket_api import ActiveConnection
from homeassistant.core import HomeAssistant, callback

from . import operations, websocket_drive
from .errors import INVALID, RefusedError
from .fleet_watch import FleetWatch
from .refusing import refuse
from .runtime import required
from .schemas import ID, SECONDS, WHO
from .search import Search
from .websocket_drive import TARGET, named_in

if TYPE_CHECKING:
    import probatio as vol
else:
    import voluptuous as vol

Handler = Callable[[HomeAssistant, ActiveConnection, dict[str, Any]], Awaitable[Any]]


@callback
def async_register(hass: HomeAssistant) -> None:
    """Register every command."""
    for command in (fleet, command_, stop, reset, call, pins, snapshot, search, *websocket_drive.COMMANDS):
        websocket_api.async_register_command(hass, command)


def answering(handler: Handler) -> websocket_api.const.WebSocketCommandHandler:
    """Answer with what a handler returns; a refusal is an error that says why, and no entry in the log."""

    @websocket_api.async_response
    @wraps(handler)
    async def answer(hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]) -> None:
        try:
            connection.send_result(msg["id"], await handler(hass, connection, msg))
        except RefusedError as error:
            refuse(connection, msg["id"], error)

    return answer


@websocket_api.websocket_command({vol.Required("type"): "pimqtt/fleet"})
@callback
def fleet(hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]) -> None:
    """Watch the fleet."""
    watch = FleetWatch(hass, connection, msg["id"])
    connection.subscriptions[msg["id"]] = watch.end
    connection.send_result(msg["id"])
    watch.send_all()


@websocket_api.websocket_command(
    {
        vol.Required("type"): "pimqtt/command",
        **TARGET,
        vol.Required("value"): object,
        vol.Optional("ttl"): SECONDS,
        **WHO,
    }
)
@answering
async def command_(hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]) -> dict[str, Any]:
    """Command an entity."""
    runtime = required(hass)
    place = operations.place_of(hass, runtime, connection.user, named_in(msg))
    given = {key: msg.get(key) for key in ("ttl", "owner", "priority")}
    answer = await operations.command(hass, runtime, connection.user, place, msg["value"], **given)
    return answer.as_dict()


async def _latch(hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any], *, on: bool) -> Any:
    if msg.get("device") and not msg.get("node"):
        raise RefusedError(INVALID, "device_without_node")
    where = {key: msg.get(key) for key in ("node", "device")}
    return await operations.latch(hass, required(hass), connection.user, on=on, **where)


_WHERE: Final[dict[Any, Any]] = {vol.Optional("node"): ID, vol.Optional("device"): ID}


@websocket_api.websocket_command({vol.Required("type"): "pimqtt/stop", **_WHERE})
@answering
async def stop(hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]) -> Any:
    """Stop in an emergency."""
    return await _latch(hass, connection, msg, on=True)


@websocket_api.websocket_command({vol.Required("type"): "pimqtt/reset", **_WHERE})
@answering
async def reset(hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]) -> Any:
    """Reset an emergency stop."""
    return await _latch(hass, connection, msg, on=False)


@websocket_api.websocket_command(
    {
        vol.Required("type"): "pimqtt/call",
        vol.Required("node"): ID,
        vol.Required("action"): ID,
        vol.Optional("arguments", default=dict): {str: object},
    }
)
@answering
async def call(hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]) -> Any:
    """Make a node call."""
    return await operations.call(hass, required(hass), connection.user, msg["node"], msg["action"], msg["arguments"])


@websocket_api.websocket_command({vol.Required("type"): "pimqtt/pins", vol.Required("node"): ID})
@answering
async def pins(hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]) -> Any:
    """List the lines of a node."""
    return await operations.pins(hass, required(hass), connection.user, msg["node"])


@websocket_api.websocket_command({vol.Required("type"): "pimqtt/snapshot", **TARGET})
@answering
async def snapshot(hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]) -> Any:
    """Take a picture."""
    runtime = required(hass)
    place = operations.place_of(hass, runtime, connection.user, named_in(msg))
    return (await operations.snapshot(runtime, connection.user, place)).as_dict()


@websocket_api.websocket_command(
    {
        vol.Required("type"): "pimqtt/search",
        vol.Optional("seconds", default=5): vol.All(vol.Any(int, float), vol.Range(min=1, max=60)),
    }
)
@callback
def search(hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]) -> None:
    """Look for nodes."""
    try:
        required(hass)
    except RefusedError as error:
        refuse(connection, msg["id"], error)
        return
    looking = Search(hass, connection, msg["id"], float(msg["seconds"]))
    connection.subscriptions[msg["id"]] = looking.end
    connection.send_result(msg["id"])
    looking.start()
