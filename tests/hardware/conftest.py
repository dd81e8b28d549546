from __future__ import annotations

import pytest

from pimqtt_agent.errors import HardwareError
from tests.hardware.worlds import ABSENT

_REASONS = pytest.StashKey[set[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the chip; known where this folder or a file of it is named on the command line."""
    parser.addoption(
        "--gpiochip",
        metavar="PATH",
        help="a chip of the kernel's gpio-sim (/dev/gpiochip0) for the tests of real lines; never a board's own chip",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "gpiochip(backend): needs a chip (--gpiochip)")
    # lgpio's wrapper warns on Python 3.13; as an error that would leave its types half made, and crash at the end.
    config.addinivalue_line("filterwarnings", "ignore:builtin type .* has no __module__ attribute:DeprecationWarning")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Take out what needs a chip that is not there, and say so: a skip among many is overlooked."""
    chip = config.getoption("--gpiochip", default=None)
    reasons = config.stash.setdefault(_REASONS, set())
    left: list[pytest.Item] = []
    out: list[pytest.Item] = []
    for item in items:
        marker = item.get_closest_marker("gpiochip")
        try:
            reason = ABSENT[marker.args[0]](chip) if marker else ""
        except HardwareError as error:
            raise pytest.UsageError(f"--gpiochip: {error}") from None
        if reason:
            reasons.add(reason)
        (out if reason else left).append(item)
    if out:
        config.hook.pytest_deselected(items=out)
        items[:] = left


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    reasons: set[str] = config.stash.setdefault(_REASONS, set())
    for reason in sorted(reasons):
        terminalreporter.write_line(f"deselected: {reason}")
