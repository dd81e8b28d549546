"""The websocket commands of driving."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from homeassistant.components import websocket_api
from homeassistant.components.websocket_api import ActiveConnection
from homeassistant.core import HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from . import operations, rights
from .answers import refusing
from .driving import RELEASE, STOP, Session
from .errors import INVALID, NOT_FOUND, RefusedError
from .refusing import refuse
from .runtime import loaded, required
from .strict_json import number

if TYPE_CHECKING:
    import probatio as vol
else:
    import voluptuous as vol


def _figure(most: float) -> Callable[[Any], float]:
    def check(value: Any) -> float:
        figure = number(value)
        if figure is None or abs(figure) > most:
            raise vol.Invalid(f"expected a number from {-most:g} to {most:g}")
        return figure

    return check


_FIGURE: Final = _figure(100)
_AXIS: Final = _figure(1)
#: A car's x and y, or a motor's percent; ``stop`` stops whoever drives, ``release`` only what this session moved.
_VALUE: Final = vol.Any(STOP, RELEASE, {vol.Required("x"): _AXIS, vol.Required("y"): _AXIS}, _FIGURE)


#: The sessions whose browser still listens, also those that have ended.
_SUBSCRIBED: Final[HassKey[dict[str, Session]]] = HassKey("pimqtt_subscribed")

#: An entity is named by its entity id, or by its unique id where Home Assistant has no entity.
TARGET: Final[dict[Any, Any]] = {
    vol.Exclusive("entity_id", "target"): str,
    vol.Exclusive("unique_id", "target"): str,
}


def named_in(msg: dict[str, Any]) -> str:
    """Return what names the entity."""
    named = msg.get("entity_id") or msg.get("unique_id")
    if not named:
        raise RefusedError(INVALID, "no_target")
    return str(named)


@websocket_api.websocket_command({vol.Required("type"): "pimqtt/drive", **TARGET})
@websocket_api.async_response
async def drive(hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]) -> None:
    """Open a driving session; ending the subscription, or losing the connection, stops what it moved."""

    def tell(event: dict[str, Any]) -> None:
        connection.send_event(msg["id"], event)

    try:
        named, runtime = named_in(msg), required(hass)
        place = operations.place_of(hass, runtime, connection.user, named)
        session = runtime.sessions.open(place, operations.owner_of(connection.user), tell)
    except RefusedError as error:
        refuse(connection, msg["id"], error)
        return
    session.browser, session.entity = connection, named
    subscribed = hass.data.setdefault(_SUBSCRIBED, {})
    subscribed[session.id] = session

    @callback
    def close() -> None:
        runtime.sessions.close(session)
        subscribed.pop(session.id, None)

    connection.subscriptions[msg["id"]] = close
    connection.send_result(msg["id"])
    await session.start()


@websocket_api.websocket_command(
    {
        vol.Required("type"): "pimqtt/drive/send",
        vol.Required("session"): str,
        vol.Required("seq"): vol.All(int, vol.Range(min=0, max=1 << 53)),
        vol.Required("value"): _VALUE,
        vol.Optional("token"): vol.Any(None, vol.All(str, vol.Length(max=200))),
        vol.Optional("priority"): vol.Any(None, vol.All(int, vol.Range(min=0, max=9))),
    }
)
@callback
def send(hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]) -> None:
    """Move, or stop. The answer says only that it was taken; what became of it is an event of the session.

    What is refused is such an event, too: cards send without waiting, and Home Assistant drops an error to those.
    """
    try:
        session = _session(hass, connection, msg)
        if msg["value"] not in (STOP, RELEASE):  # a right that was taken away must not keep anybody from stopping
            _check(hass, connection, session)
    except RefusedError as error:
        refuse(connection, msg["id"], error)
        known = hass.data.get(_SUBSCRIBED, {}).get(msg["session"])
        if known is not None and known.browser is connection:
            known.tell_answer(refusing(error, known.owner), msg["seq"])
        return
    session.send(msg["seq"], msg["value"], msg.get("token"), msg.get("priority"))
    connection.send_result(msg["id"])


@websocket_api.websocket_command({vol.Required("type"): "pimqtt/drive/token", vol.Required("session"): str})
@callback
def token(hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]) -> None:
    """Ask for a fresh token, which comes as an event of the session."""
    try:
        session = _session(hass, connection, msg)
    except RefusedError as error:
        refuse(connection, msg["id"], error)
        return
    session.ask_token()
    connection.send_result(msg["id"])


COMMANDS: Final = (drive, send, token)


def _session(hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]) -> Session:
    """Return a session of this very connection."""
    runtime = loaded(hass)
    session = runtime.sessions.get(msg["session"]) if runtime else None
    if session is None or session.browser is not connection:
        raise RefusedError(NOT_FOUND, "no_session")
    return session


def _check(hass: HomeAssistant, connection: ActiveConnection, session: Session) -> None:
    if session.entity.startswith("pimqtt."):
        rights.check_place(hass, required(hass).fleet, connection.user, session.place)
    else:
        rights.check(connection.user, session.entity)
