"""What goes wrong before anything is sent, said in words by websocket commands and actions alike."""

from __future__ import annotations

from typing import Final

from homeassistant.exceptions import ServiceValidationError

from .const import DOMAIN

NOT_FOUND: Final = "not_found"
UNAUTHORIZED: Final = "unauthorized"
NOT_CONNECTED: Final = "not_connected"
INVALID: Final = "invalid_format"


class RefusedError(ServiceValidationError):
    """A command that is not sent. ``code`` is the websocket's error code, ``key`` the sentence's translation."""

    def __init__(self, code: str, key: str, **placeholders: str) -> None:
        """``placeholders`` fill in the sentence."""
        super().__init__(translation_domain=DOMAIN, translation_key=key, translation_placeholders=placeholders)
        self.code = code
