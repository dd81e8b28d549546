"""What can be wrong with this machine: clock, pins, priority, camera, boot settings, announcement."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pimqtt_agent import clock, kernel_asks
from pimqtt_agent.console import announcing, doctor_gpio
from pimqtt_agent.console.checks import Check, fail, ok, warn

if TYPE_CHECKING:
    from pimqtt_agent.settings import Settings

_CONFIG_FILES = ("boot/firmware/config.txt", "boot/config.txt")
#: What a device may need of the firmware: lines that give it, and the one to add.
_BOOT = {
    "camera": (r"camera_auto_detect=1|dtoverlay=(imx|ov|arducam)\w*", "camera_auto_detect=1"),
    "i2c": (r"dtparam=(.*,)?i2c(_arm)?(=on)?(,.*)?", "dtparam=i2c_arm=on"),
    "1-wire": (r"dtoverlay=w1-gpio.*", "dtoverlay=w1-gpio"),
    "spi": (r"dtparam=(.*,)?spi(=on)?(,.*)?", "dtparam=spi=on"),
}
_VIDEO = "sudo usermod -aG video $USER, then log in again"


def checks(settings: Settings | None, root: Path = Path("/")) -> list[Check]:
    """Check this machine, for a configuration where there is one."""
    found = [_clock()]
    if settings is not None:
        found += [*doctor_gpio.checks(settings, root), *_cameras(settings), *_boot(needs(settings), root)]
        found += announcing.check(settings, root)
    return [*found, *_priority()]


def _clock() -> Check:
    if clock.synchronised():
        return ok("clock", "synchronised")
    mend = "sudo timedatectl set-ntp true; until then late commands are known by token or expiry only"
    return warn("clock", "not synchronised: the times in commands prove nothing", mend)


def _priority() -> Iterator[Check]:
    problems = _granted()
    if not problems:
        yield ok("priority", "real-time priority and locked memory are granted")
    for problem in problems:
        text, _, mend = problem.partition(": ")
        yield warn("priority", f"{text}, to this user at least", f"{mend} (systemd/ has one)")


def _granted() -> list[str]:
    """Ask for it in a process of its own."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.write(writing, "\n".join(kernel_asks.real_time()).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as answer:
        problems = answer.read().splitlines()
    os.waitpid(child, 0)
    return problems


def _cameras(settings: Settings) -> Iterator[Check]:
    for device in settings.devices:
        source = getattr(device, "source", None)
        if device.kind == "camera" and source is not None:
            word, argument = source.choice
            yield _library() or _source(device.id, word, argument)


def _library() -> Check | None:
    for library in ("numpy", "simplejpeg"):
        if find_spec(library) is None:
            return fail("camera", f"cameras need the Python package {library}", "pip install 'pimqtt-agent[camera]'")
    return None


def _source(name: str, word: str, argument: Any) -> Check:
    if word in ("file", "v4l2"):
        if find_spec("av") is None:
            return fail("camera", f"{name} needs the Python package av", "pip install 'pimqtt-agent[camera]'")
        if not Path(argument).exists():
            others = ", ".join(str(path) for path in sorted(Path("/dev").glob("video*")))
            mend = f"there is {others}" if others and word == "v4l2" else "check the path, or plug it in"
            return fail("camera", f"{name}: there is no {argument}", mend)
        if not os.access(argument, os.R_OK):
            return fail("camera", f"{name}: this user may not read {argument}", _VIDEO)
    if word == "pi":
        return _pi_camera(name, int(argument))
    return ok("camera", f"{name}: {word}" + (f" {argument}" if isinstance(argument, str) else ""))


def _pi_camera(name: str, number: int) -> Check:
    try:
        cameras = import_module("picamera2").Picamera2.global_camera_info()
    except ImportError as error:
        mend = "sudo apt install python3-picamera2, and an environment with --system-site-packages"
        return fail("camera", f"{name}: picamera2 can't be imported ({error})", mend)
    except (OSError, RuntimeError) as error:
        return fail("camera", f"{name}: libcamera does not work ({error})", _VIDEO)
    if number < len(cameras):
        return ok("camera", f"{name}: {cameras[number].get('Model', 'found')}")
    mend = "check its cable (with the power off), then rpicam-hello --list-cameras"
    return fail("camera", f"{name}: libcamera finds {len(cameras) or 'no'} cameras, and this is number {number}", mend)


def needs(settings: Settings) -> set[str]:
    """Tell what the devices need of the firmware; a kind names its needs by a class variable ``boot``."""
    found: set[str] = set()
    for device in settings.devices:
        found.update(getattr(device, "boot", ()))
        source = getattr(device, "source", None)
        if device.kind == "camera" and source is not None and source.choice[0] == "pi":
            found.add("camera")
    return found


def _boot(wanted: Iterable[str], root: Path) -> Iterator[Check]:
    """Compare with the firmware's file; settings under a filter such as ``[pi4]`` count as there."""
    for need in sorted(wanted):
        pattern, line = _BOOT[need]
        file = next((root / name for name in _CONFIG_FILES if (root / name).is_file()), None)
        if file is None:
            mend = f"on a Raspberry Pi add {line} there and reboot"
            yield warn("boot", f"there is no /{_CONFIG_FILES[0]} to see whether {need} is on", mend)
            continue
        lines = [text.partition("#")[0].strip() for text in file.read_text(errors="replace").splitlines()]
        given = [text for text in lines if re.fullmatch(pattern, text)]
        if given:
            yield ok("boot", f"{need}: {given[-1]}")
        else:
            mend = f"add the line {line} (sudo nano {file}), then reboot"
            yield fail("boot", f"{need} is needed, and {file} does not turn it on", mend)
