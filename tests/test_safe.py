from __future__ import annotations

import json
import os
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import pytest

from pimqtt_agent import safe, safe_list
from pimqtt_agent.devices.switch import Switch
from pimqtt_agent.errors import ConfigError
from pimqtt_agent.hardware import chardev
from pimqtt_agent.hardware.levels import started
from pimqtt_agent.hardware.recorded import safe_levels, safe_rows
from pimqtt_agent.hardware.simulated import open_board
from pimqtt_agent.settings import Settings, SimulatedOptions

ROOT = Path(__file__).parent.parent
#: plays the keeper: takes both lines high and leaves the list; `argv`: runtime folder, rule, seconds to live, owner
KEEPER = """
import sys, time
from pathlib import Path
from pimqtt_agent import safe_list
from pimqtt_agent.hardware.levels import Levels, Release
from pimqtt_agent.hardware.simulated import SimulatedBoard
folder, rule, life, owner = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]), int(sys.argv[4])
board = SimulatedBoard(Levels(folder / "levels", Release(rule, [27]), folder.parent / "trace"))
lines = board.output(17, 1), board.output(27, 0)
rows = [{**row, "device": "pump", "level": row["pull"]} for row in board.release_list()]
safe_list.write(folder, "car1", rows, owner)
print("held", flush=True)
time.sleep(life)
"""


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.delenv("SERVICE_RESULT", raising=False)
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))
    (tmp_path / "config.yaml").write_text("node: car1\nhardware: {backend: simulated}\n")
    (tmp_path / "car1").mkdir()
    return tmp_path / "car1"


@pytest.fixture
def keep(runtime: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    with ExitStack() as stack:

        def start(rule: Literal["latch", "pull"] = "latch", life_s: float = 30, owner: int = 0) -> Any:
            command = [sys.executable, "-c", KEEPER, str(runtime), rule, str(life_s), str(owner)]
            keeper = stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT))
            stack.callback(keeper.kill)
            assert keeper.stdout
            assert keeper.stdout.readline() == "held\n"
            return keeper

        yield start


def level(runtime: Path, line: int) -> float:
    return float(struct.unpack_from("d", (runtime / "levels").read_bytes(), 8 * line)[0])


def sequence(runtime: Path) -> list[tuple[int, float]]:
    rows = [json.loads(line) for line in (runtime.parent / "trace").read_text().splitlines()]
    return [(row["pin"], row["value"]) for row in rows]


def run(runtime: Path, *options: str) -> int:
    return safe.main(["-c", str(runtime.parent / "config.yaml"), *options])


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
    runtime: Path, keep: Callable[..., Any], capsys: pytest.CaptureFixture[str], rule: str, fell: list[tuple[int, int]]
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


def test_it_needs_the_standard_library_only(runtime: Path, keep: Callable[..., Any]) -> None:
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
    runtime: Path, keep: Callable[..., Any], capsys: pytest.CaptureFixture[str]
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


def test_a_keeper_that_is_about_to_end_is_waited_for(runtime: Path, keep: Callable[..., Any]) -> None:
    keep(life_s=0.4)
    assert run(runtime) == 0
    # It may end while the second line is tried.
    assert sorted(sequence(runtime)[2:]) == [(17, 0), (27, 1)]


