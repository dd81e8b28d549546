"""The hardened broker: what `mosquitto/setup` makes, and who may do what on it, asked of a real Mosquitto."""

from __future__ import annotations

import asyncio
import gc
import os
import pwd
import re
import shutil
import ssl
import stat
import subprocess
import tempfile
import warnings
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiomqtt
import pytest

from tests.mosquitto.hardened import PEOPLE, SETUP, SHIPPED, Hardened, credentials, hardened_broker, run_setup, started
from tests.rig import as_root

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from collections.abc import Set as AbstractSet

WITHIN_S = 5
#: Everything that someone may or may not do, each with who may write and who may read it. `ha2` watches.
ALL = {"car1", "car2", "ha", "olga", "vera"}
PEOPLE_NAMES = {"ha", "olga", "vera"}
RIGHTS: dict[str, tuple[AbstractSet[str], AbstractSet[str]]] = {
    "pimqtt/car1/availability": ({"car1", "ha"}, {"car1"} | PEOPLE_NAMES),
    "pimqtt/car1/info": ({"car1", "ha"}, {"car1"} | PEOPLE_NAMES),
    "pimqtt/car1/marker": ({"car1", "ha"}, {"car1"} | PEOPLE_NAMES),
    "pimqtt/car1/pump/state": ({"car1", "ha"}, {"car1"} | PEOPLE_NAMES),
    "pimqtt/car1/pump/lease": ({"car1", "ha"}, {"car1"} | PEOPLE_NAMES),
    "pimqtt/car1/pump/result": ({"car1", "ha"}, {"car1"} | PEOPLE_NAMES),
    "pimqtt/car1/eye/image": ({"car1", "ha"}, {"car1"} | PEOPLE_NAMES),
    "pimqtt/car1/call/result": ({"car1", "ha"}, {"car1"} | PEOPLE_NAMES),
    "pimqtt/car1/stop/state": ({"car1", "ha"}, {"car1"} | PEOPLE_NAMES),
    "pimqtt/car1/pump/set": ({"car1", "ha", "olga"}, {"car1"} | PEOPLE_NAMES),
    "pimqtt/car1/eye/snapshot/set": ({"car1", "ha", "olga"}, {"car1"} | PEOPLE_NAMES),
    "pimqtt/car1/car/stop/set": ({"car1", "ha", "olga"}, {"car1"} | PEOPLE_NAMES),
    "pimqtt/car1/stop/set": ({"car1", "ha", "olga"}, {"car1"} | PEOPLE_NAMES),
    "pimqtt/car1/call": ({"car1", "ha", "olga"}, {"car1"} | PEOPLE_NAMES),
    "pimqtt/stop/set": ({"car1", "car2", "ha", "olga"}, {"car1", "car2", "ha", "olga"}),
    "pimqtt/reply/olga/1": ({"car1", "car2", "ha", "olga"}, {"ha", "olga"}),
    "homeassistant/status": ({"ha"}, {"car1", "car2", "ha"}),
    "homeassistant/device/car1/pump/config": ({"car1", "ha"}, {"car1", "ha"}),
    "homeassistant/switch/car1/pump/config": ({"ha"}, {"ha"}),
    # A person's name is no node's, whatever the patterns say.
    "pimqtt/olga/info": ({"ha"}, {"ha", "vera"}),
    "pimqtt/olga/pump/set": ({"ha"}, {"ha", "vera"}),
    "homeassistant/device/olga/pump/config": ({"ha"}, {"ha"}),
    "pimqtt/vera/info": ({"ha"}, {"ha", "olga"}),
    "homeassistant/device/vera/pump/config": ({"ha"}, {"ha"}),
    "somewhere/else": (set(), set()),
    "$SYS/broker/version": (set(), set()),
}
#: Something that each of them may read, sent last: what has not come before it will not come.
LAST = {"car1": "pimqtt/car1/last", "car2": "pimqtt/car2/last"} | dict.fromkeys(PEOPLE_NAMES, "pimqtt/last")
#: paho leaves the socket of a failed TLS handshake to the collector.
HALF_OPEN = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture(scope="module", name="broker")
def broker_of_the_module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hardened]:
    """One hardened broker for all tests that only talk to it."""
    with hardened_broker(tmp_path_factory.mktemp("b"), ["car1", "car2"], [*PEOPLE, "ha2:homeassistant"]) as running:
        yield running


def context(ca: Path) -> ssl.SSLContext:
    """Trust that CA alone, as strictly as OpenSSL can."""
    made = ssl.create_default_context(cafile=str(ca))
    made.verify_flags |= ssl.VERIFY_X509_STRICT
    return made


