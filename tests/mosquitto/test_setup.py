"""The script `mosquitto/setup`: what it makes and for whom, what it keeps secret, and its words on mistakes."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.mosquitto.hardened import SETUP, contents, credentials, run_setup
from tests.rig import as_root


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    arguments = ("--host", "broker.lan", "--node", "car1", "--user", "ha:homeassistant", "--client-certs")
    assert run_setup(tmp_path / "b", *arguments).returncode == 0
    before = contents(tmp_path / "b")
    again = run_setup(tmp_path / "b", *arguments)
    assert (again.returncode, again.stderr) == (0, "")
    assert contents(tmp_path / "b") == before


def test_secrets_are_for_their_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "b"
    run_setup(folder, "--node", "car1", "--user", "ha:homeassistant", "--client-certs")
    for_all = {"mosquitto.conf", "ca.crt", "server.crt", "private/ca/ca.crt"}
    modes = {name: stat.S_IMODE(mode) for name, (mode, _) in contents(folder).items()}
    assert modes == {name: 0o644 if name in for_all else 0o600 for name in modes}
    assert {"private/credentials", "private/ca/ca.key", "private/clients/car1.key", "server.key"} <= set(modes)
    assert [stat.S_IMODE((folder / name).stat().st_mode) for name in ("private", "data")] == [0o700, 0o700]


def test_the_brokers_account_can_read_what_root_made() -> None:
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    try:
        folder.chmod(0o755)
        made = as_root(SETUP, folder / "a" / "b", "--node", "car1")
        assert (made.returncode, "made" in made.stdout) == (0, True), made.stderr
        owners = {path.name: pwd.getpwuid(path.stat().st_uid).pw_name for path in (folder / "a" / "b").iterdir()}
        ours = {"passwd", "acl", "server.key", "server.crt", "data"}
        assert owners == {name: "mosquitto" if name in ours else "root" for name in owners}
        assert ours <= set(owners)
        folder.chmod(0o700)
        closed = as_root(SETUP, folder / "a" / "b")
        assert (closed.returncode, "cannot read" in closed.stderr) == (1, True)
    finally:
        as_root("rm", "-rf", folder)


def test_no_password_is_seen_by_ps_or_on_the_terminal(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    (tmp_path / "bin").mkdir()
    for tool in ("openssl", "mosquitto_passwd", "grep", "sed", "cat", "tr", "cut"):
        spy = tmp_path / "bin" / tool
        spy.write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >>"{seen}"\nexec "{shutil.which(tool)}" "$@"\n')
        spy.chmod(0o755)
    made = run_setup(tmp_path / "b", "--node", "car1", PATH=f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    assert made.returncode == 0, made.stderr
    (password,) = credentials(tmp_path / "b").values()
    assert "mosquitto_passwd" not in seen.read_text()
    assert "-c" in seen.read_text()
    assert len(password) >= 24
    assert password not in seen.read_text() + made.stdout + made.stderr
    assert password.encode() not in b"".join(
        content for name, (_, content) in contents(tmp_path / "b").items() if name != "private/credentials"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--node", "Car1"], "--node 'Car1'"),
        (["--node", "car/1"], "--node 'car/1'"),
        (["--node", "+"], "--node '+'"),
        (["--node", "stop"], "'stop' is reserved"),
        (["--node", "reply"], "'reply' is reserved"),
        (["--user", "ha"], "NAME:ROLE"),
        (["--user", "ha:king"], "homeassistant operator viewer"),
        (["--user", "a#:operator"], "--user 'a#:operator'"),
        (["--user", "stop:operator"], "'stop' is reserved"),
        (["--user", "x:operator", "--node", "x"], "'x' cannot be a node and a user"),
        (["--user", "x:operator", "--user", "x:viewer"], "'x' cannot have two roles"),
        (["--host", "a b"], "--host 'a b'"),
        (["--host", "x,DNS:evil"], "--host 'x,DNS:evil'"),
        (["--remove", "car1"], "--remove 'car1': there is no such login"),
        (["--remove", ".*"], "--remove '.*': there is no such login"),
        (["--port", "0"], "--port '0'"),
        (["--port", "70000"], "--port '70000'"),
        (["--days", "soon"], "--days 'soon'"),
        (["--frobnicate"], "unknown option --frobnicate"),
        (["--node"], "--node needs a value"),
        (["another"], "one DIR"),
    ],
)
def test_a_mistake_is_told_and_nothing_is_made(tmp_path: Path, arguments: list[str], said: str) -> None:
    made = run_setup(tmp_path / "b", *arguments)
    assert made.returncode == 2
    assert said in made.stderr
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--user", "car1:operator"], "'car1' is already a node"),
        (["--node", "olga"], "'olga' is already a user (operator)"),
        (["--user", "olga:viewer"], "'olga' is already operator"),
    ],
)
def test_a_name_keeps_its_role(tmp_path: Path, arguments: list[str], said: str) -> None:
    run_setup(tmp_path / "b", "--node", "car1", "--user", "olga:operator")
    before = contents(tmp_path / "b")
    made = run_setup(tmp_path / "b", *arguments)
    assert (made.returncode, said in made.stderr) == (2, True)
    assert contents(tmp_path / "b") == before


def test_help_says_every_option() -> None:
    said = subprocess.run([SETUP, "--help"], capture_output=True, text=True, check=True).stdout
    parsing = SETUP.read_text().split("read_arguments() {")[1].split("matches()")[0]
    options = set(re.findall(r"--[a-z][a-z-]+", parsing))
    assert {option for option in options if option not in said} == {"--help"}
    assert len(options) == 12
