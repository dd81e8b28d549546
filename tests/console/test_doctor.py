"""`doctor`: a good broker and bad ones, rights, and this machine's settings."""

from __future__ import annotations

import json
import socket
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pimqtt_agent.console import doctor_gpio, doctor_host
from pimqtt_agent.hardware import chardev
from pimqtt_agent.settings import KernelOptions, PiOptions
from tests.console.conftest import Cli
from tests.rig import Mosquitto, Node, free_port

PASSWORDS = "user root\nallow_anonymous false\npassword_file {folder}/passwords\nacl_file {folder}/acl\n"
ACL = "pattern readwrite pimqtt/%u/#\npattern readwrite homeassistant/device/%u/#\n"
SHARED = "pattern readwrite pimqtt/stop/set\npattern write pimqtt/reply/#\npattern read homeassistant/status\n"


def lines(text: str, status: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith(status)]


def closed_broker(folder: Path, acl: str) -> Mosquitto:
    """Make a broker with the login car1 and an ACL."""
    subprocess.run(["mosquitto_passwd", "-c", "-b", folder / "passwords", "car1", "secret"], check=True)
    (folder / "acl").write_text(acl)
    broker = Mosquitto(folder)
    broker.config.write_text(f"listener {broker.port} 127.0.0.1\n" + PASSWORDS.format(folder=folder))
    return broker


def configuration(folder: Path, port: int, extra: str = "", devices: str = "[]") -> str:
    path = folder / "doctor.yaml"
    mqtt = f"{{host: 127.0.0.1, port: {port}{extra}}}"
    path.write_text(f"node: car1\nmqtt: {mqtt}\nhardware: {{backend: simulated}}\ndevices: {devices}\n")
    return str(path)


@pytest.mark.broker
def test_a_good_broker_and_a_running_node_fail_nowhere(cli: Cli, car1: Node) -> None:
    done = cli("doctor", "-c", str(car1.config))
    assert done.returncode == 0, done.stdout
    assert lines(done.stdout, "fail") == []
    assert {line.split()[1] for line in lines(done.stdout, "ok")} >= {
        "config", "broker", "login", "protocol", "acl", "node", "gpio", "camera",
    }  # fmt: skip
    assert "MQTT 5" in done.stdout
    assert "car1 is online" in done.stdout
    found = [json.loads(line) for line in cli("doctor", "-c", str(car1.config), "--json").stdout.splitlines()]
    assert {frozenset(check) for check in found} == {frozenset({"status", "what", "text", "mend"})}


@pytest.mark.broker
def test_doctor_leaves_a_running_node_alone(cli: Cli, car1: Node) -> None:
    before, log = car1.rows(), car1.log.read_text()
    cli("doctor", "-c", str(car1.config))
    assert car1.rows() == before
    assert car1.log.read_text() == log


def test_no_broker_fails_with_the_mend(cli: Cli, tmp_path: Path) -> None:
    port = free_port()
    done = cli("doctor", "-c", configuration(tmp_path, port))
    assert done.returncode == 1
    (line,) = lines(done.stdout, "fail")
    assert f"127.0.0.1:{port} can't be reached: nobody listens there; mend: start it" in line