def client(broker: Hardened, user: str | None, **changes: Any) -> aiomqtt.Client:
    """Return a client for one user of the broker; a change replaces a setting."""
    settings: dict[str, Any] = {
        "hostname": broker.host,
        "port": broker.port,
        "username": user,
        "password": broker.passwords.get(user) if user else None,
        "tls_context": context(broker.ca),
        "protocol": aiomqtt.ProtocolVersion.V5,
        "timeout": WITHIN_S,
    }
    return aiomqtt.Client(**(settings | changes))


async def refused(broker: Hardened, user: str | None, **changes: Any) -> str:
    """Connect, expecting a refusal, and return it."""
    with pytest.raises((aiomqtt.MqttError, ssl.SSLError)) as caught:
        async with client(broker, user, **changes):
            pass
    said = str(caught.value)
    del caught
    with warnings.catch_warnings(action="ignore", category=ResourceWarning):
        gc.collect()  # else a later test would be told of the socket that paho has left open
    return said


@asynccontextmanager
async def pair(broker: Hardened, one: str, other: str) -> AsyncIterator[tuple[aiomqtt.Client, aiomqtt.Client]]:
    """Connect two users, the second listening to everything it may."""
    async with client(broker, one) as first, client(broker, other) as second:
        await second.subscribe("#", qos=1)
        await second.subscribe("$SYS/#", qos=1)
        yield first, second


async def heard(listener: aiomqtt.Client, last: str, payload: bytes) -> set[str]:
    """Return the topics of everything with this payload before the last topic, none of it retained."""
    topics: set[str] = set()
    async with asyncio.timeout(WITHIN_S):
        async for message in listener.messages:
            if message.payload != payload:
                continue
            if message.topic.value == last:
                return topics
            topics.add(message.topic.value)
    raise AssertionError


# ---- who comes in


@pytest.mark.parametrize("protocol", [aiomqtt.ProtocolVersion.V5, aiomqtt.ProtocolVersion.V311])
async def test_a_node_comes_in_with_its_password(broker: Hardened, protocol: aiomqtt.ProtocolVersion) -> None:
    async with client(broker, "car1", protocol=protocol) as node:
        await node.publish("pimqtt/car1/availability", "online", qos=1)


async def test_nobody_comes_in_without_a_name(broker: Hardened) -> None:
    assert "uthori" in await refused(broker, None)


@pytest.mark.parametrize(("user", "password"), [("car1", "wrong"), ("car1", ""), ("car1", None), ("nobody", "x")])
async def test_a_wrong_login_is_refused(broker: Hardened, user: str, password: str | None) -> None:
    assert "uthori" in await refused(broker, user, password=password)


async def test_another_nodes_password_is_refused(broker: Hardened) -> None:
    assert "uthori" in await refused(broker, "car1", password=broker.passwords["car2"])


@HALF_OPEN
async def test_a_broker_of_another_ca_is_refused(broker: Hardened, tmp_path: Path) -> None:
    assert run_setup(tmp_path / "other").returncode == 0
    said = await refused(broker, "car1", tls_context=context(tmp_path / "other" / "ca.crt"))
    assert "CERTIFICATE_VERIFY_FAILED" in said or "certificate verify failed" in said


async def test_there_is_nothing_without_tls(broker: Hardened) -> None:
    await refused(broker, "car1", tls_context=None, timeout=1)


@HALF_OPEN
async def test_an_old_tls_is_refused(broker: Hardened) -> None:
    old = context(broker.ca)
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    await refused(broker, "car1", tls_context=old)


# ---- who may do what


@pytest.mark.parametrize("user", sorted(ALL))
async def test_writes_what_the_table_says(broker: Hardened, user: str) -> None:
    payload = f"from {user}".encode()
    async with pair(broker, user, "ha2") as (writer, listener):
        for topic in RIGHTS:
            if not topic.startswith("$"):
                await writer.publish(topic, payload, qos=1)
        await listener.publish("pimqtt/last", payload, qos=1)
        came = await heard(listener, "pimqtt/last", payload)
    assert came == {topic for topic, (writers, _) in RIGHTS.items() if user in writers}


@pytest.mark.parametrize("user", sorted(ALL))
async def test_reads_what_the_table_says(broker: Hardened, user: str) -> None:
    payload = f"to {user}".encode()
    async with pair(broker, "ha2", user) as (writer, listener):
        for topic in RIGHTS:
            if not topic.startswith("$"):
                await writer.publish(topic, payload, qos=1)
        await writer.publish(LAST[user], payload, qos=1)
        came = await heard(listener, LAST[user], payload)
    assert came == {topic for topic, (_, readers) in RIGHTS.items() if user in readers}


