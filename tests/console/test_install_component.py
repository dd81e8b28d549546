"""`scripts/install-component`: the component gets into a configuration folder as it is here, or a sentence says why."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.rig import ROOT, as_root

SCRIPT = ROOT / "scripts/install-component"
SOURCE = ROOT / "homeassistant_component/custom_components/pimqtt"


def install(*words: str | Path, script: Path = SCRIPT) -> subprocess.CompletedProcess[str]:
    return subprocess.run([script, *words], capture_output=True, text=True, timeout=30, check=False)


def files(folder: Path) -> dict[Path, bytes]:
    """Return what a folder has, without what Python leaves there."""
    found = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(folder): path.read_bytes() for path in found}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration folder, with a space in its name and another component."""
    folder = tmp_path / "my config"
    (folder / "custom_components/other").mkdir(parents=True)
    (folder / "custom_components/other/manifest.json").write_text("{}")
    (folder / "configuration.yaml").write_text("")
    return folder


@pytest.fixture
def target(config: Path) -> Path:
    return config / "custom_components/pimqtt"


def test_it_is_installed_as_it_is_here(config: Path, target: Path) -> None:
    done = install(f"{config}/")
    assert done.returncode == 0, done.stderr
    version = json.loads((SOURCE / "manifest.json").read_text())["version"]
    assert f"pimqtt {version} is in {target}." in done.stdout
    assert "Restart Home Assistant" in done.stdout
    assert files(target) == files(SOURCE)
    assert not list(target.rglob("__pycache__"))
    assert {path.name for path in target.parent.iterdir()} == {"other", "pimqtt"}


def test_everybody_may_read_it(config: Path, target: Path) -> None:
    before = os.umask(0o077)
    try:
        assert install(config).returncode == 0
    finally:
        os.umask(before)
    assert all(path.stat().st_mode & 0o044 == 0o044 for path in target.rglob("*"))


def test_what_root_installs_belongs_to_whoever_has_the_configuration(config: Path, target: Path) -> None:
    shutil.rmtree(target.parent)
    assert as_root("chown", "4711:4712", config).returncode == 0
    assert as_root(SCRIPT, config).returncode == 0
    assert {(path.stat().st_uid, path.stat().st_gid) for path in [target.parent, *target.rglob("*")]} == {(4711, 4712)}


def test_an_update_leaves_nothing_of_the_old_version(config: Path, target: Path) -> None:
    (target / "frontend").mkdir(parents=True)
    (target / "manifest.json").write_text('{"domain": "pimqtt", "version": "0.0.9"}')
    for stale in ("gone.py", "frontend/gone.js"):
        (target / stale).write_text("")
    done = install(config)
    assert done.returncode == 0, done.stderr
    assert "(before: 0.0.9)" in done.stdout
    assert files(target) == files(SOURCE)
    assert {path.name for path in target.parent.iterdir()} == {"other", "pimqtt"}


def test_a_killed_update_is_taken_up(config: Path, target: Path) -> None:
    stage = target.parent / ".pimqtt-install"
    for half in ("old", "new"):
        (stage / half).mkdir(parents=True)
    (stage / "old/manifest.json").write_text('{"version": "0.0.8"}')
    done = install(config)
    assert "(before: 0.0.8)" in done.stdout
    assert files(target) == files(SOURCE)
    assert not stage.exists()


def test_an_update_that_fails_leaves_the_old_version(config: Path, target: Path, tmp_path: Path) -> None:
    target.mkdir()
    (target / "manifest.json").write_text('{"version": "0.0.9"}')
    tools = tmp_path / "tools"
    tools.mkdir()
    mv = shutil.which("mv")
    (tools / "mv").write_text(f'#!/bin/sh\ncase $1 in */new) echo "disk full" >&2; exit 1;; esac\nexec {mv} "$@"\n')
    (tools / "mv").chmod(0o755)
    path = f"{tools}:{os.environ['PATH']}"
    command = [ROOT / "scripts/install-component", config]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PATH": path}, check=False)
    assert done.returncode == 1
    assert "disk full" in done.stderr
    assert set(files(target)) == {Path("manifest.json")}
    assert {path.name for path in target.parent.iterdir()} == {"other", "pimqtt"}


@pytest.mark.parametrize("words", [(), ("",), ("--force",), ("a", "b")])
def test_without_one_folder_it_says_how(words: tuple[str, ...]) -> None:
    done = install(*words)
    assert done.returncode == 2
    assert "scripts/install-component CONFIG_FOLDER" in done.stderr


def test_it_tells_of_itself() -> None:
    done = install("--help")
    assert done.returncode == 0
    assert "configuration.yaml" in done.stdout


def test_what_is_no_configuration_folder_is_left_alone(config: Path, tmp_path: Path) -> None:
    (config / "configuration.yaml").unlink()
    for folder, words in ((config, "configuration.yaml is missing there"), (tmp_path / "none", "there is no folder")):
        done = install(folder)
        assert done.returncode == 1
        assert words in done.stderr
        assert done.stderr.count("\n") == 1
    assert not (config / "custom_components/pimqtt").exists()


def test_a_link_is_not_followed(config: Path, target: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    target.symlink_to(tmp_path / "mine")
    done = install(config)
    assert done.returncode == 1
    assert f"is a link to {tmp_path / 'mine'}" in done.stderr
    assert list((tmp_path / "mine").iterdir()) == []


def test_a_folder_that_cant_be_made_is_said(config: Path, target: Path) -> None:
    shutil.rmtree(target.parent)
    target.parent.write_text("a file")
    done = install(config)
    assert done.returncode == 1
    assert "can't be written" in done.stderr
    assert target.parent.read_text() == "a file"


def test_a_clone_without_the_built_cards_says_so(config: Path, target: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    (clone / "scripts").mkdir(parents=True)
    (clone / "homeassistant_component/custom_components/pimqtt").mkdir(parents=True)
    script = shutil.copy(ROOT / "scripts/install-component", clone / "scripts")
    done = install(config, script=Path(script))
    assert done.returncode == 1
    assert "scripts/frontend build" in done.stderr
    assert not target.exists()
