"""Secrets through a whole life: nothing that the node logs, tells, prints or leaves behind shows one."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.broker.secret_life import WRONG, Secrets, command
from tests.broker.steps import eventually, replaced
from tests.mosquitto.clients import client
from tests.mosquitto.hardened import Hardened, hardened_broker, run_setup, started

pytestmark = [pytest.mark.broker, pytest.mark.timeout(150)]

#: What a person runs, at the node or with its configuration; each with a part of what it prints.
COMMANDS = {
    ("check",): b"is valid",
    ("doctor",): b"login",
    ("--json", "send", "car1/lamp", "ON"): b"accepted",
    ("call", "car1", "-c", "action=get_version"): b'"version"',
    ("watch", "--seconds", "1"): b"lamp",
    ("stop", "car1"): b"stopped",
    ("reset", "car1"): b"reset",
    ("announce",): b"service",
    ("schema",): b"password",
    ("safe", "-c", "config.yaml"): b"use pimqtt stop car1",
}


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Hardened]:
    with hardened_broker(tmp_path, ["car1"], ["ha:homeassistant"]) as running:
        assert run_setup(running.folder, "--node", "car1", "--client-certs").returncode == 0
        yield running


@pytest.mark.parametrize("how", ["secrets.yaml", "environment"])
async def test_nothing_shows_a_secret_in_a_whole_life(broker: Hardened, tmp_path: Path, how: str) -> None:
    secrets = Secrets(broker, tmp_path / "node", how)
    node, told, shown = secrets.node, [b""], list[str]()
    with node:
        log = node.log
        if how == "secrets.yaml":  # a wrong password, then the right one by a reload
            await eventually(lambda: "uthori" in log.read_text(), 10, "refused")
            shown += secrets.of_processes()
            secrets.write(secrets.password)
            assert node.process
            node.process.send_signal(signal.SIGHUP)
        await eventually(lambda: "connected to" in log.read_text(), 20, "connected")
        listening = asyncio.create_task(_listen(broker, told))
        await asyncio.sleep(1)
        shown += secrets.of_processes()
        for words, part in COMMANDS.items():
            said = await asyncio.to_thread(command, secrets, *words)
            assert part in said, words
            shown += [f"{name} by {words}" for name in secrets.within(said)]
        await _suffer(secrets, shown)
        await eventually(lambda: log.read_text().count("connected to") >= 3, 20, "connected again")
        listening.cancel()
        await asyncio.wait({listening})
        assert node.stop() == 0
    text = log.read_text()
    assert "DEBUG" in text
    assert "Fatal Python error: Aborted" in text, "what the crash left is searched too"
    assert "password" in text, "a mistake in the section was told"
    assert b"get_version" in told[0]
    assert shown + secrets.of_files() == []
    assert secrets.within(told[0]) == [], "told to everybody"
    assert secrets.open_files() == []
    assert secrets.core_files() == []


async def _listen(broker: Hardened, told: list[bytes]) -> None:
    async with client(broker, "ha") as everything:
        await everything.subscribe("#")
        async for message in everything.messages:
            told[0] += message.topic.value.encode() + b" " + bytes(message.payload or b"") + b"\n"


async def _suffer(secrets: Secrets, shown: list[str]) -> None:
    """A mistake in the configuration, a crash of the agent, a death of the keeper."""
    node = secrets.node
    good = node.config.read_text()
    node.config.write_text(good.replace(", password: ", f", passwort: {secrets.password}, password: [{WRONG}], x: "))
    assert node.process
    node.process.send_signal(signal.SIGHUP)
    await eventually(lambda: "going on with the old one" in node.log.read_text(), 10, "the mistake is told")
    said = await asyncio.to_thread(command, secrets, "check")
    assert b"passwort" in said
    shown += [f"{name} by check" for name in secrets.within(said.replace(good.encode(), b""))]
    node.config.write_text(good)
    for role, number in (("agent", signal.SIGABRT), ("keeper pins", signal.SIGKILL), ("agent", signal.SIGKILL)):
        await replaced(node, role, node.signal(role, number))
        await asyncio.sleep(1.5)
        shown += secrets.of_processes()


async def test_a_broker_that_is_away_is_told_without_a_secret(broker: Hardened, tmp_path: Path) -> None:
    broker.process.terminate()
    broker.process.wait(5)
    secrets = Secrets(broker, tmp_path / "node", "secrets.yaml")
    secrets.write(secrets.password)
    with secrets.node as node:
        await eventually(lambda: "can't be reached" in node.log.read_text(), 10, "away")
        calls = (("doctor",), ("call", "car1", "-c", "action=x"))
        said = [await asyncio.to_thread(command, secrets, *words) for words in calls]
        assert secrets.within(b"".join(said)) == []
        with started(broker.folder, broker.port):
            await eventually(lambda: "connected to" in node.log.read_text(), 40, "connected")
        await eventually(lambda: node.log.read_text().count("can't be reached") > 1, 20, "away again")
        assert secrets.of_processes() == []
    assert secrets.of_files() == []
    assert secrets.open_files() == []


def test_the_search_would_find_one(broker: Hardened, tmp_path: Path) -> None:
    secrets = Secrets(broker, tmp_path / "node", "secrets.yaml")
    assert secrets.within(f"x{secrets.password}y {WRONG}".encode()) == ["the password", "a wrong password"]
    assert secrets.within((broker.folder / "private/clients/car1.key").read_bytes()) == ["the key"]
    (tmp_path / "node/state").mkdir(mode=0o755)
    (tmp_path / "node/run").mkdir(mode=0o700)
    (tmp_path / "node/state/x").write_text(secrets.password)
    (tmp_path / "node/state/x").chmod(0o644)
    assert len(secrets.of_files()) == len(secrets.open_files()) == 1
