"""Copies our blueprints to where Home Assistant looks for them. What a user changed or deleted stays as it is."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path
from typing import Any, Final

from homeassistant.components.automation import helpers
from homeassistant.core import HomeAssistant
from homeassistant.helpers.storage import Store

from .const import DOMAIN

_LOGGER = logging.getLogger(__name__)

SOURCE: Final = Path(__file__).parent / "blueprints"
_VERSION: Final = 1


async def async_install(hass: HomeAssistant) -> None:
    """Install what is new or unchanged since we wrote it."""
    if "automation" not in hass.config.components:
        return
    known = helpers.async_get_blueprints(hass)
    store: Store[dict[str, Any]] = Store(hass, _VERSION, f"{DOMAIN}.blueprints")
    written = await store.async_load() or {}
    folder = Path(hass.config.path("blueprints", "automation", DOMAIN))
    try:
        await known.async_populate()  # else Home Assistant, which looks whether the folder is there, never adds its own
        now = await hass.async_add_executor_job(install, SOURCE, folder, written)
    except OSError as error:
        _LOGGER.warning("The blueprints could not be copied to %s: %s", folder, error)
        return
    if now != written:
        await store.async_save(now)
        await known.async_reset_cache()


def install(source: Path, folder: Path, written: dict[str, Any]) -> dict[str, Any]:
    """Copy; ``written`` has the hash of each file as we left it, and so has what is returned."""
    now = dict(written)
    for path in sorted(source.glob("*.yaml")):
        content, target = path.read_bytes(), folder / path.name
        ours = _hash(content)
        there = _hash(target.read_bytes()) if target.exists() else None
        if there == ours:
            now[path.name] = ours
        elif there == written.get(path.name):  # unchanged since we wrote it, or never there
            folder.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
            now[path.name] = ours
    return now


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
