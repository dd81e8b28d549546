"""Fixtures of the tests on a real broker."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.broker.steps import Start, text
from tests.rig import Mosquitto, Node


@pytest.fixture
def start(broker: Mosquitto, tmp_path: Path, protocol: str) -> Iterator[Start]:
    """Start a node that speaks this version of MQTT."""
    started: list[Node] = []

    def begin(*devices: str, env: dict[str, str] | None = None, extra: str = "") -> Node:
        content = text(broker.port, *devices, mqtt=f'protocol: "{protocol}"', extra=extra)
        started.append(Node(tmp_path / "node", content, env).start())
        return started[-1]

    yield begin
    for running in started:
        running.__exit__(None, None, None)
