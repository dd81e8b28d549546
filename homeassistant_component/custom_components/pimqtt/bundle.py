"""Serves the bundle of cards and strategies, under an address that changes with its content."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path
from typing import Final

from homeassistant.components import frontend
from homeassistant.components.http import StaticPathConfig
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN

_LOGGER = logging.getLogger(__name__)

FOLDER: Final = Path(__file__).parent / "frontend"
BUNDLE: Final = "pimqtt.js"
URL: Final = "/pimqtt_static"
MISSING: Final = "bundle_missing"
#: The bundle's hash, empty where it is missing.
DATA_BUNDLE: HassKey[str] = HassKey("pimqtt_bundle")


async def async_register(hass: HomeAssistant, folder: Path = FOLDER) -> None:
    """Serve the folder and have every page load the bundle; where it is missing, say so."""
    bundle = await hass.async_add_executor_job(content_hash, folder / BUNDLE)
    hass.data[DATA_BUNDLE] = bundle or ""
    if bundle is None:
        _LOGGER.error("%s is missing: there are no cards and no dashboard; install pimqtt again", folder / BUNDLE)
        ir.async_create_issue(
            hass, DOMAIN, MISSING, is_fixable=False, severity=ir.IssueSeverity.ERROR,
            translation_key=MISSING, translation_placeholders={"path": str(folder / BUNDLE)},
        )  # fmt: skip
        return
    ir.async_delete_issue(hass, DOMAIN, MISSING)
    await hass.http.async_register_static_paths([StaticPathConfig(URL, str(folder), cache_headers=True)])
    frontend.add_extra_js_url(hass, f"{URL}/{BUNDLE}?v={bundle}")


def content_hash(path: Path) -> str | None:
    """Return what tells one bundle from another; None where it can't be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    except OSError:
        return None
