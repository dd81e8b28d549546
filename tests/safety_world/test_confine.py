"""A share of a core, seen from processes that would use more."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.errors import BenchmarkError
from benchmarks.processes import tree, used
from benchmarks.safety.world import confine
from benchmarks.safety.world.confine import Confined
from tests.rig import wait_for

pytestmark = pytest.mark.broker
#: Three processes that would have a core each: one, its child and its grandchild.
BUSY = [sys.executable, "-c", "import os\nos.fork() or os.fork()\nwhile True: pass"]


@pytest.fixture
def group() -> Iterator[Confined]:
    with Confined(0.1) as made:
        yield made


def run_for(pids: list[int], seconds: float) -> float:
    """Return how many cores these have."""
    before, since = used(pids), time.monotonic()
    time.sleep(seconds)
    return (used(pids).cpu_s - before.cpu_s) / (time.monotonic() - since)


@pytest.fixture
def busy() -> Iterator[list[int]]:
    """Start what is busy; give its processes."""
    with subprocess.Popen(BUSY) as process:
        wait_for(lambda: len(tree(process.pid)) == 3, what="three processes")
        yield from _until_killed(process)


@pytest.fixture
def busy_inside(group: Confined) -> Iterator[list[int]]:
    """Start what is busy inside the group."""
    with subprocess.Popen([*group.before, *BUSY]) as process:
        wait_for(lambda: len(tree(process.pid)) == 3, what="three processes")
        yield from _until_killed(process)


def _until_killed(process: subprocess.Popen[bytes]) -> Iterator[list[int]]:
    pids = tree(process.pid)
    yield pids
    for pid in pids:
        subprocess.run(["kill", "-9", str(pid)], check=True)


def test_what_starts_inside_stays_and_has_a_tenth_of_a_core(group: Confined, busy_inside: list[int]) -> None:
    assert sorted(group.pids()) == sorted(busy_inside)
    assert 0.07 < run_for(busy_inside, 2) < 0.13
    assert group.throttled() > 10


def test_what_runs_is_taken_in_with_its_descendants_and_goes_free_at_the_end(busy: list[int]) -> None:
    wait_for(lambda: run_for(busy, 0.5) > 0.2, 10, "they have more than a tenth")
    with Confined(0.1) as group:
        group.take(busy[:1])
        assert sorted(group.pids()) == sorted(busy)
        assert run_for(busy, 2) < 0.13
    assert not group.folder.exists()
    wait_for(lambda: run_for(busy, 0.5) > 0.2, 10, "they have more than a tenth again")


def test_who_has_ended_is_left_out(group: Confined) -> None:
    with subprocess.Popen(["true"]) as ended:
        wait_for(lambda: Path(f"/proc/{ended.pid}/stat").read_text().split()[2] == "Z", what="it ended")
        group.take([ended.pid])
    group.take([ended.pid])
    assert group.pids() == []


@pytest.mark.parametrize("end", [RuntimeError, KeyboardInterrupt])
def test_nothing_is_left_of_it_whatever_happens(end: type[BaseException]) -> None:
    with contextlib.suppress(end), Confined() as group, Confined() as other:
        assert group.folder != other.folder
        raise end
    assert not group.folder.exists()
    assert not other.folder.exists()


def test_who_may_not_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(confine, "_hierarchy", lambda: (tmp_path / "missing", False))
    with pytest.raises(BenchmarkError, match="needs root"):
        Confined().__enter__()
