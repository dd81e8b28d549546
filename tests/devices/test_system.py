"""`system`: read from the file tree of a real Pi 4, and from boards that lack most of it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from math import inf
from pathlib import Path

import pytest

from pimqtt_agent import devices
from pimqtt_agent.devices.system import IDENTIFY_S, System, SystemDevice, reboot_board
from pimqtt_agent.entities import Button
from pimqtt_agent.errors import CommandError
from pimqtt_agent.readings import readings
from pimqtt_agent.settings import SystemOptions

PI4 = {
    "proc/loadavg": "0.42 0.21 0.10 1/174 1203\n",
    "proc/meminfo": "MemTotal:        3885396 kB\nMemFree:         2900100 kB\nMemAvailable:    2914047 kB\n",
    "proc/stat": "cpu  4705 0 2409 1231 0\nintr 1\nctxt 1990473\nbtime 1700000000\nprocesses 2915\n",
    "proc/net/wireless": (
        "Inter-| sta-|   Quality        |   Discarded packets               | Missed | WE\n"
        " face | tus | link level noise |  nwid  crypt   frag  retry   misc | beacon | 22\n"
        " wlan0: 0000   54.  -56.  -256        0      0      0      0      0        0\n"
    ),
    "sys/class/net/wlan0/phy80211/name": "phy0\n",
    "sys/class/thermal/thermal_zone0/type": "cpu-thermal\n",
    "sys/class/thermal/thermal_zone0/temp": "48312\n",
    "sys/devices/platform/soc/soc:firmware/get_throttled": "50000\n",
    "sys/class/leds/ACT/trigger": "none rc-feedback timer heartbeat [mmc0] actpwr default-on\n",
}
ALL = SystemOptions(allow=frozenset({"restart", "reboot", "identify"}))


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def system_of(root: Path, clock: Callable[[], float] = lambda: 1.0) -> System:
    device = SystemDevice.of(ALL, root)
    return System(device, restart=lambda: None, reboot=lambda: None, root=root, clock=clock)


@pytest.fixture
def pi4(tmp_path: Path) -> Path:
    return tree(tmp_path, PI4)


def test_a_pi_is_read(pi4: Path) -> None:
    values = readings(pi4)
    assert 0 <= values.pop("disk") <= 100
    assert values == {
        "temperature": 48.3,
        "load": 0.42,
        "memory": 25.0,
        "booted": 1700000000,
        "throttled": False,
        "under_voltage": False,
        "wifi": -56,
    }


@pytest.mark.parametrize(
    ("bits", "throttled", "under_voltage"),
    [("0", False, False), ("1", False, True), ("0x50005", True, True), ("50008", True, False), ("2", True, False)],
)
def test_the_firmwares_bits(pi4: Path, bits: str, *, throttled: bool, under_voltage: bool) -> None:
    tree(pi4, {"sys/devices/platform/soc/soc:firmware/get_throttled": bits})
    values = readings(pi4)
    assert (values["throttled"], values["under_voltage"]) == (throttled, under_voltage)


def test_a_pi_5_names_its_firmware_otherwise(tmp_path: Path) -> None:
    path = "sys/devices/platform/soc@107c000000/soc@107c000000:firmware/get_throttled"
    assert readings(tree(tmp_path, {path: "1"}))["under_voltage"] is True


@pytest.mark.parametrize("alarm", [True, False])
def test_the_mainline_kernels_alarm(tmp_path: Path, *, alarm: bool) -> None:
    chip = "sys/class/hwmon/hwmon1"
    values = readings(tree(tmp_path, {f"{chip}/name": "rpi_volt\n", f"{chip}/in0_lcrit_alarm": f"{int(alarm)}\n"}))
    assert values["under_voltage"] is alarm
    assert "throttled" not in values


def test_a_board_without_all_that(tmp_path: Path) -> None:
    values = readings(tmp_path)
    assert set(values) == {"load", "memory", "disk", "booted"}
    assert values["load"] is values["memory"] is values["booted"] is None


def test_wifi_without_a_connection_is_unknown(pi4: Path) -> None:
    wireless = "Inter-| sta-|\n face | tus |\n wlan0: 0000    0     0     0        0      0\n"
    assert readings(tree(pi4, {"proc/net/wireless": wireless}))["wifi"] is None


def test_entities_are_what_the_board_has(pi4: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    keys = [entity.key for entity in SystemDevice.of(ALL, pi4).entities()]
    assert keys == [
        *("temperature", "load", "memory", "disk", "booted", "started", "throttled", "under_voltage", "wifi"),
        *("version", "address", "restart", "reboot", "identify"),
    ]
    bare = SystemDevice.of(SystemOptions(), tmp_path_factory.mktemp("bare"))
    assert [entity.key for entity in bare.entities()] == [
        *("load", "memory", "disk", "booted", "started", "version", "address", "restart")
    ]


def test_every_entity_has_a_category_and_every_reading_an_entity(pi4: Path) -> None:
    device = SystemDevice.of(ALL, pi4)
    assert all(entity.entity_category in ("diagnostic", "config") for entity in device.entities())
    sensors = {entity.key for entity in device.entities() if not isinstance(entity, Button)}
    assert set(system_of(pi4).read()) == sensors
    assert all(entity.encode(None) == "None" for entity in device.entities())


def test_it_can_not_be_configured_as_a_device() -> None:
    assert "system" not in devices.KINDS
    assert (SystemDevice().id, SystemDevice.keeper, SystemDevice.kind_name) == ("system", "agent", "system")


def test_times_stay_when_the_clock_is_trimmed_and_follow_when_it_is_set(pi4: Path) -> None:
    system = system_of(pi4, clock=lambda: 90.7)
    first = system.read()
    assert first["booted"] == "2023-11-14T22:13:20+00:00"
    assert first["started"] == "2023-11-14T22:14:50+00:00"
    tree(pi4, {"proc/stat": "btime 1700000002\n"})
    assert system.read()["booted"] == first["booted"]
    tree(pi4, {"proc/stat": "btime 1700003600\n"})
    assert system.read()["booted"] == "2023-11-14T23:13:20+00:00"
    assert system.read()["started"] == "2023-11-14T23:14:50+00:00"


def test_what_vanishes_is_unknown(pi4: Path) -> None:
    system = system_of(pi4)
    (pi4 / "sys/devices/platform/soc/soc:firmware/get_throttled").unlink()
    (pi4 / "sys/class/thermal/thermal_zone0/temp").unlink()
    values = system.read()
    assert values["throttled"] is None
    assert values["temperature"] is None


def test_buttons_call_back_only_where_allowed(pi4: Path) -> None:
    called: list[str] = []
    device = SystemDevice.of(SystemOptions(allow=frozenset({"restart"})), pi4)
    system = System(device, restart=lambda: called.append("restart"), reboot=lambda: called.append("reboot"), root=pi4)
    system.press("restart")
    for key, code in (("reboot", "forbidden"), ("identify", "forbidden"), ("temperature", "unknown")):
        with pytest.raises(CommandError) as caught:
            system.press(key)
        assert caught.value.code == code
    assert called == ["restart"]


def test_identify_blinks_and_gives_the_led_back(pi4: Path) -> None:
    now = 100.0
    trigger = pi4 / "sys/class/leds/ACT/trigger"
    system = system_of(pi4, clock=lambda: now)
    system.press("identify")
    assert trigger.read_text() == "timer"
    assert system.deadline_s == 100 + IDENTIFY_S
    trigger.write_text("none [timer] heartbeat mmc0\n")  # what the kernel would show now
    now = 102.0
    system.press("identify")
    system.tick(105.0)
    assert system.deadline_s == 102 + IDENTIFY_S
    system.tick(107.0)
    assert (trigger.read_text(), system.deadline_s) == ("mmc0", inf)


def test_closing_leaves_no_led_blinking(pi4: Path) -> None:
    system = system_of(pi4)
    system.press("identify")
    system.close()
    assert (pi4 / "sys/class/leds/ACT/trigger").read_text() == "mmc0"


def test_identify_where_there_is_no_led(tmp_path: Path) -> None:
    system = system_of(tmp_path)
    with pytest.raises(CommandError, match="no LED"):
        system.press("identify")


@pytest.mark.parametrize(
    ("script", "code", "reason"),
    [
        ("sys.exit('Call to Reboot failed: Interactive authentication required.')", "forbidden", "authentication"),
        ("sys.exit('System has not been booted with systemd')", "unavailable", "not been booted"),
        ("sys.exit(3)", "unavailable", "exit status 3"),
    ],
)
def test_a_refused_reboot_is_told(script: str, code: str, reason: str) -> None:
    with pytest.raises(CommandError, match=reason) as caught:
        reboot_board((sys.executable, "-c", f"import sys; {script}"))
    assert caught.value.code == code


def test_a_reboot_without_systemd_is_told(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no nothing-like-it"):
        reboot_board(("nothing-like-it",))
    (tmp_path / "systemctl").touch(0o644)
    with pytest.raises(CommandError, match="can't be run: Permission denied"):
        reboot_board((str(tmp_path / "systemctl"),))
    reboot_board((sys.executable, "-c", ""))


def test_this_machine_is_read() -> None:
    assert system_of(Path("/")).read()["memory"] > 0
