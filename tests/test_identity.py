"""Who a board is: serials, machine ids, models and addresses."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import pytest

from pimqtt_agent.agent import client_id
from pimqtt_agent.identity import addresses, identity, machine, model, serial
from pimqtt_agent.settings import Settings


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def settings(backend: str) -> Settings:
    return Settings.model_validate({"node": "car1", "hardware": {"backend": backend}})


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"proc/device-tree/serial-number": "100000003d1d1c36\0"}, "100000003d1d1c36"),
        ({"proc/cpuinfo": "processor\t: 0\nSerial\t\t: 00000000A1B2C3D4\nModel\t: Pi\n"}, "00000000a1b2c3d4"),
        ({"proc/device-tree/serial-number": "00000000\0", "proc/cpuinfo": "Serial : 12345678"}, "12345678"),
        ({"proc/cpuinfo": "Serial\t\t: 0000000000000000\n"}, None),
        ({}, None),
    ],
)
def test_the_boards_serial(tmp_path: Path, files: dict[str, str], expected: str | None) -> None:
    assert serial(tree(tmp_path, files)) == expected


@pytest.mark.parametrize("backend", ["pi", "kernel"])
def test_real_hardware_is_its_serial_whatever_the_node(tmp_path: Path, backend: str) -> None:
    tree(tmp_path, {"proc/device-tree/serial-number": "10ab\0", "proc/device-tree/model": "Raspberry Pi 4 Model B\0"})
    assert identity(settings(backend), tmp_path) == ("10ab", "Raspberry Pi 4 Model B")


def test_without_a_serial_it_is_machine_and_node(tmp_path: Path) -> None:
    tree(tmp_path, {"etc/machine-id": "0123456789abcdef0123456789abcdef\n"})
    found, _ = identity(settings("kernel"), tmp_path)
    assert found.endswith("-car1")
    assert "0123456789abcdef" not in found
    assert found == machine("car1", tmp_path) != machine("car2", tmp_path)
    assert machine("car1", tree(tmp_path, {"etc/machine-id": "f" * 32})) != found
    assert machine("car1", tree(tmp_path, {"etc/machine-id": "uninitialized\n"})) == "car1"


def test_simulated_hardware_is_its_node(tmp_path: Path) -> None:
    tree(tmp_path, {"proc/device-tree/serial-number": "10ab"})
    assert identity(settings("simulated"), tmp_path)[0] == "car1"


def test_the_model_of_a_pc(tmp_path: Path) -> None:
    assert model(tmp_path)  # the processor's architecture
    tree(tmp_path, {"sys/class/dmi/id/sys_vendor": "LENOVO\n", "sys/class/dmi/id/product_name": "20XW\n"})
    assert model(tmp_path) == "LENOVO 20XW"


def test_addresses_are_reachable_ones() -> None:
    for address in map(ipaddress.ip_address, addresses()):
        assert not address.is_loopback
        assert not (address.version == 6 and address.is_link_local)


def test_lasting_global_ipv6_addresses_only(tmp_path: Path) -> None:
    rows = (
        "20010db8000000000000000000000001 02 40 00 80    wlan0\n"
        "20010db8000000000000000000000002 02 40 00 01    wlan0\n"  # temporary
        "20010db8000000000000000000000003 02 40 00 20    wlan0\n"  # deprecated
        "fe800000000000000000000000000001 02 40 20 80    wlan0\n"
        "00000000000000000000000000000001 01 80 10 80       lo\n"
    )
    assert [a for a in addresses(tree(tmp_path, {"proc/net/if_inet6": rows})) if ":" in a] == ["2001:db8::1"]


def test_two_boards_without_serials_have_two_names_at_the_broker(tmp_path: Path) -> None:
    """Cards are copied with the configuration: they must see each other, not take each other's session."""
    config = Settings.model_validate({"node": "a-long-green-house", "hardware": {"backend": "kernel"}})
    names = set()
    for number in range(2):
        root = tree(tmp_path / str(number), {"etc/machine-id": f"{number}" * 32})
        names.add(client_id(config, identity(config, root)[0]))
    assert len(names) == 2
    assert all(len(name) == len("pimqtt-a-long-green-house-") + 8 for name in names)
