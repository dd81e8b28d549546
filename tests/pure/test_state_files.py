"""Each file of the state folder, spoiled in every way: whole or told, never half believed; a latch is never lost."""

from __future__ import annotations

import json
import logging
import os
import random
import signal
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pimqtt_agent import safe_list, store
from pimqtt_agent.digests import Digests
from pimqtt_agent.store import Saved, load, write
from tests.rig import ROOT

SAVED = Saved(resting={"pump": True, "lamp": {"on": True, "brightness": 7}, "car/limit": 50.0}, latched=["car"])
LATCHED = Saved(latched=[""])
#: The other files, with what they may hold and how they are read; what can't be read is what a first start knows.
OTHERS: dict[str, tuple[Any, Callable[[Path], Any]]] = {
    "digests.json": ({"pimqtt/car1/pump/set": ["aa", "bb"]}, store.load_digests),
    "registry.json": (["homeassistant/device/car1/pump/config"], store.load_registry),
    "departed.json": ({"pump": {"name": "Pump", "components": {}}}, store.load_departed),
    "instances.json": (["0a1b2c3d4e5f"], store.load_instances),
}


def whole(folder: Path, name: str, content: Any) -> bytes:
    """Write a file as the product does and return its bytes."""
    assert write(folder, name, content)
    return (folder / name).read_bytes()


