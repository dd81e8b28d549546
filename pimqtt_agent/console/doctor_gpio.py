"""What can be wrong with the pins: libraries, rights, the chip that the configuration names."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from pimqtt_agent.console.checks import Check, fail, ok
from pimqtt_agent.errors import HardwareError
from pimqtt_agent.hardware import chardev

if TYPE_CHECKING:
    from pimqtt_agent.settings import HardwareOptions, Settings

_LIBRARIES = {"pi": ("gpiozero", "gpiod", "lgpio"), "kernel": ("gpiod",)}
_GROUP = "sudo usermod -aG gpio $USER, then log in again"
_THERE = "name a chip that is there, by label or path: gpiodetect lists them"


def checks(settings: Settings, root: Path) -> Iterator[Check]:
    """Check what the backend needs; ``root`` has the folder ``dev``."""
    options = settings.hardware
    if options.backend == "simulated":
        yield ok("gpio", "simulated: no pin moves")
        return
    yield from _libraries(options.backend)
    chips = sorted(root.glob("dev/gpiochip*"))
    closed = [str(chip) for chip in chips if not os.access(chip, os.R_OK | os.W_OK)]
    if not chips:
        yield fail("gpio", "this machine has no /dev/gpiochip*", "use backend: simulated, or run it on the Pi")
    elif closed:
        yield fail("gpio", f"this user may not open {', '.join(closed)}", _GROUP)
    else:
        yield from list(_configured(options)) or [ok("gpio", f"backend {options.backend}, {len(chips)} chips")]


def _libraries(backend: str) -> Iterator[Check]:
    for library in _LIBRARIES[backend]:
        if find_spec("_lgpio" if library == "lgpio" else library) is None:  # PyPI's placeholder has no _lgpio
            mend = "sudo apt install python3-lgpio" if library == "lgpio" else f"pip install 'pimqtt-agent[{backend}]'"
            yield fail("gpio", f"backend {backend} needs the Python package {library}", mend)


def _configured(options: HardwareOptions) -> Iterator[Check]:
    """Tell which of the configuration's chips are not there."""
    if options.backend == "pi":
        try:
            chardev.find(*chardev.PI_LABELS)
        except HardwareError as error:
            yield fail("gpio", f"backend pi: {error}", "on another board than a Raspberry Pi use backend: kernel")
    elif options.backend == "kernel":
        named = {f"hardware.chips.{name}": chip for name, chip in options.chips.items()}
        for key, chip in {"hardware.chip": options.chip, **named}.items():
            try:
                if chip:
                    chardev.named(chip)
            except HardwareError as error:
                yield fail("gpio", f"{key}: {error}", _THERE)
