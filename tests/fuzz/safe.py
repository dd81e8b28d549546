"""Files of the runtime folder: the list of ``pimqtt safe``, the simulated chip, the lock; and the demo's trace."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sys
from io import StringIO
from pathlib import Path
from typing import Any

from pimqtt_agent import safe, safe_list
from pimqtt_agent.console.demo_levels import PinLevels
from pimqtt_agent.errors import RunningError
from pimqtt_agent.hardware.levels import Levels, Release
from pimqtt_agent.lock import lock
from pimqtt_agent.settings import Settings
from tests.fuzz.seeds.safe import WORDS, seeds
from tests.fuzz.target import Finding, Target, records
from tests.fuzz.things import DEVICES


class Safe(Target):
    """The list that ``pimqtt safe`` works from, the chip's mapped file, the node's id in a configuration, the trace."""

    name = "safe"
    modules = (
        "safe_list:read,owner_alive",
        "safe:node_of,from_list,_drive_all,_drive,_line",
        "hardware/levels:started,__init__,holder,seen,_free,pulled",
        "console/demo_levels:_traced,_row",
        "lock:lock",
    )
    share = 12
    takes_ms = 10
    words = WORDS

    def open(self) -> None:
        self._before = Path.cwd()
        os.chdir(self.folder)
        self._settings = Settings.model_validate(
            {"node": "car1", "hardware": {"backend": "simulated"}, "devices": DEVICES}
        )

    def close(self) -> None:
        os.chdir(self._before)

    @classmethod
    def seeds(cls) -> list[bytes]:
        return seeds()

    def run(self, data: bytes) -> None:
        chip = self.folder / "chip"
        for name, content in records(data, 4):
            if name in ("safe.json", "chip", "trace", "lock"):
                (self.folder / name).write_bytes(content)
            elif name == "config.yaml":
                safe.node_of(content.decode("utf-8", "replace"))
        try:
            self._drive()
            self._look()
            self._lock()
            for level in (self._levels(chip) if chip.exists() else {}).values():
                assert isinstance(level, float)
        finally:
            for file in self.folder.iterdir():
                file.unlink()

    def _drive(self) -> None:
        content = safe_list.read(self.folder)
        if content is None or not all(_harmless(row) for row in content["rows"]):
            return
        safe_list.owner_alive(content)
        said, complained = StringIO(), StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(complained):
            status = safe.from_list(content, quiet=False)
            safe.from_supervisor(self.folder)
        assert sys.stdout is not said
        if status and not complained.getvalue():
            raise Finding("it failed without a word")
        lines = said.getvalue().count("\n") + complained.getvalue().count("\n")
        if lines < len(content["rows"]) and not content.get("stopped"):
            raise Finding(f"{len(content['rows'])} outputs, and {lines} were told")

    def _look(self) -> None:
        levels = PinLevels(self._settings, self.folder / "trace", self.folder / "no-chip")
        try:
            for pin, level in levels.changes():
                if isinstance(pin, bool) or not isinstance(pin, int) or not isinstance(level, int | float):
                    raise Finding(f"a pin {pin!r} at {level!r}")
        finally:
            levels.close()

    def _lock(self) -> None:
        """Find another one running, by a lock that says anything."""
        if not (self.folder / "lock").exists():
            return
        holder = os.open(self.folder / "lock", os.O_RDWR)
        try:
            fcntl.flock(holder, fcntl.LOCK_EX)
            lock(self.folder, "car1")
        except RunningError as error:
            if not str(error).isprintable():
                raise Finding(f"not a line of text: {str(error)!r}") from error
        else:
            raise Finding("two may run")
        finally:
            os.close(holder)

    def _levels(self, chip: Path) -> dict[int, float]:
        levels = Levels(chip, Release("pull", (3, 4)))
        try:
            return {line: levels.level[line] for line in range(40) if levels.seen(line, "up") in range(256)}
        finally:
            levels.close()


def _harmless(row: dict[str, Any]) -> bool:
    """Whether driving a row can touch nothing but our folder."""
    names = [row["chip"], row.get("trace") or "t"]
    return all(
        isinstance(name, str) and "/" not in name and name not in (".", "..")
        for name in names
        if not isinstance(name, int | list)
    )