def test_something_else_at_the_port_fails(cli: Cli, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        config = configuration(tmp_path, server.getsockname()[1], ", protocol: '3.1.1'")
        done = cli("doctor", "-c", config)
    assert done.returncode == 1
    assert "does not answer as an MQTT broker" in lines(done.stdout, "fail")[0]


@pytest.mark.broker
def test_a_wrong_login_fails(cli: Cli, tmp_path: Path) -> None:
    with closed_broker(tmp_path, ACL + SHARED) as broker:
        config = configuration(tmp_path, broker.port, ", user: car1, password: wrong")
        done = cli("doctor", "-c", config)
        assert done.returncode == 1
        assert "refuses the login of 'car1'; mend: give the right password" in lines(done.stdout, "fail")[0]
        bare = cli("doctor", "-c", configuration(tmp_path, broker.port))
        assert "refuses a connection without a login; mend: give a login" in lines(bare.stdout, "fail")[0]
        right = cli("doctor", "-c", config, "--user", "car1", PIMQTT_PASSWORD="secret")
        assert (right.returncode, lines(right.stdout, "fail")) == (0, [])
        assert any("car1 was never online" in line for line in lines(right.stdout, "warn"))


@pytest.mark.broker
@pytest.mark.parametrize("protocol", ["'5'", "'3.1.1'"])
def test_missing_rights_are_named(cli: Cli, tmp_path: Path, protocol: str) -> None:
    acl = "pattern write pimqtt/%u/#\npattern read homeassistant/device/%u/#\n" + SHARED
    with closed_broker(tmp_path, acl) as broker:
        extra = f", user: car1, password: secret, protocol: {protocol}"
        done = cli("doctor", "-c", configuration(tmp_path, broker.port, extra))
    assert done.returncode == 1
    failed = "\n".join(lines(done.stdout, "fail"))
    assert "pimqtt/car1/marker can't be" in failed
    assert "homeassistant/device/car1/doctor-" in failed
    assert "Home Assistant does not find the devices" in failed
    if protocol == "'5'":
        assert "config can't be written" in failed
        assert "pimqtt/car1/marker can't be read" in failed
    assert "pimqtt/stop/set" not in done.stdout


def test_a_broken_configuration_fails_and_the_rest_is_looked_at(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("node: car1\nhardware: {backend: magic}\n")
    done = cli("doctor", "--broker", f"127.0.0.1:{free_port()}")
    assert done.returncode == 1
    assert any("config.yaml:2:" in line and "magic" in line for line in lines(done.stdout, "fail"))
    assert any(" clock " in line for line in done.stdout.splitlines())


def test_a_missing_configuration_fails_with_the_mend(cli: Cli, nowhere: tuple[str, str]) -> None:
    done = cli("doctor", "-c", "none.yaml", *nowhere)
    assert done.returncode == 1
    first = "config     none.yaml: no such file; mend: name the file that is meant: pimqtt doctor -c FILE"
    assert lines(done.stdout, "fail")[0].endswith(first)


@pytest.mark.broker
def test_an_old_protocol_is_a_warning_with_the_mend(cli: Cli, tmp_path: Path) -> None:
    with Mosquitto(tmp_path) as broker:
        done = cli("doctor", "-c", configuration(tmp_path, broker.port, ", protocol: '3.1.1'"))
    (line,) = [line for line in lines(done.stdout, "warn") if line.split()[1] == "protocol"]
    assert "MQTT 3.1.1: the configuration says so" in line
    assert "mend: use MQTT 5" in line


def test_missing_libraries_chips_and_cameras_are_told(cli: Cli, tmp_path: Path) -> None:
    devices = "[{id: a, kind: camera, source: {v4l2: /dev/video77}}, {id: b, kind: camera, source: {file: none.mp4}}]"
    config = Path(configuration(tmp_path, free_port(), devices=devices))
    config.write_text(config.read_text().replace("simulated", "kernel, chip: no-such-chip"))
    failed = "\n".join(lines(cli("doctor", "-c", str(config)).stdout, "fail"))
    assert "a: there is no /dev/video77; mend:" in failed
    assert "none.mp4; mend: check the path" in failed


@pytest.mark.parametrize(("text", "status"), [
    ("camera_auto_detect=1\n", "ok"), ("[all]\ndtoverlay=imx708\n", "ok"), ("#camera_auto_detect=1\n", "fail"),
    ("", "fail"), (None, "warn"),
])  # fmt: skip
def test_the_boot_setting_of_a_camera(tmp_path: Path, text: str | None, status: str) -> None:
    if text is not None:
        (tmp_path / "boot/firmware").mkdir(parents=True)
        (tmp_path / "boot/firmware/config.txt").write_text(text)
    (check,) = doctor_host._boot({"camera"}, tmp_path)
    assert check.status == status
    assert status == "ok" or "camera_auto_detect=1" in check.mend


@pytest.mark.parametrize(("need", "line"), [("i2c", "dtparam=i2c_arm=on"), ("1-wire", "dtoverlay=w1-gpio,gpiopin=4")])
def test_the_boot_settings_of_buses(tmp_path: Path, need: str, line: str) -> None:
    (tmp_path / "boot").mkdir()
    (tmp_path / "boot/config.txt").write_text(f"# a comment\n{line}  # here\n")
    (check,) = doctor_host._boot({need}, tmp_path)
    assert check.status == "ok"


def test_only_what_the_devices_need_is_looked_for() -> None:
    def device(kind: str, **more: Any) -> SimpleNamespace:
        return SimpleNamespace(kind=kind, id=kind, **more)

    pi, painted = (SimpleNamespace(choice=choice) for choice in (("pi", 0), ("synthetic", True)))
    settings: Any = SimpleNamespace(devices=[device("switch"), device("camera", source=painted)])
    assert doctor_host.needs(settings) == set()
    settings.devices += [device("camera", source=pi), device("sensor", boot={"i2c"})]
    assert doctor_host.needs(settings) == {"camera", "i2c"}


def test_a_chip_that_may_not_be_opened_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings: Any = SimpleNamespace(hardware=KernelOptions(backend="kernel"))
    assert [check.status for check in doctor_gpio.checks(settings, tmp_path)] == ["fail"]
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/gpiochip0").touch()
    assert [check.status for check in doctor_gpio.checks(settings, tmp_path)] == ["ok"]
    monkeypatch.setattr("os.access", lambda *_: False)
    (check,) = doctor_gpio.checks(settings, tmp_path)
    assert (check.status, check.mend) == ("fail", "sudo usermod -aG gpio $USER, then log in again")


def test_a_chip_that_the_configuration_names_and_that_is_not_there_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chardev, "chips", lambda: {"/dev/gpiochip0": "pinctrl-toaster"})
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/gpiochip0").touch()
    settings: Any = SimpleNamespace(
        hardware=KernelOptions(backend="kernel", chip="/dev/gpiochip-none", chips={"extra": "gpio-brcmstb"})
    )
    there = "there is /dev/gpiochip0 (pinctrl-toaster)"
    found = list(doctor_gpio.checks(settings, tmp_path))
    assert [(check.status, check.text) for check in found] == [
        ("fail", "hardware.chip: /dev/gpiochip-none can't be opened: No such file or directory"),
        ("fail", f"hardware.chips.extra: there is no GPIO chip gpio-brcmstb; {there}"),
    ]
    assert {check.mend for check in found} == {"name a chip that is there, by label or path: gpiodetect lists them"}
    settings.hardware = PiOptions(backend="pi")
    check = list(doctor_gpio.checks(settings, tmp_path))[-1]
    assert check.text == (
        f"backend pi: there is no GPIO chip pinctrl-bcm2835 or pinctrl-bcm2711 or pinctrl-rp1; {there}"
    )
    assert check.mend == "on another board than a Raspberry Pi use backend: kernel"


def test_a_pi_camera_needs_picamera2_and_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = doctor_host._source("eye", "pi", 0)
    assert (missing.status, "python3-picamera2" in missing.mend) == ("fail", True)
    picamera2 = SimpleNamespace(Picamera2=SimpleNamespace(global_camera_info=lambda: [{"Model": "imx708"}]))
    monkeypatch.setattr(doctor_host, "import_module", lambda _name: picamera2)
    assert doctor_host._source("eye", "pi", 0).text == "eye: imx708"
    assert doctor_host._source("eye", "pi", 1).status == "fail"
