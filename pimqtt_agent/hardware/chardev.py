"""The kernel's GPIO character device, version 2, by ioctl. Standard library only: ``pimqtt safe`` drives by it."""

from __future__ import annotations

import errno
import fcntl
import os
import struct

from pimqtt_agent.errors import HardwareError

CONSUMER = b"pimqtt"
#: The header's chip on a Pi 0 to 3, 4, 5.
PI_LABELS = ("pinctrl-bcm2835", "pinctrl-bcm2711", "pinctrl-rp1")
# struct gpiochip_info: name, label, lines
CHIP_INFO = struct.Struct("=32s32sI")
# struct gpio_v2_line_info: name, consumer, offset, num_attrs, flags, attrs (10 of 16 bytes), padding
LINE_INFO = struct.Struct("=32s32sIIQ160s16s")
# struct gpio_v2_line_config: flags, num_attrs, padding, the first attribute (id, padding, value, mask), nine more
LINE_CONFIG = struct.Struct("=QI20xIIQQ216x")
# struct gpio_v2_line_request: 64 offsets, consumer, config, num_lines, event_buffer_size, padding, fd
LINE_REQUEST = struct.Struct("=I252x32s272sII20xi")
FLAG_USED, FLAG_OUTPUT = 1 << 0, 1 << 3
ATTR_OUTPUT_VALUES = 2
#: Why a line can't be had, by the error's number.
_REASONS = {
    errno.EINVAL: "of {path} can't be claimed; is there such a line?",
    errno.ENXIO: "of {path} can't tell its changes: its chip has no interrupt",
    errno.ENODEV: "is gone with its chip {path}",
    errno.ENOTTY: "of {path} needs Linux 5.10 or newer",
}


def _number(direction: int, command: int, size: int) -> int:
    return direction << 30 | size << 16 | 0xB4 << 8 | command


GET_CHIP_INFO = _number(2, 0x01, CHIP_INFO.size)
GET_LINE_INFO = _number(3, 0x05, LINE_INFO.size)
GET_LINE = _number(3, 0x07, LINE_REQUEST.size)


def chips() -> dict[str, str]:
    """Return path and label of all chips. Numbers differ between kernels and models; labels are a chip's own."""
    found = {}
    for name in sorted(os.listdir("/dev")):  # noqa: PTH208 - pathlib would double the start of `safe`
        path = f"/dev/{name}"
        # Raspberry Pi OS links old chip numbers to new ones.
        if name.startswith("gpiochip") and not os.path.islink(path):  # noqa: PTH114
            try:
                found[path] = label(path)
            except HardwareError:
                continue
    return found


def find(*labels: str) -> str:
    """Return the path of the chip with one of the labels."""
    present = chips()
    paths = [path for path, one in present.items() if one in labels]
    if len(paths) == 1:
        return paths[0]
    wanted = " or ".join(labels)
    if paths:
        raise HardwareError(f"{' and '.join(paths)} are both labelled {wanted}; name the chip by its path")
    others = ", ".join(f"{path} ({one})" for path, one in present.items())
    raise HardwareError(f"there is no GPIO chip {wanted}; there is {others or 'none that this user may open'}")


def named(chosen: str) -> str:
    """Return the path of a chip that a configuration names by label or path."""
    path = chosen if chosen.startswith("/") else find(chosen)
    label(path)  # says it better than libgpiod where the chip can't be opened
    return path


def label(path: str) -> str:
    """Read a chip's label."""
    chip = _open(path)
    try:
        info = bytearray(CHIP_INFO.size)
        fcntl.ioctl(chip, GET_CHIP_INFO, info)
    except OSError as error:
        raise HardwareError(f"{path} is not a GPIO chip: {error.strerror}") from None
    finally:
        os.close(chip)
    return _text(CHIP_INFO.unpack(info)[1])


def holder(path: str, line: int) -> str | None:
    """Return the name under which a line is held, None where it is free or can't be asked."""
    try:
        chip = _open(path)
    except HardwareError:
        return None
    try:
        info = bytearray(LINE_INFO.pack(b"", b"", line, 0, 0, b"", b""))
        fcntl.ioctl(chip, GET_LINE_INFO, info)
    except OSError:
        return None
    finally:
        os.close(chip)
    _, consumer, _, _, flags, _, _ = LINE_INFO.unpack(info)
    return (_text(consumer) or "?") if flags & FLAG_USED else None


def drive(path: str, line: int, level: int) -> None:
    """Claim a line with a level and give it back. Raspberry Pi's kernels keep the level; others let the line fall."""
    chip = _open(path)
    try:
        request = bytearray(request_bytes(line, level))
        fcntl.ioctl(chip, GET_LINE, request)
        os.close(LINE_REQUEST.unpack(request)[-1])
    except OSError as error:
        raise refusal(path, line, error) from None
    finally:
        os.close(chip)


def request_bytes(line: int, level: int) -> bytes:
    """Pack the request for one output with its first level."""
    config = LINE_CONFIG.pack(FLAG_OUTPUT, 1, ATTR_OUTPUT_VALUES, 0, int(bool(level)), 1)
    return LINE_REQUEST.pack(line, CONSUMER, config, 1, 0, 0)


def refusal(path: str, line: int, error: OSError, name: int | str | None = None) -> HardwareError:
    """Say why a line can't be had, naming who holds it. ``name`` is what the configuration calls the line."""
    called = f"line {line if name is None else name}"
    if error.errno == errno.EBUSY:
        return HardwareError(f'{called} is held by "{holder(path, line) or "?"}"')
    if error.errno in _REASONS:
        return HardwareError(f"{called} {_REASONS[error.errno].format(path=path)}")
    return HardwareError(f"{called} of {path} can't be claimed: {error.strerror}")


def _open(path: str) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except PermissionError:
        raise HardwareError(f"{path} may not be opened; add this user to the group gpio") from None
    except OSError as error:
        raise HardwareError(f"{path} can't be opened: {error.strerror}") from None


def _text(raw: bytes) -> str:
    return raw.partition(b"\0")[0].decode(errors="replace")
