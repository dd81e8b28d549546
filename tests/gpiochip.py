"""Tests on lines of a real kernel: the options that name a chip, and what is left out without one."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pimqtt_agent.errors import HardwareError
from pimqtt_agent.hardware import chardev
from tests.lines import simulated

#: Where gpio-sim's chips are made.
CONTROL = Path("/sys/kernel/config/gpio-sim")
PI_LABELS = ("pinctrl-bcm2835", "pinctrl-bcm2711", "pinctrl-rp1")
_REASONS = pytest.StashKey[set[str]]()


def add_options(parser: pytest.Parser) -> None:
    """Take the chip."""
    parser.addoption(
        "--gpiochip",
        metavar="PATH",
        help="a chip of the kernel's gpio-sim (/dev/gpiochip0) for the tests of real lines; a board's own with --wired",
    )
    parser.addoption(
        "--wired", action="store_true", help="--gpiochip is a board's own chip, wired as docs/hardware.md shows"
    )


def take_out(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Take out what needs a chip that is not there, and say so: a skip among many is overlooked."""
    chip = config.getoption("--gpiochip")
    if chip and not simulated(chip) and not config.getoption("--wired"):
        wired = "--wired says that it is a board's own, wired as docs/hardware.md shows"
        raise pytest.UsageError(f"--gpiochip: {chip} is no chip of gpio-sim; {wired}")
    reasons = config.stash.setdefault(_REASONS, set())
    left: list[pytest.Item] = []
    out: list[pytest.Item] = []
    for item in items:
        try:
            lacking = [ABSENT[str(word)](chip) for mark in item.iter_markers("gpiochip") for word in mark.args]
        except HardwareError as error:
            raise pytest.UsageError(f"--gpiochip: {error}") from None
        reasons.update(filter(None, lacking))
        (out if any(lacking) else left).append(item)
    if out:
        config.hook.pytest_deselected(items=out)
        items[:] = left


def say(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what was taken out."""
    reasons: set[str] = config.stash.setdefault(_REASONS, set())
    for reason in sorted(reasons):
        terminalreporter.write_line(f"deselected: {reason}")


def _no_chip(chip: str | None) -> str:
    return "" if chip else "the kernel backend on a chip (no --gpiochip=PATH)"


def _no_pi(chip: str | None) -> str:
    if not chip:
        return "the pi backend on lgpio (no --gpiochip=PATH)"
    label = chardev.label(chip)
    return "" if label in PI_LABELS else f"the pi backend on lgpio ({chip} is {label}, not a Raspberry Pi's)"


def _no_control(chip: str | None) -> str:
    writable = os.access(CONTROL, os.W_OK)
    return "" if chip and writable else f"chips that are unplugged ({CONTROL} can't be written)"


def _no_sim(chip: str | None) -> str:
    return "" if chip and simulated(chip) else "what a wired board can't play (no gpio-sim)"


#: per word of a mark, what tells why its tests can't be run here ("" if they can)
ABSENT: dict[str, Callable[[str | None], str]] = {"kernel": _no_chip, "pi": _no_pi, "own": _no_control, "sim": _no_sim}
