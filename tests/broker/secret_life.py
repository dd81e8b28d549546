"""A node with secrets that can be recognised, and a search for them in all that it shows."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from tests.mosquitto.hardened import Hardened
from tests.rig import ROOT, Node, config, wait_for
from tests.systemd.unit import UNIT, directives

#: Given before the right password.
WRONG = "wrong-marmalade-4711"
DEVICES = (
    "{id: lamp, kind: switch, pin: 27}",
    "{id: car, kind: motor, forward: 5, backward: 6}",
    "{id: eye, kind: camera, source: synthetic}",
)


class VerboseNode(Node):
    """A node with the most verbose log and an umask that closes nothing; its core files are the unit's."""

    def start(self, *, wait: bool = True) -> Self:
        (limit,) = directives(UNIT)["Service"]["LimitCORE"]
        limits = ["prlimit", f"--core={limit}:{limit}", "sh", "-c", 'umask 0; exec "$@"', "sh"]
        with self.log.open("ab") as log:
            command = [*limits, sys.executable, "-m", "pimqtt_agent", "run", "-v", "-c", str(self.config)]
            self.process = subprocess.Popen(command, env=self.env, stdout=log, stderr=log, cwd=self.folder)
        if wait:
            wait_for(lambda: self.pid("agent") and self.pid("keeper pins"), 10, f"children; see {self.log}")
        return self


class Secrets:
    """The secrets of a node and where they may stand: ``written`` in files of ours, or ``environment``."""

    def __init__(self, broker: Hardened, folder: Path, how: str) -> None:
        self.broker, self.how = broker, how
        self.folder = folder
        folder.mkdir()
        keys = broker.folder / "private/clients"
        self._key_line = (keys / "car1.key").read_text().splitlines()[2]
        self.password = broker.passwords["car1"]
        word = '"${BROKER_PASSWORD}"' if how == "environment" else "!secret broker"
        tls = f"tls: {{ca: {broker.ca}, cert: {keys}/car1.crt, key: {keys}/car1.key}}"
        text = config(broker.port, *DEVICES).replace(
            f"port: {broker.port}}}", f"port: {broker.port}, user: car1, password: {word}, {tls}}}"
        )
        environment = {"BROKER_PASSWORD": self.password, "PYTHONFAULTHANDLER": "1"}
        self.node = VerboseNode(folder, text, environment if how == "environment" else {"PYTHONFAULTHANDLER": "1"})
        self.write("" if how == "environment" else WRONG)

    def write(self, password: str) -> None:
        """Put the password where the configuration takes it from."""
        secrets = self.folder / "secrets.yaml"
        secrets.write_text(f"broker: {password}\n")
        secrets.chmod(0o600)

    def within(self, data: bytes) -> list[str]:
        """Name the secrets that some bytes show."""
        forms = {"the password": self.password, "a wrong password": WRONG, "the key": self._key_line}
        return [name for name, secret in forms.items() if secret.encode() in data]

    def of_processes(self, *more: int) -> list[str]:
        """Search what everybody or the same account sees of the processes: their command lines, environments, names."""
        assert self.node.process
        shown = []
        for pid in (self.node.process.pid, *self.node.descendants(), *more):
            for part in ("cmdline", "environ", "comm", "status"):
                with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                    data = Path(f"/proc/{pid}/{part}").read_bytes()
                    shown += [f"{name} in {part} of {data[:40]!r}" for name in self.within(data)]
        return shown

    def of_files(self) -> list[str]:
        """Search all files below the node's folder and the broker's log, but the one that holds the password."""
        files = [path for path in self.folder.rglob("*") if path.is_file() and path.name != "secrets.yaml"]
        files.append(self.broker.folder / "log")
        return [f"{name} in {path}" for path in files for name in self.within(path.read_bytes())]

    def core_files(self) -> list[Path]:
        """List what a crash may have left."""
        return list(self.folder.rglob("core*"))

    def open_files(self) -> list[str]:
        """List what others may read or write in the folders of states and of the run."""
        return [f"{path} {path.stat().st_mode:o}" for top in ("state", "run") for path in _reachable(self.folder / top)]


def _reachable(folder: Path) -> Iterator[Path]:
    """Go down as far as another account could."""
    for path in folder.iterdir():
        mode = path.stat().st_mode
        if path.is_dir():
            if mode & 0o002:
                yield path
            if mode & 0o001:
                yield from _reachable(path)
        elif mode & 0o006:
            yield path


def command(secrets: Secrets, *words: str) -> bytes:
    """Run a command of the command line to its end while its process is searched; return what it printed."""
    line = [sys.executable, "-m", "pimqtt_agent", *words]
    env = {**secrets.node.env, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        line, env=env, cwd=secrets.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
    ) as process:
        seen = Path(f"/proc/{process.pid}/cmdline").read_bytes()
        said, _ = process.communicate(timeout=30)
    assert secrets.within(seen) == []
    return said
