"""``pimqtt safe``: put every output to its safe value when nothing of pimqtt runs any more. Standard library only.

It works from the list that the pin keeper left; where there is none, from the configuration, which takes longer.
A level holds when this process has ended only where the kernel keeps released lines (Raspberry Pi's kernels do). On
others the line then falls to its pull, so a safe level that differs from the pull needs a resistor.
"""

from __future__ import annotations

import os
import re
import sys
import time
from typing import Any

from pimqtt_agent import safe_list
from pimqtt_agent.errors import ConfigError, HardwareError, PimqttError
from pimqtt_agent.hardware import chardev
from pimqtt_agent.hardware.levels import OUTPUT, Levels, Release
from pimqtt_agent.paths import runtime_dir

#: A row that was not driven, and why.
Failure = tuple[dict[str, Any], HardwareError]
USAGE = "usage: pimqtt safe -c FILE [--quiet]"
#: how long lines are waited for that a keeper still holds, whose supervisor has died (it ends within 0.5 s)
PATIENCE_S = 1.5
_ID = r"""["']?([a-z0-9_-]+)["']?[ \t]*"""
_END = r"(?:#.*)?$"
_NODE = (
    rf"^node:[ \t]+{_ID}{_END}",
    rf"^node:[ \t]*\{{(?:[^}}\n]*,)?[ \t]*id:[ \t]+{_ID}[,}}]",
    rf"^node:[ \t]*(?:#.*)?\n(?:(?:[ \t].*|#.*)?\n)*?[ \t]+id:[ \t]+{_ID}{_END}",
)


def main(argv: list[str]) -> int:
    """Run; ``argv`` is what follows ``safe``. Exit status: 0 all safe, 1 some are not, 2 no configuration."""
    quiet = "--quiet" in argv or "-q" in argv
    words = [word.removeprefix("--config=") for word in argv if word not in ("--quiet", "-q", "-c", "--config")]
    if "--help" in argv or "-h" in argv:
        _say(USAGE)
        return 0
    if len(words) != 1 or words[0].startswith("-"):
        _complain(USAGE)
        return 2
    try:
        with open(words[0], encoding="utf-8") as file:  # noqa: PTH123 - pathlib would double the start
            node = node_of(file.read())
    except (OSError, ValueError) as error:
        _complain(f"{words[0]}: {getattr(error, 'strerror', None) or 'this is not UTF-8'}")
        return 2
    try:
        content = safe_list.read(runtime_dir(node)) if node else None
        return from_list(content, quiet=quiet) if content else from_configuration(words[0], quiet=quiet)
    except ConfigError as error:
        _complain(error)
        return 2
    except PimqttError as error:
        _complain(error)
        return 1


def node_of(text: str) -> str | None:
    """Find the node's id without reading YAML; None where it is not plain to see (then YAML is read)."""
    if len(re.findall(r"^node:", text, re.MULTILINE)) != 1:
        return None
    for form in _NODE:
        found = re.search(form, text, re.MULTILINE)
        if found:
            return found[1]
    return None


def from_list(content: dict[str, Any], *, quiet: bool) -> int:
    """Drive what a keeper has listed."""
    node = content["node"]
    # systemd runs this after every stop; one in order has done `on_stop`, which may well be to keep a level.
    if content.get("stopped") and os.environ.get("SERVICE_RESULT") == "success":
        _say(f"{node} has stopped in order; its outputs are as on_stop says", quiet=quiet)
        return 0
    until = time.monotonic() + PATIENCE_S
    done, failed = _drive_all(content, content["rows"])
    while failed and not safe_list.owner_alive(content) and time.monotonic() <= until:
        time.sleep(0.05)
        more, failed = _drive_all(content, [row for row, _ in failed])
        done += more
    for row in done:  # pins first, words last: nobody may be there to read them
        _say(_line(row["device"], row["name"], row["level"]), quiet=quiet)
    for row, reason in failed:
        _complain(f"{row['device']}: {reason}")
    pid = safe_list.owner_alive(content)
    if failed and pid:
        _complain(f"{node} is running as pid {pid}: use pimqtt stop {node}")
    return 1 if failed else 0


def from_supervisor(runtime: os.PathLike[str]) -> int:
    """Drive once what a keeper that is gone has listed; 0 where all of it is safe, or there is nothing to do."""
    content = safe_list.read(runtime)
    if not content:
        return 0
    _, failed = _drive_all(content, content["rows"])
    for row, reason in failed:
        _complain(f"{row['device']}: {reason}")
    return 1 if failed else 0


def _drive_all(content: dict[str, Any], rows: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[Failure]]:
    """Return the rows that were driven, and those that were not with their reasons."""
    up = frozenset(row["line"] for row in content["rows"] if row.get("pull"))
    done, failed = [], []
    for row in rows:
        try:
            _drive(row, up)
            done.append(row)
        except HardwareError as error:
            failed.append((row, error))
    return done, failed


def _drive(row: dict[str, Any], up: frozenset[int]) -> None:
    """Claim one output at its safe level and give it back."""
    if row["backend"] != "simulated":
        # No pulses without a process: a duty becomes the level that is nearer.
        chardev.drive(row["chip"], row["line"], int(row["level"] >= 0.5))
        return
    levels = Levels(row["chip"], Release(row.get("on_release", "latch"), up), row.get("trace"))
    try:
        levels.claim(row["line"], OUTPUT, row["level"])
        levels.free(row["line"])
    finally:
        levels.close()


def from_configuration(path: str, *, quiet: bool) -> int:
    """Drive what the configuration says. Needs all of pimqtt."""
    from pathlib import Path  # noqa: PLC0415

    from pimqtt_agent.config import load  # noqa: PLC0415
    from pimqtt_agent.hardware import open_board  # noqa: PLC0415
    from pimqtt_agent.hardware.recorded import safe_levels  # noqa: PLC0415

    settings = load(Path(path))
    runtime = runtime_dir(settings.node.id)
    content = safe_list.read(runtime)
    if content:
        return from_list(content, quiet=quiet)
    lines: list[str] = []
    complaints: list[str] = []
    board = open_board(settings, runtime)
    for device in settings.devices:
        for line, level in safe_levels(device).items() if device.keeper == "pins" else ():
            try:
                if settings.hardware.backend == "simulated":
                    board.pwm(line, level, 1)
                else:
                    board.output(line, int(level >= 0.5))
                lines.append(_line(device.id, line, level))
            except HardwareError as error:
                complaints.append(f"{device.id}: {error}")
    board.close()
    for text in lines:
        _say(text, quiet=quiet)
    for text in complaints:
        _complain(text)
    return 1 if complaints else 0


def _line(device: str, line: object, level: float) -> str:
    return f"{device}: line {line} {'low' if level == 0 else 'high' if level == 1 else f'at {level:.0%}'}"


def _say(text: str, *, quiet: bool = False) -> None:
    if not quiet:
        _write(sys.stdout, text)


def _complain(what: object) -> None:
    _write(sys.stderr, str(what))


def _write(stream: Any, text: str) -> None:
    """Write a line; a reader who has gone is no reason to end differently."""
    try:
        stream.write(f"{text}\n")
        stream.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())  # also for what Python writes at its end