def test_a_keeper_that_does_not_end_is_told(
    runtime: Path, keep: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    keeper = keep()
    keeper.send_signal(signal.SIGSTOP)
    assert run(runtime) == 1
    assert f"pump: line 17 is held by process {keeper.pid}" in capsys.readouterr().err


def test_after_a_stop_in_order_systemd_leaves_on_stop_as_it_is_but_a_person_does_not(
    runtime: Path, keep: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
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


def test_a_crash_is_no_stop_in_order(runtime: Path, keep: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
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


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch) -> Callable[[Settings | Exception], None]:
    """Play the loader of configurations."""

    def give(result: Settings | Exception) -> None:
        def load(_path: Path) -> Settings:
            if isinstance(result, Exception):
                raise result
            return result

        module = ModuleType("pimqtt_agent.config")
        module.__dict__["load"] = load
        monkeypatch.setitem(sys.modules, "pimqtt_agent.config", module)

    return give


def settings(runtime: Path) -> Settings:
    hardware = SimulatedOptions(backend="simulated", trace="trace")
    devices = (
        Switch(id="pump", kind="switch", pin=17),
        Switch(id="relay", kind="switch", pin=27, active_low=True),
        Switch(id="lamp", kind="switch", pin=22, safe=True),
    )
    file = runtime.parent / "config.yaml"
    return Settings.model_validate({"node": "car1", "hardware": hardware, "devices": devices, "file": file})


@pytest.mark.parametrize("broken", [None, "", "{", "[]", '{"node": "car1"}', '{"rows": [{"line": 1}]}', '{"node": 1}'])
def test_without_a_list_the_configuration_is_read(
    runtime: Path,
    configured: Callable[[Settings | Exception], None],
    capsys: pytest.CaptureFixture[str],
    broken: str | None,
) -> None:
    configured(settings(runtime))
    if broken is not None:
        (runtime / "safe.json").write_text(broken)
    assert run(runtime) == 0
    assert sequence(runtime) == [(17, 0), (27, 1), (22, 1)]
    assert capsys.readouterr().out == "pump: line 17 low\nrelay: line 27 high\nlamp: line 22 high\n"


def test_a_list_is_found_also_where_the_node_is_not_plain_to_see(
    runtime: Path, configured: Callable[[Settings | Exception], None], keep: Callable[..., Any]
) -> None:
    keeper = keep()
    keeper.kill()
    keeper.wait()
    (runtime.parent / "config.yaml").write_text("node: ${NODE}\n")
    configured(settings(runtime))
    assert run(runtime) == 0
    assert sequence(runtime)[2:] == [(17, 0), (27, 1)]


def test_without_a_list_a_line_that_is_held_is_told(
    runtime: Path,
    configured: Callable[[Settings | Exception], None],
    keep: Callable[..., Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    configured(settings(runtime))
    keeper = keep()
    (runtime / "safe.json").unlink()
    assert run(runtime) == 1
    out, err = capsys.readouterr()
    assert out == "lamp: line 22 high\n"
    assert err.splitlines()[0] == f"pump: line 17 is held by process {keeper.pid}"


def test_a_configuration_that_can_not_be_used(
    runtime: Path, configured: Callable[[Settings | Exception], None], capsys: pytest.CaptureFixture[str]
) -> None:
    configured(ConfigError(["config.yaml:1: node: is missing"]))
    assert run(runtime) == 2
    assert capsys.readouterr().err == "config.yaml:1: node: is missing\n"
    assert safe.main(["-c", str(runtime / "missing.yaml")]) == 2
    assert "No such file" in capsys.readouterr().err
    (runtime.parent / "config.yaml").write_bytes(b"\xff\xfe")
    assert run(runtime) == 2


@pytest.mark.parametrize("argv", [[], ["-c"], ["-c", "a", "b"], ["--what"]])
def test_usage(capsys: pytest.CaptureFixture[str], argv: list[str]) -> None:
    assert safe.main(argv) == 2
    assert capsys.readouterr().err == f"{safe.USAGE}\n"
    assert safe.main(["--help"]) == 0
    assert capsys.readouterr().out == f"{safe.USAGE}\n"


def test_the_keepers_rows_have_each_safe_level(tmp_path: Path) -> None:
    devices = settings(tmp_path).devices
    assert [safe_levels(device) for device in devices] == [{17: 0}, {27: 1}, {22: 1}]
    board = open_board(SimulatedOptions(backend="simulated", on_release="pull", pulls={27: "up"}), tmp_path, tmp_path)
    for line in (27, 17):
        board.output(line, 0)
    common = {"backend": "simulated", "chip": str(tmp_path / "levels"), "trace": None, "on_release": "pull"}
    assert safe_rows(board, devices) == [
        {**common, "name": 27, "line": 27, "pull": 1, "device": "relay", "level": 1},
        {**common, "name": 17, "line": 17, "pull": 0, "device": "pump", "level": 0},
    ]
    safe_list.write(tmp_path, "car1", safe_rows(board, devices), os.getpid())
    content = safe_list.read(tmp_path)
    assert content
    assert safe_list.owner_alive(content) == os.getpid()
    assert safe_list.owner_alive({**content, "started": started(os.getpid()) - 1}) == 0
    assert [path.name for path in tmp_path.glob("safe*")] == ["safe.json"]
    board.close()
