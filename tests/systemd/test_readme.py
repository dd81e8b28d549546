"""The installation of `systemd/README.md` is carried out below a folder of the test's own, without accounts."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

from tests.rig import ROOT
from tests.systemd.unit import UNIT

README = (UNIT.parent / "README.md").read_text()


def install_block() -> str:
    """Return the commands of the installation."""
    (found,) = re.findall(r"```sh\n(.*?)```", README.split("## Install")[1], re.DOTALL)
    return str(found)


def test_the_installation_puts_every_file_in_its_place(tmp_path: Path) -> None:
    (tmp_path / "etc/pimqtt").mkdir(parents=True)
    (tmp_path / "etc/systemd/system").mkdir(parents=True)
    (tmp_path / "etc/avahi/services").mkdir(parents=True)
    ours = [line for line in install_block().splitlines() if re.match(r"sudo (install|-u pimqtt) ", line)]
    script = "\n".join(ours).replace("sudo -u pimqtt ", "").replace("sudo ", "").replace("-g pimqtt ", "")
    script = script.replace("/etc/", f"{tmp_path}/etc/")
    script = script.replace("/opt/pimqtt/bin/pimqtt", f"{sys.executable} -m pimqtt_agent")
    done = subprocess.run(["bash", "-ec", script], cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    assert "etc/pimqtt/config.yaml is valid" in done.stdout
    placed = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert placed == {
        "etc/pimqtt/config.yaml", "etc/systemd/system/pimqtt.service", "etc/sysusers.d/pimqtt.conf",
        "etc/tmpfiles.d/pimqtt.conf", "etc/avahi/services/pimqtt.service",
    }  # fmt: skip


def test_the_table_names_every_file_and_where_it_goes() -> None:
    rows = dict(re.findall(r"^\| `(pimqtt[\w.-]+)` \| `([^`]+)` \|", README, re.MULTILINE))
    assert rows.keys() == {path.name for path in UNIT.parent.iterdir()} - {"README.md"}
    for name in ("pimqtt.sysusers", "pimqtt.tmpfiles"):
        assert f"systemd/{name} {rows[name]}" in install_block()


def test_the_extras_that_are_installed_exist() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    documents = [ROOT / "README.md", UNIT.parent / "README.md", *(ROOT / "docs").glob("*.md")]
    named = {
        extra
        for document in documents
        for group in re.findall(r"pip install '[\w.-]+\[([\w,]+)\]'", document.read_text())
        for extra in group.split(",")
    }
    assert named
    assert named <= extras.keys()
