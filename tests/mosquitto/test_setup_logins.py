"""Logins that `mosquitto/setup` adds and removes later, and new passwords."""

from __future__ import annotations

import re
from pathlib import Path

from tests.mosquitto.clients import client, heard, pair, refused
from tests.mosquitto.hardened import contents, credentials, hardened_broker, run_setup


async def test_a_node_added_later_leaves_the_rest_alone(tmp_path: Path) -> None:
    with hardened_broker(tmp_path, ["car1"]) as broker:
        before = contents(broker.folder)
        assert "uthori" in await refused(broker, "car2", password="x")
        assert run_setup(broker.folder, "--node", "car2").returncode == 0
        after = contents(broker.folder)
        changed = {name for name in after if name != "log" and after[name] != before.get(name)}
        assert changed == {"passwd", "private/credentials"}
        assert after["passwd"][1].startswith(before["passwd"][1])
        broker.reload()
        broker.passwords.update(credentials(broker.folder))
        async with client(broker, "car1"), pair(broker, "car2", "ha") as (node, listener):
            await node.publish("pimqtt/car1/info", "x", qos=1)
            await node.publish("pimqtt/car2/last", "x", qos=1)
            assert await heard(listener, "pimqtt/car2/last", b"x") == set()


async def test_a_user_added_later_has_its_role(tmp_path: Path) -> None:
    with hardened_broker(tmp_path, ["car1"]) as broker:
        assert run_setup(broker.folder, "--user", "otto:operator").returncode == 0
        broker.reload()
        broker.passwords.update(credentials(broker.folder))
        async with pair(broker, "otto", "ha") as (operator, listener):
            await operator.publish("pimqtt/car1/pump/state", "x", qos=1)
            await operator.publish("pimqtt/car1/pump/set", "x", qos=1)
            assert await heard(listener, "pimqtt/car1/pump/set", b"x") == set()


def test_a_removed_login_leaves_nothing_and_the_rest_alone(tmp_path: Path) -> None:
    folder = tmp_path / "b"
    people = (
        "--user",
        "ha:homeassistant",
        "--user",
        "o.lga:operator",
        "--user",
        "oxlga:operator",
        "--user",
        "vera:viewer",
    )
    run_setup(folder, "--node", "car1", "--node", "car2", *people, "--client-certs")
    before = contents(folder)
    gone = run_setup(folder, "--remove", "car1", "--remove", "o.lga")
    assert gone.returncode == 0, gone.stderr
    after = contents(folder)
    names = {line.split(b":")[0] for line in after["passwd"][1].splitlines()}
    assert names == {b"car2", b"ha", b"oxlga", b"vera"}
    assert set(after["passwd"][1].splitlines()) < set(before["passwd"][1].splitlines())
    assert re.findall(rb"^user (.+)", after["acl"][1], re.MULTILINE) == [b"ha", b"oxlga", b"vera"]
    assert after["acl"][1].count(b"oxlga") == before["acl"][1].count(b"oxlga")
    assert set(before) - set(after) == {
        f"private/clients/{name}.{end}" for name in ("car1", "o.lga") for end in ("crt", "key")
    }
    assert after["acl"][0] == before["acl"][0]


async def test_a_new_password_in_one_call(tmp_path: Path) -> None:
    with hardened_broker(tmp_path, ["car1", "car2"]) as broker:
        old = broker.passwords["car1"]
        changed = run_setup(
            broker.folder, "--remove", "car1", "--node", "car1", "--remove", "vera", "--user", "vera:operator"
        )
        assert changed.returncode == 0, changed.stderr
        broker.reload()
        broker.passwords.update(credentials(broker.folder))
        assert "uthori" in await refused(broker, "car1", password=old)
        async with client(broker, "car1"), client(broker, "car2"), pair(broker, "vera", "ha") as (vera, listener):
            await vera.publish("pimqtt/car1/pump/set", "x", qos=1)
            assert await heard(listener, "pimqtt/car1/pump/set", b"x") == set()
