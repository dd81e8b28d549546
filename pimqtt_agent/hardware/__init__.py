"""Backends: how lines are reached. Chosen in the configuration, never guessed.

Each backend is a module with ``open_board(options, folder, runtime)``, imported only when it is opened.
"""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, cast

from pimqtt_agent.errors import HardwareError

if TYPE_CHECKING:
    from pathlib import Path

    from pimqtt_agent.hardware.protocols import Board
    from pimqtt_agent.settings import Settings


def preload(settings: Settings) -> None:
    """Import the backend as far as it may be before a fork: a keeper that replaces another has no second for that."""
    with suppress(ImportError):  # the keeper tells it
        import_module(f"{__name__}.{settings.hardware.backend}")


def open_board(settings: Settings, runtime: Path) -> Board:
    """Open the backend that the configuration names; ``runtime`` is the node's runtime folder."""
    backend = settings.hardware.backend
    try:
        module = import_module(f"{__name__}.{backend}")
        return cast("Board", module.open_board(settings.hardware, settings.folder, runtime))
    except ModuleNotFoundError as error:
        package, _, part = str(error.name).partition(".")
        problem = f"is too old (it has no {part})" if part else "is not installed"
        raise HardwareError(f"backend {backend} needs the Python package {package}, which {problem}") from None
