"""A refusal over the websocket: an error with a sentence. Raising ``Unauthorized`` would log an error each time."""

from __future__ import annotations

from homeassistant.components.websocket_api import ActiveConnection

from .errors import RefusedError


def refuse(connection: ActiveConnection, message_id: int, error: RefusedError) -> None:
    """Say why not."""
    connection.send_error(
        message_id,
        error.code,
        str(error),
        translation_key=error.translation_key,
        translation_domain=error.translation_domain,
        translation_placeholders=error.translation_placeholders,
    )
