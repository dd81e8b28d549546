"""A disk that is full or read-only, seen from who writes there."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.errors import BenchmarkError
from benchmarks.safety.world.disk import Disk

pytestmark = pytest.mark.broker


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "node" / "state"


@pytest.fixture
def disk(folder: Path) -> Iterator[Disk]:
    with Disk(folder) as made:
        yield made


def test_a_full_one_takes_names_and_no_content(disk: Disk, folder: Path) -> None:
    (folder / "latch").write_text("on")
    disk.fill()
    with pytest.raises(OSError, match="No space left") as full:
        (folder / "latch.new").write_text("off")
    assert full.value.errno == errno.ENOSPC
    assert (folder / "latch").read_text() == "on"
    disk.empty()
    (folder / "latch.new").write_text("off")


def test_a_read_only_one_takes_nothing_but_what_is_open(disk: Disk, folder: Path) -> None:
    with (folder / "open").open("w") as file:
        disk.read_only()
        with pytest.raises(OSError, match="Read-only") as refused:
            (folder / "latch").write_text("on")
        assert refused.value.errno == errno.EROFS
        file.write("goes on")
    assert (folder / "open").read_text() == "goes on"
    disk.writable()
    (folder / "latch").write_text("on")


@pytest.mark.parametrize("end", [RuntimeError, KeyboardInterrupt])
def test_nothing_is_left_of_it_even_while_in_use(folder: Path, end: type[BaseException]) -> None:
    with contextlib.suppress(end), Disk(folder) as disk:
        disk.fill()
        disk.read_only()
        disk.read_only()
        used = (folder / "filler").open("rb")
        raise end
    used.close()
    assert str(folder) not in Path("/proc/mounts").read_text()
    assert list(folder.iterdir()) == []


def test_it_hides_nobodys_files(tmp_path: Path) -> None:
    (tmp_path / "precious").touch()
    with pytest.raises(BenchmarkError, match="not empty"):
        Disk(tmp_path).__enter__()
    assert (tmp_path / "precious").exists()


def test_who_is_not_root_is_told(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(BenchmarkError, match="needs root"):
        Disk(folder).__enter__()
