"""Backends: how lines are reached. Chosen in the configuration, never guessed.

Each backend is a module with ``open_board(options, folder, runtime)``, imported only when it is opened.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

from pimqtt_agent.errors import HardwareError

if TYPE_CHECKING:
    from pathlib import Path

    from pimqtt_agent.hardware.protocols import Board
    from pimqtt_agent.settings import Settings


def open_board(settings: Settings, runtime: Path) -> Board:
    """Open the backend that the configuration names; ``runtime`` is the node's runtime folder."""
    backend = settings.hardware.backend
    try:
        module = import_module(f"{__name__}.{backend}")
        return cast("Board", module.open_board(settings.hardware, settings.folder, runtime))
    except ModuleNotFoundError as error:
        raise HardwareError(
            f"backend {backend} needs the Python package {error.name}, which is not installed"
        ) from None
