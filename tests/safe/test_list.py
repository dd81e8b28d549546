"""`pimqtt safe` from the list that a keeper left, on its own and as the supervisor's child."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pimqtt_agent import safe, safe_list
from pimqtt_agent.hardware import chardev
from tests.safe.chip import ROOT, Keep, level, run, sequence


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("node: car1\n", "car1"),
        ("# a car\nnode: car1   # the red one\nmqtt: {}\n", "car1"),
        ('node: "car-1_b"\n', "car-1_b"),
        ("node: 'car1'", "car1"),
        ("node: {id: car1}\n", "car1"),
        ('node: {name: "The red car, fast", id: "car1", area: Garage}\n', "car1"),
        ("node:\n  id: car1\n  name: The red car\nmqtt: {}\n", "car1"),
        ("node:  # here\n\n  # comment\n  name: The id: x\n  id: 'car1'\nmqtt:\n  id: other\n", "car1"),
        ("devices:\n  - {id: pump}\nnode: car1\n", "car1"),
        ("node: ${NODE}\n", None),
        ("node: !secret node\n", None),
        ("node: !include node.yaml\n", None),
        ("node: Car 1\n", None),
        ("node: car1 x\n", None),
        ("node: car1\nnode: car2\n", None),
        ("node:\n  name: x\nmqtt:\n  id: other\n", None),
        ("  node: car1\n", None),
        ("devices: []\n", None),
    ],
)
def test_the_node_is_read_without_yaml_or_not_at_all(text: str, node: str | None) -> None:
    assert safe.node_of(text) == node


@pytest.mark.parametrize(
    ("rule", "fell"), [("latch", []), ("pull", [(17, 0), (27, 1)])], ids=["a Pi's kernel", "mainline"]
)
def test_after_a_kill(
    runtime: Path, keep: Keep, capsys: pytest.CaptureFixture[str], rule: str, fell: list[tuple[int, int]]
) -> None:
    keeper = keep(rule)
    keeper.kill()
    keeper.wait()
    assert run(runtime) == 0
    assert (level(runtime, 17), level(runtime, 27)) == (0, 1)
    assert sequence(runtime) == [(17, 1), (27, 0), *fell, (17, 0), (27, 1)]
    assert capsys.readouterr().out == "pump: line 17 low\npump: line 27 high\n"
    assert run(runtime, "--quiet") == 0
    assert capsys.readouterr() == ("", "")


def test_it_needs_the_standard_library_only(runtime: Path, keep: Keep) -> None:
    keeper = keep()
    keeper.kill()
    keeper.wait()
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]); from pimqtt_agent import safe; sys.exit(safe.main(sys.argv[2:]))"
    )
    command = [sys.executable, "-I", "-S", "-c", script, str(ROOT), "-c", str(runtime.parent / "config.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "pump: line 17 low\npump: line 27 high\n"
    assert level(runtime, 17) == 0


def test_what_runs_is_left_alone_and_named(
    runtime: Path, keep: Keep, capsys: pytest.CaptureFixture[str]
) -> None:
    keeper = keep(owner=os.getpid())
    begun = time.monotonic()
    assert run(runtime) == 1
    assert time.monotonic() - begun < 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err == (
        f"pump: line 17 is held by process {keeper.pid}\n"
        f"pump: line 27 is held by process {keeper.pid}\n"
        f"car1 is running as pid {os.getpid()}: use pimqtt stop car1\n"
    )
    assert sequence(runtime) == [(17, 1), (27, 0)]


def test_a_keeper_that_is_about_to_end_is_waited_for(runtime: Path, keep: Keep) -> None:
    keep(life_s=0.4)
    assert run(runtime) == 0
    # It may end while the second line is tried.
    assert sorted(sequence(runtime)[2:]) == [(17, 0), (27, 1)]


def test_a_keeper_that_does_not_end_is_told(
    runtime: Path, keep: Keep, capsys: pytest.CaptureFixture[str]
) -> None:
    keeper = keep()
    keeper.send_signal(signal.SIGSTOP)
    assert run(runtime) == 1
    assert f"pump: line 17 is held by process {keeper.pid}" in capsys.readouterr().err


def test_after_a_stop_in_order_systemd_leaves_on_stop_as_it_is_but_a_person_does_not(
    runtime: Path, keep: Keep, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    keeper = keep()
    keeper.kill()
    keeper.wait()
    safe_list.mark_stopped(runtime)
    monkeypatch.setenv("SERVICE_RESULT", "success")
    assert run(runtime) == 0
    assert "as on_stop says" in capsys.readouterr().out
    assert level(runtime, 17) == 1
    monkeypatch.setenv("SERVICE_RESULT", "watchdog")
    assert run(runtime) == 0
    assert level(runtime, 17) == 0


def test_a_crash_is_no_stop_in_order(runtime: Path, keep: Keep, monkeypatch: pytest.MonkeyPatch) -> None:
    keeper = keep()
    keeper.kill()
    keeper.wait()
    monkeypatch.setenv("SERVICE_RESULT", "success")
    assert run(runtime) == 0
    assert level(runtime, 17) == 0


def test_real_lines_are_driven_through_the_character_device(
    runtime: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls: list[tuple[str, int, int]] = []
    monkeypatch.setattr(chardev, "drive", lambda *args: calls.append(args))
    rows: list[dict[str, object]] = [
        {"backend": "pi", "chip": "/dev/gpiochip0", "line": 17, "name": 17, "device": "pump", "level": 1},
        {"backend": "kernel", "chip": "/dev/gpiochip2", "line": 3, "name": "exp:3", "device": "lamp", "level": 0.8},
        {"backend": "kernel", "chip": "/dev/gpiochip2", "line": 4, "name": "exp:4", "device": "arm", "level": 0.075},
    ]
    safe_list.write(runtime, "car1", rows, 0)
    assert run(runtime) == 0
    assert calls == [("/dev/gpiochip0", 17, 1), ("/dev/gpiochip2", 3, 1), ("/dev/gpiochip2", 4, 0)]
    assert capsys.readouterr().out.splitlines()[1] == "lamp: line exp:3 at 80%"


def test_the_supervisor_drives_once_what_its_keeper_has_listed_and_is_told_what_is_held(
    runtime: Path, keep: Keep, capsys: pytest.CaptureFixture[str]
) -> None:
    keeper = keep(owner=os.getpid())
    began_s = time.monotonic()
    assert safe.from_supervisor(runtime) == 1
    assert time.monotonic() - began_s < 0.5
    held = f"is held by process {keeper.pid}"
    assert capsys.readouterr() == ("", f"pump: line 17 {held}\npump: line 27 {held}\n")
    keeper.kill()
    keeper.wait()
    assert safe.from_supervisor(runtime) == 0
    assert sequence(runtime)[2:] == [(17, 0), (27, 1)]
    assert capsys.readouterr() == ("", "")


def test_without_a_list_the_supervisor_has_nothing_to_drive(runtime: Path) -> None:
    assert safe.from_supervisor(runtime) == 0


@pytest.mark.parametrize("argv", [[], ["-c"], ["-c", "a", "b"], ["--what"]])
def test_usage(capsys: pytest.CaptureFixture[str], argv: list[str]) -> None:
    assert safe.main(argv) == 2
    assert capsys.readouterr().err == f"{safe.USAGE}\n"
    assert safe.main(["--help"]) == 0
    assert capsys.readouterr().out == f"{safe.USAGE}\n"
