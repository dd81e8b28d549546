"""A real Mosquitto on the very configuration that `mosquitto/setup` makes, for any test that needs one.

`PIMQTT_MOSQUITTO` names another broker than the one in PATH. The configuration is the one for users, except for the
port (a free one), the address (loopback) and the account (whoever runs the tests), each by an option of the script.
"""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import socket
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SHIPPED = Path(__file__).resolve().parents[2] / "mosquitto"
SETUP = SHIPPED / "setup"
LOOPBACK = "127.0.0.1"
#: Logins that are there beside the nodes: one of each role.
PEOPLE = ("ha:homeassistant", "olga:operator", "vera:viewer")


@dataclass(frozen=True)
class Hardened:
    """A running broker and what a client needs to know of it."""

    host: str
    port: int
    ca: Path
    passwords: dict[str, str]
    folder: Path
    process: subprocess.Popen[bytes]

    def reload(self) -> None:
        """Have the configuration, logins and certificates read again."""
        self.process.send_signal(signal.SIGHUP)
        time.sleep(0.3)

    def log(self) -> str:
        """Return what the broker has said."""
        return (self.folder / "log").read_text()


def run_setup(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the script on a folder as the account that runs the tests."""
    command = [str(SETUP), str(folder), "--owner", getpass.getuser(), *arguments]
    variables = os.environ | environment
    return subprocess.run(command, env=variables, capture_output=True, text=True, timeout=60, check=False)


def signed(folder: Path, ca: Path, key: Path, name: str, days: int) -> Path:
    """Sign a certificate for a key by the authority of another folder of `setup`; with days below 0 it has ended."""
    made, request, extensions = folder / f"{name}.{days}.crt", folder / f"{name}.csr", folder / "extensions"
    extensions.write_text("authorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\nsubjectAltName=IP:127.0.0.1\n")
    authority = ca / "private/ca"
    asked: list[str | Path] = ["openssl", "req", "-new", "-key", key, "-subj", f"/CN={name}", "-out", request]
    answered: list[str | Path] = ["openssl", "x509", "-req", "-in", request, "-CA", authority / "ca.crt"]
    answered += ["-CAkey", authority / "ca.key"]
    answered += ["-set_serial", "7", "-days", str(days), "-extfile", extensions, "-out", made]
    for command in (asked, answered):
        subprocess.run(command, check=True, capture_output=True)
    return made


def credentials(folder: Path) -> dict[str, str]:
    """Return the passwords that the script has written."""
    lines = (folder / "private" / "credentials").read_text().splitlines()
    return dict(line.split(" ", 1) for line in lines)


def contents(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Return what lies in a folder: name, mode, content."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): (path.stat().st_mode, path.read_bytes()) for path in files}


def free_port() -> int:
    """Return a port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


@contextmanager
def hardened_broker(tmp_path: Path, nodes: Sequence[str], users: Sequence[str] = PEOPLE) -> Iterator[Hardened]:
    """Run the hardened broker with a login for each node, and for each user as NAME:ROLE."""
    folder, port = tmp_path / "broker", free_port()
    logins = [*(f"--node={node}" for node in nodes), *(f"--user={user}" for user in users)]
    split = [part for login in logins for part in login.split("=", 1)]
    made = run_setup(folder, "--host", LOOPBACK, "--port", str(port), "--bind", LOOPBACK, *split)
    if made.returncode:
        msg = f"setup ended with {made.returncode}: {made.stderr}"
        raise RuntimeError(msg)
    with started(folder, port) as process:
        yield Hardened(LOOPBACK, port, folder / "ca.crt", credentials(folder), folder, process)


@contextmanager
def started(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run the broker on a folder's configuration, from when it listens; end it afterwards."""
    with (folder / "log").open("ab") as log:
        said = log.tell()
        process = subprocess.Popen([program(), "-c", str(folder / "mosquitto.conf")], stdout=log, stderr=log)
    try:
        _await_port(process, port, folder / "log", said)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def program() -> str:
    """Return the broker's path; without one the tests fail, they are not skipped."""
    found = os.environ.get("PIMQTT_MOSQUITTO") or shutil.which("mosquitto", path=os.environ["PATH"] + ":/usr/sbin")
    if found is None:
        msg = "mosquitto is missing: apt install mosquitto"
        raise RuntimeError(msg)
    return found


def _await_port(process: subprocess.Popen[bytes], port: int, log: Path, said: int) -> None:
    """Wait until the broker accepts connections, and has said in its log, behind what was there, that it runs."""
    until = time.monotonic() + 10
    while process.poll() is None and time.monotonic() < until:
        try:
            socket.create_connection((LOOPBACK, port), 1).close()
        except OSError:
            time.sleep(0.02)
        else:
            # before it says so a signal ends it
            if b" running\n" in log.read_bytes()[said:]:
                return
            time.sleep(0.02)
    msg = f"the broker does not listen (status {process.poll()}): {log.read_text()}"
    raise RuntimeError(msg)
