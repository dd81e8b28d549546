from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from pimqtt_agent import paths
from pimqtt_agent.errors import PimqttError

_ALL = ("RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR", "STATE_DIRECTORY", "XDG_STATE_HOME")


@pytest.fixture(autouse=True)
def _no_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in _ALL:
        monkeypatch.delenv(name, raising=False)


def test_runtime_of_a_unit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "session"))
    monkeypatch.setenv("RUNTIME_DIRECTORY", f"{tmp_path}/one:{tmp_path}/two")
    assert paths.runtime_dir("car1") == tmp_path / "one/car1"
    assert (tmp_path / "one/car1").is_dir()


def test_runtime_of_a_session(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    folder = paths.runtime_dir("car1")
    assert folder == tmp_path / "pimqtt/car1"
    assert [path.stat().st_mode & 0o777 for path in (folder, folder.parent)] == [0o700, 0o700]
    assert paths.runtime_dir("car1") == folder


def test_runtime_of_a_user_without_a_session(monkeypatch: pytest.MonkeyPatch) -> None:
    private = Path(f"{tempfile.gettempdir()}/pimqtt-{2_000_000_000 + os.getpid()}")
    monkeypatch.setattr(os, "geteuid", lambda: int(private.name.removeprefix("pimqtt-")))
    with pytest.raises(PimqttError, match="not a private folder"):  # it belongs to who runs this test
        paths.runtime_dir("car1")
    private.rmdir()


def test_a_folder_in_tmp_must_be_ours_and_private(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    user = os.geteuid() or 4321
    if not os.geteuid():
        monkeypatch.setattr(os, "geteuid", lambda: user)
    private = Path(f"/tmp/pimqtt-{user}")
    there = private.exists()
    if not there:
        private.mkdir(mode=0o700)
        os.chown(private, user, -1)
    try:
        assert paths.runtime_dir("pathtest") == private / "pathtest"
        (private / "pathtest").rmdir()
        private.chmod(0o755)
        with pytest.raises(PimqttError, match="not a private folder"):
            paths.runtime_dir("pathtest")
        private.chmod(0o700)
    finally:
        if not there:
            private.rmdir()
    if there:
        return
    private.symlink_to(tmp_path)
    try:
        with pytest.raises(PimqttError, match="not a private folder"):
            paths.runtime_dir("pathtest")
    finally:
        private.unlink()


def test_a_folder_that_can_not_be_made_is_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path / "file"))
    with pytest.raises(PimqttError, match="can't be made"):
        paths.runtime_dir("car1")


def test_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert paths.state_dir(None, "car1") == tmp_path / "home/.local/state/pimqtt/car1"
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    assert paths.state_dir(None, "car1") == tmp_path / "xdg/pimqtt/car1"
    monkeypatch.setenv("STATE_DIRECTORY", f"{tmp_path}/unit:{tmp_path}/second")
    assert paths.state_dir(None, "car1") == tmp_path / "unit/car1"
    assert paths.state_dir(f"{tmp_path}/given", "car1") == tmp_path / "given/car1"
    assert paths.state_dir("~/mine", "car1") == tmp_path / "home/mine/car1"
    assert (tmp_path / "home/mine/car1").is_dir()
