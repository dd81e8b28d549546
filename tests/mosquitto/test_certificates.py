"""The certificates of `mosquitto/setup`: names, renewal, and those of clients."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

import pytest

from tests.mosquitto.clients import client, context, refused
from tests.mosquitto.hardened import hardened_broker, run_setup, signed, started

#: paho leaves the socket of a failed TLS handshake to the collector.
HALF_OPEN = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")


def openssl(*arguments: str | Path) -> str:
    """Run openssl and return what it says."""
    return subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=True).stdout


def test_a_new_name_of_the_broker_gives_a_certificate_with_all_names(tmp_path: Path) -> None:
    folder = tmp_path / "b"
    run_setup(folder, "--host", "broker.lan")
    key = (folder / "server.key").read_bytes()
    assert run_setup(folder, "--host", "10.1.2.3", "--host", "2001:db8::1").returncode == 0
    names = openssl("x509", "-in", folder / "server.crt", "-noout", "-ext", "subjectAltName")
    for name in ("DNS:broker.lan", "DNS:localhost", "Address:10.1.2.3", "Address:2001:DB8:0:0:0:0:0:1"):
        assert name in names
    assert (folder / "server.key").read_bytes() == key


def test_an_ending_certificate_is_renewed_by_any_run(tmp_path: Path) -> None:
    folder = tmp_path / "b"
    run_setup(folder, "--days", "29", "--node", "car1", "--client-certs")
    first = (folder / "server.crt").read_bytes()
    run_setup(folder)
    assert (folder / "server.crt").read_bytes() != first
    openssl("x509", "-in", folder / "server.crt", "-noout", "-checkend", str(700 * 86400))


async def test_a_renewed_certificate_is_taken_at_a_reload(tmp_path: Path) -> None:
    def served() -> str:
        return ssl.get_server_certificate((broker.host, broker.port), ca_certs=str(broker.ca))

    with hardened_broker(tmp_path, ["car1"]) as broker:
        before, ca = served(), broker.ca.read_bytes()
        async with client(broker, "car1") as node:
            assert run_setup(broker.folder, "--renew").returncode == 0
            broker.reload()
            await node.publish("pimqtt/car1/info", "still here", qos=1)
        assert served() not in (before, "")
        assert broker.ca.read_bytes() == ca
        async with client(broker, "car1"):
            pass


async def test_client_certificates_where_they_are_asked_for(tmp_path: Path) -> None:
    with hardened_broker(tmp_path, ["car1"]) as broker:
        run_setup(broker.folder, "--node", "car1", "--client-certs")
        configuration = broker.folder / "mosquitto.conf"
        text = configuration.read_text()
        assert "\n#require_certificate true\n" in text
    required = text.replace("\n#require_certificate true\n", "\nrequire_certificate true\n")
    configuration.write_text(required)
    with started(broker.folder, broker.port):
        await refused(broker, "car1", timeout=1)
        mine = context(broker.ca)
        keys = broker.folder / "private" / "clients"
        mine.load_cert_chain(keys / "car1.crt", keys / "car1.key")
        async with client(broker, "car1", tls_context=mine):
            pass
        assert "uthori" in await refused(broker, "car1", tls_context=mine, password="wrong")


@HALF_OPEN
async def test_a_client_certificate_of_another_authority_or_one_that_has_ended_is_refused(tmp_path: Path) -> None:
    assert run_setup(tmp_path / "other").returncode == 0
    with hardened_broker(tmp_path, ["car1"]) as broker:
        run_setup(broker.folder, "--node", "car1", "--client-certs")
    configuration, key = broker.folder / "mosquitto.conf", broker.folder / "private/clients/car1.key"
    text = configuration.read_text()
    configuration.write_text(text.replace("\n#require_certificate true\n", "\nrequire_certificate true\n"))
    cases = ((broker.folder, 1, True), (broker.folder, -1, False), (tmp_path / "other", 1, False))
    with started(broker.folder, broker.port):
        for authority, days, enters in cases:
            mine = context(broker.ca)
            mine.load_cert_chain(signed(tmp_path, authority, key, "car1", days), key)
            if enters:
                async with client(broker, "car1", tls_context=mine):
                    pass
            else:
                await refused(broker, "car1", tls_context=mine, timeout=1)


@HALF_OPEN
async def test_a_broker_whose_certificate_has_ended_is_refused(tmp_path: Path) -> None:
    with hardened_broker(tmp_path, ["car1"]) as broker:
        async with client(broker, "car1"):
            pass
    for days in (1, -1):
        made = signed(tmp_path, broker.folder, broker.folder / "server.key", "broker", days)
        (broker.folder / "server.crt").write_bytes(made.read_bytes())
        with started(broker.folder, broker.port):
            if days > 0:
                async with client(broker, "car1"):
                    pass
            else:
                assert "certificate has expired" in await refused(broker, "car1")
