"""Runs mqtt-io with a GPIO module that does nothing; started with the peers' Python."""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any


def _nothing(self: Any, *_: Any, **__: Any) -> None:
    """Set nothing up."""


def _set_pin(self: Any, pin: int, value: bool) -> None:  # noqa: FBT001 - mqtt-io's signature
    self.levels[pin] = value


def _get_pin(self: Any, pin: int) -> bool:
    return bool(self.levels.get(pin, False))


def main() -> None:
    """Make the module known, then be mqtt-io. What is inherited runs ``set_pin`` in the module's thread pool."""
    generic = import_module("mqtt_io.modules.gpio").GenericGPIO
    body = {"levels": {}, "setup_module": _nothing, "setup_pin": _nothing, "set_pin": _set_pin, "get_pin": _get_pin}
    module: Any = ModuleType("mqtt_io.modules.gpio.noop")
    module.REQUIREMENTS = ()
    module.GPIO = type("GPIO", (generic,), body)
    sys.modules[module.__name__] = module
    import_module("mqtt_io.__main__").main()


if __name__ == "__main__":
    main()
