"""Who may do what on the hardened broker, found out by trying; ``python -m tests.mosquitto.access`` writes the table.

Everybody writes every topic while a witness with all rights listens, and listens while the witness writes.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

import aiomqtt

from tests.mosquitto.clients import WITHIN_S, client, heard, refused
from tests.mosquitto.hardened import PEOPLE, Hardened, hardened_broker
from tests.rig import ROOT

DOCUMENT = ROOT / "docs" / "access.md"
BEGIN, END = "<!-- measured: python -m tests.mosquitto.access -->\n", "<!-- end of what was measured -->"
WITNESS, LAST = "witness", "witness/last"
NODES = ("car1", "car2")
#: The columns: what stands above, and the login (None: no login at all).
WHO = {
    "`car1`": "car1", "another node": "car2", "homeassistant": "ha", "operator": "olga", "viewer": "vera",
    "anonymous": None,
}  # fmt: skip
TOPICS = (
    "pimqtt/car1/availability", "pimqtt/car1/info", "pimqtt/car1/marker", "pimqtt/car1/pump/availability",
    "pimqtt/car1/pump/state", "pimqtt/car1/pump/lease", "pimqtt/car1/pump/result", "pimqtt/car1/button/event",
    "pimqtt/car1/eye/image", "pimqtt/car1/call/result", "pimqtt/car1/stop/state", "pimqtt/car1/pump/set",
    "pimqtt/car1/eye/snapshot/set", "pimqtt/car1/pump/stop/set", "pimqtt/car1/stop/set", "pimqtt/car1/call",
    "pimqtt/car1/sim/4/set", "pimqtt/stop/set", "pimqtt/reply/olga/1", "homeassistant/status",
    "homeassistant/device/car1/pump/config", "homeassistant/switch/car1/pump/config", "somewhere/else",
    "$SYS/broker/version",
)  # fmt: skip


def table(broker: Hardened) -> str:
    """Try everything; return the table."""
    return asyncio.run(_table(broker))


def committed() -> str:
    """Return the table of the document."""
    return DOCUMENT.read_text().partition(BEGIN)[2].partition(END)[0]


def witnessed(broker: Hardened) -> Hardened:
    """Give the witness all rights there are."""
    acl = broker.folder / "acl"
    before, block, after = acl.read_text().partition(f"\nuser {WITNESS}\n")
    assert block
    acl.write_text(f"{before}{block}topic readwrite #\ntopic readwrite $SYS/#\n{after}")
    broker.reload()
    return broker


async def _table(broker: Hardened) -> str:
    rights = {name: await _rights(broker, login) if login else await _nobody(broker) for name, login in WHO.items()}
    lines = [f"| topic | {' | '.join(WHO)} |", f"|---|{'---|' * len(WHO)}"]
    lines += [f"| `{topic}` | {' | '.join(rights[name][topic] for name in WHO)} |" for topic in TOPICS]
    return "\n".join(lines) + "\n"


async def _nobody(broker: Hardened) -> dict[str, str]:
    """See that nobody comes in without a login."""
    for version in (aiomqtt.ProtocolVersion.V5, aiomqtt.ProtocolVersion.V311):
        assert "uthori" in await refused(broker, None, protocol=version)
    return dict.fromkeys(TOPICS, "")


async def _rights(broker: Hardened, login: str) -> dict[str, str]:
    reads, writes = await _read(broker, login), await _written(broker, login)
    return {topic: "r" * (topic in reads) + "w" * (topic in writes) for topic in TOPICS}


async def _written(broker: Hardened, login: str) -> set[str]:
    payload = f"from {login}".encode()
    async with client(broker, login) as writer, client(broker, WITNESS) as witness:
        for everything in ("#", "$SYS/#"):
            await witness.subscribe(everything, qos=1)
        for topic in TOPICS:
            await writer.publish(topic, payload, qos=1)
        await witness.publish(LAST, payload, qos=1)
        return await heard(witness, LAST, payload)


async def _read(broker: Hardened, login: str) -> set[str]:
    """Have the witness write; the broker's own topics are retained, and come at once or never. All hear the last."""
    payload, found = f"to {login}".encode(), set[str]()
    last = f"pimqtt/{login}/last" if login in NODES else "pimqtt/last"
    async with client(broker, login) as reader, client(broker, WITNESS) as witness:
        for everything in ("#", "$SYS/#"):
            await reader.subscribe(everything, qos=1)
        for topic in TOPICS:
            await witness.publish(topic, payload, qos=1)
        await witness.publish(last, payload, qos=1)
        async with asyncio.timeout(WITHIN_S):
            async for message in reader.messages:
                if message.topic.value == last:
                    return found
                if message.payload == payload or message.topic.value.startswith("$"):
                    found.add(message.topic.value)
    raise AssertionError


def measure() -> str:
    """Start the broker of `mosquitto/setup` and try everything on it."""
    with (
        tempfile.TemporaryDirectory() as folder,
        hardened_broker(Path(folder), NODES, [*PEOPLE, f"{WITNESS}:homeassistant"]) as broker,
    ):
        return table(witnessed(broker))


def main() -> int:
    """Write the table into the document."""
    text = DOCUMENT.read_text()
    before, begin, rest = text.partition(BEGIN)
    assert begin, f"{DOCUMENT} has no line {BEGIN}"
    DOCUMENT.write_text(before + begin + measure() + END + rest.partition(END)[2])
    return 0


if __name__ == "__main__":
    sys.exit(main())
