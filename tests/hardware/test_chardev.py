"""The bytes that the kernel is given, against its header (linux/gpio.h)."""

from __future__ import annotations

import errno
import struct

import pytest

from pimqtt_agent.errors import HardwareError
from pimqtt_agent.hardware import chardev


def test_sizes_are_those_of_the_header() -> None:
    assert chardev.CHIP_INFO.size == 68
    assert chardev.LINE_INFO.size == 256
    assert chardev.LINE_CONFIG.size == 272
    assert chardev.LINE_REQUEST.size == 592


def test_ioctl_numbers_are_those_of_the_header() -> None:
    assert chardev.GET_CHIP_INFO == 0x8044B401
    assert chardev.GET_LINE_INFO == 0xC100B405
    assert chardev.GET_LINE == 0xC250B407


@pytest.mark.parametrize("level", [0, 1])
def test_a_request_for_an_output_with_its_level(level: int) -> None:
    raw = chardev.request_bytes(17, level)
    expected = bytearray(592)
    struct.pack_into("<I", expected, 0, 17)  # offsets[0]
    expected[256:262] = b"pimqtt"  # consumer
    struct.pack_into("<Q", expected, 288, 1 << 3)  # config.flags: output
    struct.pack_into("<I", expected, 296, 1)  # config.num_attrs
    struct.pack_into("<I", expected, 320, 2)  # config.attrs[0].attr.id: output values
    struct.pack_into("<Q", expected, 328, level)  # config.attrs[0].attr.values
    struct.pack_into("<Q", expected, 336, 1)  # config.attrs[0].mask
    struct.pack_into("<I", expected, 560, 1)  # num_lines
    assert raw == bytes(expected)


def test_a_chip_is_found_by_its_label(monkeypatch: pytest.MonkeyPatch) -> None:
    present = {"/dev/gpiochip0": "raspberrypi-exp-gpio", "/dev/gpiochip4": "pinctrl-rp1"}
    monkeypatch.setattr(chardev, "chips", lambda: present)
    assert chardev.find("pinctrl-bcm2711", "pinctrl-rp1") == "/dev/gpiochip4"
    with pytest.raises(HardwareError, match=r"no GPIO chip mcp23017; there is /dev/gpiochip0 \(raspberrypi-exp-gpio\)"):
        chardev.find("mcp23017")
    present["/dev/gpiochip5"] = "pinctrl-rp1"
    with pytest.raises(HardwareError, match=r"/dev/gpiochip4 and /dev/gpiochip5 are both labelled pinctrl-rp1"):
        chardev.find("pinctrl-rp1")


def test_what_can_not_be_opened_is_a_sentence() -> None:
    with pytest.raises(HardwareError, match="/dev/gpiochip77 can't be opened: No such file"):
        chardev.label("/dev/gpiochip77")
    with pytest.raises(HardwareError, match="/dev/null is not a GPIO chip"):
        chardev.label("/dev/null")


def test_a_busy_line_names_its_holder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chardev, "holder", lambda _path, _line: "lg")
    error = chardev.refusal("/dev/gpiochip0", 17, OSError(errno.EBUSY, "busy"))
    assert str(error) == 'line 17 is held by "lg"'


def test_who_holds_a_line_of_a_chip_that_is_gone_is_not_known() -> None:
    assert chardev.holder("/dev/gpiochip77", 17) is None


@pytest.mark.gpiochip("kernel")
def test_the_kernel_takes_these_bytes(pytestconfig: pytest.Config) -> None:
    chip = pytestconfig.getoption("--gpiochip")
    assert chardev.chips()[chip] == chardev.label(chip)
    assert chardev.holder(chip, 17) is None
    chardev.drive(chip, 17, 1)
    with pytest.raises(HardwareError, match="line 5000"):
        chardev.drive(chip, 5000, 1)
