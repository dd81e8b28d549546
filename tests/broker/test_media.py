"""Pictures leave by a connection of their own, so that none holds up a stop or a state."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from tests.broker.steps import FAN, LAMP, Start, eventually, online, reached, seconds, text, told
from tests.rig import Mosquitto, Node, Observer, wait_for
from tests.wire import Wire

pytestmark = pytest.mark.broker

EYE = "{id: eye, kind: camera, source: synthetic}"
SIZE = (1280, 960)
#: As large as pictures may be.
LARGE = "{id: eye, kind: camera, source: {file: noise.avi}, width: 1280, height: 960, max_bytes: 999999, quality: 92}"
IMAGE = "pimqtt/car1/eye/image"
MAIN, MEDIA = "pimqtt-car1", "pimqtt-car1-media"
_PUBLISHED = re.compile(r"Received PUBLISH from (\S+) \(.*?'([^']+)', \.\.\. \((\d+) bytes\)\)")
#: From a stop's sending to the pin, on a loaded machine (s); a picture takes seconds.
STOPPED_S = 0.3
BYTES_PER_S = 150_000.0


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """A broker that logs every message and who sent it."""
    with Mosquitto(tmp_path, "log_type all\n") as mosquitto:
        yield mosquitto


@pytest.fixture
async def wire(broker: Mosquitto) -> AsyncIterator[Wire]:
    """The node's way to the broker."""
    async with Wire(broker.port) as way:
        yield way


@pytest.fixture
async def running(wire: Wire, tmp_path: Path) -> AsyncIterator[Node]:
    """A node with a fan and a camera at the other end of it."""
    (tmp_path / "node").mkdir()
    noise(tmp_path / "node/noise.avi")
    fan = FAN.replace("deadman: 0.5", "deadman: 0.5, ttl: {max: 30}")
    started = Node(tmp_path / "node", text(wire.port, fan, LARGE))
    try:
        await asyncio.to_thread(started.start)
        yield started
    finally:
        await asyncio.to_thread(started.__exit__, None, None, None)


def noise(path: Path) -> None:
    """Film what no codec makes small."""
    random, (width, height) = np.random.default_rng(1), SIZE
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("rawvideo", rate=5)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(3):
            picture = random.integers(0, 256, (height * 3 // 2, width), np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format=stream.pix_fmt)
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def published(broker: Mosquitto) -> list[tuple[str, str, int]]:
    """List what the broker got: client, topic, bytes."""
    log = (broker.folder / "mosquitto.log").read_text()
    return [(client, topic, int(size)) for client, topic, size in _PUBLISHED.findall(log)]


@pytest.mark.parametrize("again", [1, 3])
async def test_pictures_and_nothing_else_come_by_the_media_connection(
    node: Start, watch: Observer, broker: Mosquitto, again: int
) -> None:
    node(LAMP, EYE)
    await online(watch)
    await watch.wait(IMAGE)
    for _ in range(again):
        since = len(watch.seen)
        await watch.send("pimqtt/car1/eye/snapshot/set", "PRESS")
        await told(watch, "lamp", {"value": "ON"})
        await watch.wait(IMAGE, since=since)
        await watch.wait("pimqtt/car1/eye/taken/state", since=since)
    got = published(broker)
    assert {topic for client, topic, _ in got if client == MEDIA} == {IMAGE}
    main = {topic for client, topic, _ in got if client == MAIN}
    assert {"pimqtt/car1/lamp/state", "pimqtt/car1/eye/taken/state", "pimqtt/car1/availability"} < main
    assert IMAGE not in main
    pictures = [len(seen.payload) for seen in watch.seen if seen.topic == IMAGE]
    assert len(pictures) >= 1 + again
    wait_for(lambda: [size for _, topic, size in published(broker) if topic == IMAGE][: len(pictures)] == pictures)


async def test_a_picture_under_way_delays_no_stop(wire: Wire, running: Node, watch: Observer) -> None:
    await online(watch)
    before = len((await watch.wait(IMAGE, timeout_s=20)).payload)
    assert before > 800_000
    await watch.send("pimqtt/car1/fan/set", {"value": 60, "ttl": 25, "owner": "me"})
    await reached(running, 23, 0.6)
    wire.bytes_per_s[MEDIA], sent = BYTES_PER_S, wire.sent[MEDIA]
    since = len(watch.seen)
    await watch.send("pimqtt/car1/eye/snapshot/set", "PRESS")
    await eventually(lambda: wire.sent[MEDIA] > sent + 50_000, 20, "a picture under way")
    for value in ("stop", "forward", "stop"):
        sent_ns, told_since = time.monotonic_ns(), len(watch.seen)
        await watch.send("pimqtt/car1/fan/set", value)
        if value == "stop":
            assert seconds(sent_ns, await reached(running, 23, 0)) < STOPPED_S
        said = await watch.wait("pimqtt/car1/fan/state", since=told_since)
        assert said.at_s - sent_ns / 1e9 < STOPPED_S
    assert not [seen for seen in watch.seen[since:] if seen.topic == IMAGE]
    assert sent + 50_000 < wire.sent[MEDIA] < sent + before / 2
    picture = await watch.wait(IMAGE, timeout_s=20, since=since)
    assert picture.payload.startswith(b"\xff\xd8")
    assert picture.payload.endswith(b"\xff\xd9")
    assert len(picture.payload) > 800_000