@pytest.mark.parametrize("topic", ["pimqtt/stop/set", "pimqtt/car1/pump/set"])
async def test_a_node_clears_a_retained_command(broker: Hardened, topic: str) -> None:
    async with client(broker, "olga") as operator:
        await operator.publish(topic, "ON", qos=1, retain=True)
    async with client(broker, "car1") as node:
        await node.subscribe(topic, qos=1)
        first = await asyncio.wait_for(anext(aiter(node.messages)), WITHIN_S)
        assert (first.payload, first.retain) == (b"ON", True)
        await node.publish(topic, b"", qos=1, retain=True)
    async with client(broker, "ha2") as later:
        await later.subscribe(topic, qos=1)
        await later.publish("pimqtt/last", b"over", qos=1)
        await later.subscribe("pimqtt/last", qos=1)
        await later.publish("pimqtt/last", b"over", qos=1)
        assert await heard(later, "pimqtt/last", b"over") == set()


async def test_a_nodes_last_will_is_told_and_no_others(broker: Hardened) -> None:
    async with client(broker, "ha2") as listener:
        await listener.subscribe("pimqtt/#", qos=1)
        for topic in ("pimqtt/car2/will", "pimqtt/car1/will"):
            with pytest.raises(ZeroDivisionError):
                async with client(broker, "car1", will=aiomqtt.Will(topic, b"gone", qos=1)) as node:
                    await dropped(node)
        assert await heard(listener, "pimqtt/car1/will", b"gone") == set()


async def dropped(node: aiomqtt.Client) -> None:
    """End a connection without a goodbye."""
    sock = node._client.socket()
    assert isinstance(sock, ssl.SSLSocket)
    sock.shutdown(2)
    raise ZeroDivisionError


# ---- limits


async def test_a_mebibyte_passes_and_the_limit_is_told(broker: Hardened) -> None:
    async with pair(broker, "car1", "ha2") as (node, listener):
        await node.publish("pimqtt/car1/eye/image", bytes(1 << 20))
        await node.publish("pimqtt/car1/last", bytes(1 << 20), qos=1)
        assert await heard(listener, "pimqtt/car1/last", bytes(1 << 20)) == {"pimqtt/car1/eye/image"}


async def test_a_packet_above_the_limit_ends_the_connection(broker: Hardened) -> None:
    will = aiomqtt.Will("pimqtt/car1/last", b"cut off", qos=1)
    async with client(broker, "ha2") as listener:
        await listener.subscribe("pimqtt/#", qos=1)
        with pytest.raises(aiomqtt.MqttError):
            async with client(broker, "car1", protocol=aiomqtt.ProtocolVersion.V311, will=will) as node:
                await node.publish("pimqtt/car1/eye/image", bytes(2_000_001), qos=1, timeout=1)
        assert await heard(listener, "pimqtt/car1/last", b"cut off") == set()


def directives(text: str) -> list[str]:
    """Return the lines of a configuration that say something."""
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def test_the_running_configuration_is_the_shipped_one(broker: Hardened) -> None:
    shipped = directives((SHIPPED / "mosquitto.conf").read_text())
    running = directives((broker.folder / "mosquitto.conf").read_text())
    assert [line.split()[0] for line in running] == [line.split()[0] for line in shipped]
    unfilled = [line for line in shipped if "@" not in line]
    assert [line for line in running if line in unfilled] == unfilled
    assert "set_tcp_nodelay true" in unfilled
    assert "allow_anonymous false" in unfilled
    assert not any("@" in line for line in running)


def test_the_broker_complains_of_nothing_but_the_shared_topics(broker: Hardened) -> None:
    lines = [line for line in broker.log().splitlines() if "Warning" in line or "Error:" in line]
    meant = re.compile(r"ACL pattern '(pimqtt/stop/set|homeassistant/status|pimqtt/reply/#)'|should not be run as root")
    assert [line for line in lines if not meant.search(line)] == []


# ---- the script


