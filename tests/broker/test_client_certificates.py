"""A broker that lets in nobody without a certificate: the agent shows its own, and says why where it has none."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import aiomqtt
import pytest

from tests.broker.steps import PUMP, eventually, text
from tests.mosquitto.hardened import hardened_broker, run_setup, signed, started
from tests.rig import Node

pytestmark = pytest.mark.broker


@dataclass(frozen=True)
class Strict:
    """The hardened broker with `require_certificate true`; who wants to come in needs all of this."""

    port: int
    passwords: dict[str, str]
    ca: Path
    keys: Path

    def configuration(self, *, certificate: bool, other: Path | None = None) -> str:
        mine = f", cert: {other or self.keys / 'car1.crt'}, key: {self.keys}/car1.key" if certificate else ""
        login = f'user: car1, password: "{self.passwords["car1"]}", tls: {{ca: {self.ca}{mine}}}'
        return text(self.port, PUMP, mqtt=login)


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[Strict]:
    with hardened_broker(tmp_path, ["car1"], ["olga:operator"]) as broker:
        assert run_setup(broker.folder, "--node", "car1", "--user", "olga:operator", "--client-certs").returncode == 0
        shipped = broker.folder / "mosquitto.conf"
        required = shipped.read_text().replace("\n#require_certificate true\n", "\nrequire_certificate true\n")
    assert "\nrequire_certificate true\n" in required
    shipped.write_text(required)
    with started(broker.folder, broker.port):
        yield Strict(broker.port, broker.passwords, broker.ca, broker.folder / "private/clients")


async def test_an_agent_with_its_certificate_works(strict: Strict, tmp_path: Path) -> None:
    tls = ssl.create_default_context(cafile=str(strict.ca))
    tls.load_cert_chain(strict.keys / "olga.crt", strict.keys / "olga.key")
    with Node(tmp_path / "node", strict.configuration(certificate=True)) as running:
        password = strict.passwords["olga"]
        async with aiomqtt.Client(
            "127.0.0.1", strict.port, username="olga", password=password, tls_context=tls
        ) as olga:
            await olga.subscribe("pimqtt/car1/#")
            async with asyncio.timeout(10):
                async for message in olga.messages:
                    if str(message.topic) == "pimqtt/car1/pump/state":
                        break
            await olga.publish("pimqtt/car1/pump/set", "ON", qos=1)
            await eventually(lambda: running.levels(17) == [0, 1], what="the pump is on")
        assert "Traceback" not in running.log.read_text()


async def test_one_without_goes_on_trying_and_says_so(strict: Strict, tmp_path: Path) -> None:
    with Node(tmp_path / "node", strict.configuration(certificate=False)) as running:
        await eventually(lambda: "certificate" in running.log.read_text().lower(), 10, "why it is not let in")
        assert running.pid("agent")
        assert "Traceback" not in running.log.read_text()


@pytest.mark.parametrize("what", ["another authority's", "one that has ended"])
async def test_one_with_a_certificate_that_does_not_hold_goes_on_trying(
    strict: Strict, tmp_path: Path, what: str
) -> None:
    assert run_setup(tmp_path / "other").returncode == 0
    authority, days = (tmp_path / "other", 1) if what == "another authority's" else (strict.keys.parents[1], -1)
    bad = signed(tmp_path, authority, strict.keys / "car1.key", "car1", days)
    with Node(tmp_path / "node", strict.configuration(certificate=True, other=bad)) as running:
        await eventually(lambda: running.log.read_text().count("broker 127.0.0.1") >= 2, 15, "tried twice")
        assert "connected to" not in running.log.read_text()
        assert running.pid("agent")
        assert running.levels(17) == [0]
        assert "Traceback" not in running.log.read_text()
    with Node(tmp_path / "good", strict.configuration(certificate=True)) as running:
        await eventually(lambda: "connected to" in running.log.read_text(), 10, "the right one is let in")
