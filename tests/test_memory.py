"""What the agent keeps for the next start: what it heard of the pins, and else what it found."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from pimqtt_agent.broker import Incoming
from pimqtt_agent.devices import KINDS
from pimqtt_agent.memory import Memory
from pimqtt_agent.model import Model
from pimqtt_agent.store import Saved, load, write
from pimqtt_agent.topics import Topics

LAST: dict[str, Any] = {"id": "lamp", "kind": "switch", "pin": 27, "initial": "last"}
FOUND = Saved(resting={"lamp": True, "gone": True}, latched=["car", "gone"])


def made(folder: Path, *specs: dict[str, Any]) -> tuple[Memory, Model]:
    model = Model(Topics("pimqtt", "car1"), [KINDS[spec["kind"]].model_validate(spec) for spec in specs or (LAST,)])
    return Memory(folder, model), model


def test_a_run_that_heard_nothing_of_its_pins_leaves_everything_as_it_was(tmp_path: Path) -> None:
    write(tmp_path, "state.json", FOUND)
    before = (tmp_path / "state.json").stat().st_ino
    memory, _ = made(tmp_path)
    memory.latches_changed()
    memory.save()
    assert load(tmp_path) == FOUND
    assert (tmp_path / "state.json").stat().st_ino == before  # it was not even written


def test_a_first_run_that_heard_nothing_writes_nothing(tmp_path: Path) -> None:
    made(tmp_path)[0].save()
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_could_not_be_read_stays_latched_until_a_reset_was_heard(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_bytes(b"{")
    load(tmp_path)  # the supervisor, which fills the keepers' page
    memory, model = made(tmp_path)
    memory.save()
    assert load(tmp_path) == Saved(latched=[""])
    model.latched[""] = False
    memory.latches_changed()
    assert load(tmp_path) == Saved()


def test_what_was_heard_replaces_what_was_found_and_nothing_else(tmp_path: Path) -> None:
    write(tmp_path, "state.json", FOUND)
    memory, model = made(tmp_path)
    model.latched["car"] = False
    memory.latches_changed()
    assert load(tmp_path) == Saved(resting=FOUND.resting, latched=["gone"])
    lamp = model.thing("lamp", "")
    assert lamp
    lamp.resting = False
    memory.save()
    assert load(tmp_path) == Saved(resting={"lamp": False, "gone": True}, latched=["gone"])


def test_what_is_no_longer_to_be_kept_is_forgotten(tmp_path: Path) -> None:
    write(tmp_path, "state.json", FOUND)
    memory, model = made(tmp_path, {**LAST, "initial": "on"})
    lamp = model.thing("lamp", "")
    assert lamp
    lamp.resting = True
    memory.save()
    assert load(tmp_path).resting == {"gone": True}


async def test_a_reset_of_the_node_clears_devices_that_are_gone(tmp_path: Path) -> None:
    write(tmp_path, "state.json", FOUND)
    memory, model = made(tmp_path)
    model.latched.update({"": False, "car": False})
    memory.all_reset()
    memory.save()
    assert load(tmp_path).latched == []


async def test_a_latch_is_on_the_disk_at_once_though_a_thread_writes_resting_values(tmp_path: Path) -> None:
    memory, model = made(tmp_path)
    writing = asyncio.create_task(memory.run())
    lamp = model.thing("lamp", "")
    assert lamp
    memory.keeps_digests = True
    for number in range(20):
        lamp.resting = bool(number % 2)
        memory.resting_changed(lamp)
        memory.accepted(Incoming("pimqtt/car1/lamp/set", b"%d" % number, 0, retain=False, at_s=0))
        await asyncio.sleep(0.09)
        model.latched[""] = not number % 3
        memory.latches_changed()
        assert load(tmp_path).latched == ([""] if number % 3 == 0 else [])
    writing.cancel()
