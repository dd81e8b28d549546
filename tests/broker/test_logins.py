"""Logins and TLS; everything works on the hardened broker."""

from __future__ import annotations

import asyncio
import getpass
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiomqtt
import pytest

from tests.broker.session import AVAILABILITY, running_at
from tests.broker.steps import CAR, LAMP, PUMP, called, eventually, text, told
from tests.mosquitto.hardened import Hardened, hardened_broker, run_setup
from tests.rig import Mosquitto, Node, Observer, Seen, free_port

pytestmark = pytest.mark.broker


async def test_a_login_is_used_and_a_wrong_one_is_said_and_tried_again(tmp_path: Path) -> None:
    with hardened_broker(tmp_path, ["car1"]) as broker:
        wrong = f'user: car1, password: "nonsense", tls: {{ca: "{broker.ca}"}}'
        with running_at(tmp_path / "wrong", broker.port, wrong, LAMP) as running:
            await eventually(lambda: running.log.read_text().lower().count("not authori") >= 2, 10, "refused twice")
            assert running.pid("agent")
            assert "nonsense" not in running.log.read_text()
            assert "Traceback" not in running.log.read_text()
        untrusted = f'user: car1, password: "{broker.passwords["car1"]}", tls: true'
        with running_at(tmp_path / "untrusted", broker.port, untrusted, LAMP) as running:
            await eventually(lambda: "certificate" in running.log.read_text().lower(), 10, "not trusted")
        assert "Traceback" not in running.log.read_text()


async def test_tls_can_be_told_not_to_check_the_name_of_the_broker_and_nothing_else(tmp_path: Path) -> None:
    """The certificate is for other names than 127.0.0.2."""
    folder, port = tmp_path / "tls", free_port()
    assert run_setup(folder, "--host", "127.0.0.1").returncode == 0
    assert run_setup(tmp_path / "other", "--host", "127.0.0.1").returncode == 0
    extra = (
        f"user {getpass.getuser()}\nlistener {port} 127.0.0.2\n"
        f"certfile {folder}/server.crt\nkeyfile {folder}/server.key\n"
    )
    ca, other = folder / "ca.crt", tmp_path / "other" / "ca.crt"
    with Mosquitto(tmp_path, extra):
        for tls, said in (
            (f'{{ca: "{ca}"}}', "IP address mismatch"),
            (f'{{ca: "{other}", insecure: true}}', "certificate verify failed"),
            ("{insecure: true}", "certificate verify failed"),
            (f'{{ca: "{ca}", insecure: true}}', "connected to 127.0.0.2"),
        ):
            content = text(port, LAMP, mqtt=f"tls: {tls}").replace("host: 127.0.0.1", "host: 127.0.0.2")
            with Node(tmp_path / "node", content) as running:
                await eventually(lambda: said in running.log.read_text(), 10, said)  # noqa: B023 - done within the turn
                assert "Traceback" not in running.log.read_text()
                assert ("connected to" in running.log.read_text()) is ("connected" in said)
            running.log.unlink()


@contextmanager
def denials(broker: Hardened) -> Iterator[list[str]]:
    """Have the broker say what it refuses; the list is filled at the end."""
    with (broker.folder / "mosquitto.conf").open("a") as file:
        file.write("\nlog_type debug\n")
    broker.reload()
    found: list[str] = []
    yield found
    found += [line for line in broker.log().splitlines() if "Denied" in line or "denied" in line]


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_everything_works_on_the_hardened_broker_and_nothing_is_denied(tmp_path: Path, protocol: str) -> None:
    with hardened_broker(tmp_path, ["car1"], ["olga:operator"]) as broker, denials(broker) as denied:
        login = (
            f'user: car1, password: "{broker.passwords["car1"]}", tls: {{ca: "{broker.ca}"}}, protocol: "{protocol}"'
        )
        async with _operator(broker, "olga") as watch:
            await watch.send("pimqtt/car1/lamp/set", "ON", retain=True, qos=1)
            await watch.send("pimqtt/stop/set", "ON", retain=True, qos=1)
            with running_at(
                tmp_path, broker.port, login, LAMP, PUMP, CAR, "{id: eye, kind: camera, source: synthetic}"
            ) as node:
                await watch.wait(AVAILABILITY, lambda s: s.text == "online", 10)
                await watch.wait("pimqtt/car1/stop/state", lambda s: s.text == "ON")
                since = len(watch.seen)
                await watch.send("pimqtt/car1/stop/set", "OFF")
                await watch.wait("pimqtt/car1/stop/state", lambda s: s.text == "OFF", since=since)
                assert (await told(watch, "pump", {"value": "ON", "ttl": 0.3}, qos=1))["outcome"] == "accepted"
                await watch.result("pump", cause="expired")
                assert (await called(watch, action="token", device="car"))["outcome"] == "accepted"
                await watch.send("pimqtt/car1/lamp/set", "ON", ResponseTopic="pimqtt/reply/olga", CorrelationData=b"1")
                if protocol == "5":
                    await watch.wait("pimqtt/reply/olga")
                await watch.send("pimqtt/car1/eye/snapshot/set", "PRESS")
                picture = await watch.wait("pimqtt/car1/eye/image", timeout_s=10)
                assert picture.payload[:2] == b"\xff\xd8"
                assert "Traceback" not in node.log.read_text()
                assert "marker did not come back" not in node.log.read_text()
                await asyncio.sleep(7)  # what it wrote was read back
                assert "does not let" not in node.log.read_text()
            await watch.wait(AVAILABILITY, lambda s: s.text == "offline")
            left = [s for s in await _left(broker) if s.topic.endswith("/set")]
            assert left == []
    assert denied == []


def _client(broker: Hardened, name: str) -> aiomqtt.Client:
    return aiomqtt.Client(
        broker.host, broker.port, username=name, password=broker.passwords[name],
        protocol=aiomqtt.ProtocolVersion.V5, tls_context=ssl.create_default_context(cafile=str(broker.ca)),
    )  # fmt: skip


class _operator:  # noqa: N801 - used as a function
    """An observer with a login."""

    def __init__(self, broker: Hardened, name: str) -> None:
        self.client = _client(broker, name)

    async def __aenter__(self) -> Observer:
        await self.client.__aenter__()
        watch = Observer(self.client)
        self.task = asyncio.create_task(watch.collect())
        await self.client.subscribe("pimqtt/#", qos=1)
        return watch

    async def __aexit__(self, *error: object) -> None:
        self.task.cancel()
        await asyncio.wait({self.task})
        await self.client.__aexit__(None, None, None)


async def _left(broker: Hardened) -> list[Seen]:
    async with _operator(broker, "olga") as watch:
        await asyncio.sleep(0.3)
        return [seen for seen in watch.seen if seen.retain]
