"""`pimqtt safe` from the configuration, where there is no list; and what a keeper lists."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from pimqtt_agent import safe, safe_list
from pimqtt_agent.devices.motor import Motor
from pimqtt_agent.devices.switch import Switch
from pimqtt_agent.errors import ConfigError
from pimqtt_agent.hardware.levels import started
from pimqtt_agent.hardware.recorded import safe_levels, safe_rows
from pimqtt_agent.hardware.simulated import open_board
from pimqtt_agent.settings import Settings, SimulatedOptions
from tests.safe.chip import Keep, run, sequence


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
    runtime: Path, configured: Callable[[Settings | Exception], None], keep: Keep
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
    keep: Keep,
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


def test_a_braked_motor_coasts_both_lines_low() -> None:
    fan = Motor.model_validate({"id": "fan", "kind": "motor", "forward": 23, "backward": 24, "stop": "brake"})
    assert safe_levels(fan) == {23: 0, 24: 0}