def contents(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Return what lies in a folder: name, mode, content."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): (path.stat().st_mode, path.read_bytes()) for path in files}


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    arguments = ("--host", "broker.lan", "--node", "car1", "--user", "ha:homeassistant", "--client-certs")
    assert run_setup(tmp_path / "b", *arguments).returncode == 0
    before = contents(tmp_path / "b")
    again = run_setup(tmp_path / "b", *arguments)
    assert (again.returncode, again.stderr) == (0, "")
    assert contents(tmp_path / "b") == before


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


def test_secrets_are_for_their_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "b"
    run_setup(folder, "--node", "car1", "--user", "ha:homeassistant", "--client-certs")
    for_all = {"mosquitto.conf", "ca.crt", "server.crt", "private/ca/ca.crt"}
    modes = {name: stat.S_IMODE(mode) for name, (mode, _) in contents(folder).items()}
    assert modes == {name: 0o644 if name in for_all else 0o600 for name in modes}
    assert {"private/credentials", "private/ca/ca.key", "private/clients/car1.key", "server.key"} <= set(modes)
    assert [stat.S_IMODE((folder / name).stat().st_mode) for name in ("private", "data")] == [0o700, 0o700]


def test_the_brokers_account_can_read_what_root_made() -> None:
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    try:
        folder.chmod(0o755)
        made = as_root(SETUP, folder / "a" / "b", "--node", "car1")
        assert (made.returncode, "made" in made.stdout) == (0, True), made.stderr
        owners = {path.name: pwd.getpwuid(path.stat().st_uid).pw_name for path in (folder / "a" / "b").iterdir()}
        ours = {"passwd", "acl", "server.key", "server.crt", "data"}
        assert owners == {name: "mosquitto" if name in ours else "root" for name in owners}
        assert ours <= set(owners)
        folder.chmod(0o700)
        closed = as_root(SETUP, folder / "a" / "b")
        assert (closed.returncode, "cannot read" in closed.stderr) == (1, True)
    finally:
        as_root("rm", "-rf", folder)


def test_no_password_is_seen_by_ps_or_on_the_terminal(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    (tmp_path / "bin").mkdir()
    for tool in ("openssl", "mosquitto_passwd", "grep", "sed", "cat", "tr", "cut"):
        spy = tmp_path / "bin" / tool
        spy.write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >>"{seen}"\nexec "{shutil.which(tool)}" "$@"\n')
        spy.chmod(0o755)
    made = run_setup(tmp_path / "b", "--node", "car1", PATH=f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    assert made.returncode == 0, made.stderr
    (password,) = credentials(tmp_path / "b").values()
    assert "mosquitto_passwd" not in seen.read_text()
    assert "-c" in seen.read_text()
    assert len(password) >= 24
    assert password not in seen.read_text() + made.stdout + made.stderr
    assert password.encode() not in b"".join(
        content for name, (_, content) in contents(tmp_path / "b").items() if name != "private/credentials"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--node", "Car1"], "--node 'Car1'"),
        (["--node", "car/1"], "--node 'car/1'"),
        (["--node", "+"], "--node '+'"),
        (["--node", "stop"], "'stop' is reserved"),
        (["--node", "reply"], "'reply' is reserved"),
        (["--user", "ha"], "NAME:ROLE"),
        (["--user", "ha:king"], "homeassistant operator viewer"),
        (["--user", "a#:operator"], "--user 'a#:operator'"),
        (["--user", "stop:operator"], "'stop' is reserved"),
        (["--user", "x:operator", "--node", "x"], "'x' cannot be a node and a user"),
        (["--user", "x:operator", "--user", "x:viewer"], "'x' cannot have two roles"),
        (["--host", "a b"], "--host 'a b'"),
        (["--host", "x,DNS:evil"], "--host 'x,DNS:evil'"),
        (["--remove", "car1"], "--remove 'car1': there is no such login"),
        (["--remove", ".*"], "--remove '.*': there is no such login"),
        (["--port", "0"], "--port '0'"),
        (["--port", "70000"], "--port '70000'"),
        (["--days", "soon"], "--days 'soon'"),
        (["--frobnicate"], "unknown option --frobnicate"),
        (["--node"], "--node needs a value"),
        (["another"], "one DIR"),
    ],
)
def test_a_mistake_is_told_and_nothing_is_made(tmp_path: Path, arguments: list[str], said: str) -> None:
    made = run_setup(tmp_path / "b", *arguments)
    assert made.returncode == 2
    assert said in made.stderr
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--user", "car1:operator"], "'car1' is already a node"),
        (["--node", "olga"], "'olga' is already a user (operator)"),
        (["--user", "olga:viewer"], "'olga' is already operator"),
    ],
)
def test_a_name_keeps_its_role(tmp_path: Path, arguments: list[str], said: str) -> None:
    run_setup(tmp_path / "b", "--node", "car1", "--user", "olga:operator")
    before = contents(tmp_path / "b")
    made = run_setup(tmp_path / "b", *arguments)
    assert (made.returncode, said in made.stderr) == (2, True)
    assert contents(tmp_path / "b") == before


def test_help_says_every_option() -> None:
    said = subprocess.run([SETUP, "--help"], capture_output=True, text=True, check=True).stdout
    parsing = SETUP.read_text().split("read_arguments() {")[1].split("matches()")[0]
    options = set(re.findall(r"--[a-z][a-z-]+", parsing))
    assert {option for option in options if option not in said} == {"--help"}
    assert len(options) == 12


# ---- certificates


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
