"""A keeper that hears another version of the link puts its outputs where they end, says so, and goes."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from pimqtt_agent import safe_list
from pimqtt_agent.clock import boottime_s
from pimqtt_agent.config import load
from pimqtt_agent.keeper import messages as wire
from pimqtt_agent.keeper.link import Link, pair
from pimqtt_agent.keeper.page import Page
from pimqtt_agent.keeper.process import Keeper, Task
from tests.rig import config

DEVICES = (
    "{id: pump, kind: switch, pin: 17}",
    "{id: lamp, kind: switch, pin: 27, on_stop: on}",
    "{id: fan, kind: motor, forward: 23, backward: 24, deadman: 5}",
)
#: A hello with another number, and a message that nobody here knows.
OTHERS = {
    "another number": wire.encode(wire.Hello(wire.VERSION + 1, 7, [])),
    "not understood": b"\x92\x7f\x01",
}


@pytest.mark.parametrize("other", OTHERS)
def test_it_does_on_stop_and_ends(tmp_path: Path, other: str) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(config(1883, *DEVICES))
    settings = load(file)
    keeper_end, agent_end = pair()
    control, supervisor_end = pair()
    read, write = os.pipe()
    try:
        task = Task(
            settings=settings, devices=settings.devices, generation=1, page=Page(), link=keeper_end, control=control,
            runtime=tmp_path, owner=os.getpid(),
        )  # fmt: skip
        keeper, agent = Keeper(task, read), Link(agent_end, 1)
        for seq, (device, value) in enumerate((("pump", True), ("lamp", True), ("fan", 60.0)), 1):
            ttl_s = 5.0 if device == "fan" else 30.0
            now = boottime_s()
            agent.send(wire.Do(seq, device, "", value, ttl_s, False, "me", 0, None, None, "", now, None, True))
        for _ in range(3):
            keeper._read_link()
        agent.socket.send(bytes(4) + OTHERS[other])
        keeper.run()
        said = []
        while messages := agent.receive():
            said += [message for _, message in messages]
    finally:
        for end in (keeper_end, agent_end, control, supervisor_end):
            end.close()
        os.close(read)
        os.close(write)
    assert {m.device: m.cause for m in said if isinstance(m, wire.Reverted)} == dict.fromkeys(
        ("pump", "lamp", "fan"), "stopped"
    )
    assert said[-1] == wire.Bye("another version of the link")
    rows = [json.loads(line) for line in (tmp_path / "trace.jsonl").read_text().splitlines()]
    assert [[row["value"] for row in rows if row["pin"] == pin] for pin in (17, 27, 23)] == [
        [0, 1, 0],
        [0, 1],
        [0, 0.6, 0],
    ]
    listed = safe_list.read(tmp_path)
    assert listed
    assert listed["stopped"], "it ended in order"