def spoiled(content: bytes) -> list[bytes]:
    """Cut it at every length; turn every bit; zero every half block that a bad card may lose."""
    cuts = [content[:length] for length in range(len(content))]
    bits = [
        content[:place] + bytes([content[place] ^ 1 << bit]) + content[place + 1 :]
        for place in range(len(content))
        for bit in range(8)
    ]
    return [*cuts, *bits, bytes(len(content)), content[: len(content) // 2].ljust(len(content), b"\0"), 2 * content]


def test_a_state_that_is_spoiled_anywhere_is_latched_or_was_not_changed(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    for content in spoiled(whole(tmp_path, "state.json", SAVED)):
        path.write_bytes(content)
        assert load(tmp_path) in (LATCHED, SAVED), content


@pytest.mark.parametrize("number", [-(2**63) - 1, 2**64, 10**400])
def test_one_with_a_number_that_no_keeper_can_be_told_is_latched(tmp_path: Path, number: int) -> None:
    state = json.dumps([{"fan": number}, []], separators=(",", ":"))
    content = f'{{"resting":{{"fan":{number}}},"latched":[],"crc32":{zlib.crc32(state.encode())}}}'
    (tmp_path / "state.json").write_text(content)
    assert load(tmp_path) == LATCHED


def test_one_that_is_damaged_where_nobody_looks_is_latched(tmp_path: Path) -> None:
    content = whole(tmp_path, "state.json", SAVED)
    (tmp_path / "state.json").write_bytes(content[:-1] + b',"\xfdfan":5}')
    assert load(tmp_path) == LATCHED


@pytest.mark.parametrize("name", [b"", b',"crc3\xe4":5', b',"crc3":5', b',"crc32":null'])
def test_one_whose_checksum_is_gone_is_latched(tmp_path: Path, name: bytes) -> None:
    (tmp_path / "state.json").write_bytes(b'{"resting":{"pump":true},"latched":["car"]' + name + b"}")
    assert load(tmp_path) == LATCHED


def test_a_latch_outlives_a_start_that_could_not_write_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The disk is full, or the start is killed before the latch is written: the next start is not the first."""
    (tmp_path / "state.json").write_bytes(b"{")
    monkeypatch.setattr(store, "write", lambda *_: False)
    assert load(tmp_path) == LATCHED
    assert load(tmp_path) == LATCHED
    assert (tmp_path / "state.broken").read_bytes() == b"{"
    monkeypatch.undo()
    assert load(tmp_path) == LATCHED
    caplog.clear()
    assert load(tmp_path) == LATCHED
    assert caplog.text == ""


def test_what_can_not_be_moved_aside_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "state.json").write_bytes(b"{")
    (tmp_path / "state.broken" / "in the way").mkdir(parents=True)
    assert load(tmp_path) == LATCHED
    assert "state.json can't be used" in caplog.text
    assert "it can't be moved aside (Is a directory); every output is latched at safe" in caplog.text


@pytest.mark.parametrize("name", OTHERS)
def test_another_file_that_is_cut_anywhere_is_moved_aside_and_told(
    name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    content, read = OTHERS[name]
    path, broken = tmp_path / name, (tmp_path / name).with_suffix(".broken")
    good = whole(tmp_path, name, content)
    assert read(tmp_path) == content
    for length in range(len(good)):
        path.write_bytes(good[:length])
        caplog.clear()
        with caplog.at_level(logging.ERROR):
            found = read(tmp_path)
        assert found != content
        assert f"{name} can't be used" in caplog.text
        assert f"moved aside as {broken.name}" in caplog.text
        assert broken.read_bytes() == good[:length]
    assert not path.exists()


@pytest.mark.parametrize("name", OTHERS)
def test_no_turned_bit_in_another_file_raises(name: str, tmp_path: Path) -> None:
    content, read = OTHERS[name]
    for bad in spoiled(whole(tmp_path, name, content)):
        (tmp_path / name).write_bytes(bad)
        assert isinstance(read(tmp_path), type(content))


@pytest.mark.parametrize("name", ["digests.log", "digests.log.1"])
def test_a_log_of_digests_that_is_spoiled_anywhere_costs_lines_and_a_message(
    name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    topic, digests = "pimqtt/car1/pump/set", ["0011", "2233", "4455"]
    known = Digests(tmp_path / "good")
    for digest in digests:
        known.add(topic, digest)
    good = (tmp_path / "good" / "digests.log").read_bytes()
    for bad in spoiled(good):
        (tmp_path / name).write_bytes(bad)
        caplog.clear()
        found = [digest for digest in digests if (topic, digest) in Digests(tmp_path)]
        if good.startswith(bad):
            assert found == digests[: len(found)]
            assert len(found) >= bad.count(b"]")
            assert ("left out" in caplog.text) is (bool(bad.strip()) and not bad.endswith((b"]", b"\n")))


def test_the_list_of_safe_that_is_cut_anywhere_is_none(tmp_path: Path) -> None:
    """Then `pimqtt safe` takes the configuration: tests/safe/test_configuration.py."""
    row = {"backend": "simulated", "chip": "levels", "line": 17, "name": "17", "device": "pump", "level": 0}
    safe_list.write(tmp_path, "car1", [row], 1)
    good = (tmp_path / safe_list.NAME).read_bytes()
    assert safe_list.read(tmp_path)
    for length in range(len(good)):
        (tmp_path / safe_list.NAME).write_bytes(good[:length])
        assert safe_list.read(tmp_path) is None


#: Writes the two states in turns, and tells each digest once it is remembered.
WRITER = """
import sys
from pathlib import Path
from pimqtt_agent.digests import Digests
from pimqtt_agent.store import File, Saved
folder = Path(sys.argv[1])
file, digests = File(folder, "state.json"), Digests(folder)
for number in range(1_000_000):
    file.write(file.snapshot(Saved({"pump": bool(number % 2), "x": "y" * 20_000}, ["car"] * (number % 2))))
    digests.add("t", f"{sys.argv[2]}-{number}")
    print(number, flush=True)
    if number % 3 == 0:
        digests.save(digests.begin_save())
"""
KILLS = 40
STATES = [Saved({"pump": bool(n), "x": "y" * 20_000}, ["car"] * n) for n in (0, 1)]


@pytest.mark.timeout(120)
def test_killed_in_the_middle_of_writing_the_file_is_the_old_or_the_new_one(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    draw = random.Random(4)
    caught_writing = 0
    for turn in range(KILLS):
        command = [sys.executable, "-c", WRITER, str(tmp_path), str(turn)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)}) as writer:
            assert writer.stdout
            for _ in range(draw.randrange(1, 5)):
                writer.stdout.readline()
            signal.sigtimedwait([], draw.uniform(0, 0.004))
            writer.kill()
            told = writer.stdout.read().split()
        caught_writing += (tmp_path / ".state.json.new").exists()
        assert load(tmp_path) in STATES
        if told:
            assert ("t", f"{turn}-{int(told[-1])}") in Digests(tmp_path)
    assert caught_writing, "no kill came while a file was being written"
    assert not list(tmp_path.glob("*.broken"))
    assert "can't be used" not in caplog.text
