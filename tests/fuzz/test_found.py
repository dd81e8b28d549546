"""What the fuzzer has found in the product, each once more by itself."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import socket
import time
import zlib
from pathlib import Path
from typing import Any

import pytest

from pimqtt_agent import safe_list
from pimqtt_agent.bridge import Bridge
from pimqtt_agent.console.demo_levels import _row
from pimqtt_agent.departed import Departed
from pimqtt_agent.errors import LinkError, RunningError
from pimqtt_agent.keeper import messages as wire
from pimqtt_agent.keeper.link import Link, pair
from pimqtt_agent.keeper.page import _END, Page
from pimqtt_agent.keeper.shell import Shell
from pimqtt_agent.keepers import KeeperLink
from pimqtt_agent.lock import lock
from pimqtt_agent.safe import node_of
from pimqtt_agent.session import _named
from pimqtt_agent.settings import MqttOptions
from pimqtt_agent.topics import is_publishable
from tests.fakes import FakeBoard

#: Text that is not UTF-8; lists without end; what is no file at all is made below.
UNREADABLE = [b"\x94\x17\xa1\xff\xa0\xc0", b"\x94\x17\xa1a\xa0" + b"\x91" * 3000 + b"\xc0"]


@pytest.mark.parametrize(
    "text", ["node:\n" + "  \n" * 4000 + "x", "node:\n" + "  # id: x\n" * 4000, "node:" + " " * 9000]
)
def test_safe_finds_the_node_of_a_file_of_blank_lines_at_once(text: str) -> None:
    begun = time.process_time()
    assert node_of(text) is None
    assert time.process_time() - begun < 1
    assert node_of("node:\n\n   \n  # x\n  name: y\n  id: porch # z\n") == "porch"


@pytest.mark.parametrize("frame", UNREADABLE)
@pytest.mark.parametrize("stamp", [b"\0\0\0\0", b"\0\0\0\x80"])
def test_a_frame_that_is_no_text_or_has_no_end_is_another_version(frame: bytes, stamp: bytes) -> None:
    one, two = pair()
    with one, two:
        one.send(stamp + (b"\x91" + frame if stamp[3] else frame))
        with pytest.raises(LinkError, match="another version"):
            Link(two).receive()


def test_so_is_a_descriptor_that_is_no_file() -> None:
    one, two = pair()
    reading, writing = os.pipe()
    with one, two:
        socket.send_fds(one, [b"\0\0\0\x40"], [reading])
        with pytest.raises(LinkError, match="another version"):
            Link(two).receive()
    os.close(reading)
    os.close(writing)


def test_an_empty_frame_with_a_descriptor_leaves_nothing_open() -> None:
    one, two = pair()
    with one, two, Path("/dev/null").open("rb") as file:
        before = len(list(Path("/proc/self/fd").iterdir()))
        socket.send_fds(one, [b""], [file.fileno()])
        with pytest.raises(LinkError, match="another version"):
            Link(two).receive()
        assert len(list(Path("/proc/self/fd").iterdir())) == before


async def test_the_agent_says_so_in_a_line_and_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    ours, theirs = pair()
    told: list[Any] = []
    link = KeeperLink(
        "", ours, [], tell=lambda _link, message: told.append(message), ask_beat=print, after=lambda: None
    )
    with ours, theirs:
        link.start()
        theirs.send(b"\0\0\0\0" + UNREADABLE[0])
        Link(theirs, 1).send(wire.Welcome(wire.VERSION, link._session, []))
        await asyncio.sleep(0.05)
        link.stop()
    assert "another version" in caplog.text
    assert "Traceback" not in caplog.text
    assert link.welcome


def test_a_keeper_leaves_out_what_only_keepers_say(caplog: pytest.LogCaptureFixture) -> None:
    one, two = pair()
    with one, two:
        shell = Shell(FakeBoard(), Page(), Link(one, 1), linger_s=1, clock=lambda: 0.0)
        shell.handle(wire.State("pump", "", True), 1.0)
        assert not shell.done
    assert "State" in caplog.text


def test_a_slot_that_is_no_text_is_torn() -> None:
    record = b"\x91\xa1\xff"
    page = Page()
    head = len(record).to_bytes(4, "little") + zlib.crc32(record).to_bytes(4, "little")
    page._map[: len(head + record)] = head + record
    page._map[_END] = 1
    assert page.read() == {}
    assert page.torn


@pytest.mark.parametrize(
    "change",
    [
        {"line": 1024},
        {"line": -1},
        {"line": 10**30},
        {"chip": "a\0b"},
        {"trace": "a\0"},
        {"trace": 5},
        {"backend": "kernel", "line": 1 << 32},
    ],
)
def test_a_row_that_no_chip_has_makes_safe_read_the_configuration(tmp_path: Path, change: dict[str, Any]) -> None:
    row = {"backend": "simulated", "chip": "c", "line": 1, "name": 1, "device": "a", "level": 0}
    whole = {"node": "car1", "owner": 1, "started": 1, "stopped": False, "rows": [row]}
    (tmp_path / "safe.json").write_text(json.dumps(whole))
    assert safe_list.read(tmp_path) == whole
    (tmp_path / "safe.json").write_text(json.dumps({**whole, "rows": [row, {**row, **change}]}))
    assert safe_list.read(tmp_path) is None


def test_so_does_a_list_nested_without_end(tmp_path: Path) -> None:
    (tmp_path / "safe.json").write_text("[" * 100_000)
    assert safe_list.read(tmp_path) is None


@pytest.mark.parametrize(
    "line",
    [b"", b"5", b'{"t_ns": {"t_ns": 1, "pin": 5, "value": 1}', b'{"pin": 5}', b'{"pin": "x", "value": 1}', b"\xff"],
)
def test_the_demo_leaves_out_a_row_of_the_trace_that_was_cut_off(line: bytes) -> None:
    assert _row(line) is None
    assert _row(b'{"t_ns": 1, "pin": 5, "value": 0.5}') == (5, 0.5)


@pytest.mark.parametrize("topic", ["", "a/#", "+", "a\0b", "x" * 70_000])
def test_what_a_registry_names_and_no_broker_takes_is_left_out(topic: str, tmp_path: Path) -> None:
    assert not is_publishable(topic)
    (tmp_path / "departed.json").write_text(json.dumps({topic: {"a": 1}, "old": {"b": 1}}))
    assert Departed(tmp_path, ()).announced.keys() == {"old"}


def test_another_boards_name_is_a_word_in_the_log() -> None:
    assert _named("car2") == "car2"
    assert _named("a\nERROR all is well") == repr("a\nERROR all is well")
    assert len(_named("x" * 10_000)) <= 60


async def test_a_broker_that_refuses_3_1_1_is_not_dialled_in_the_loop(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with socket.create_server(("127.0.0.1", 0)) as server:
        options = MqttOptions(host="127.0.0.1", port=server.getsockname()[1], protocol="3.1.1")
        assert not Bridge(options, "x", on_session=None, on_batch=None)._make()._reconnect_on_failure  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("content", "told"), [(b"12\n", "as pid 12"), (b"\xff\n", "as pid ?"), (b"1\nERROR all is well", "as pid ?")]
)
def test_a_lock_that_is_no_pid_is_told_in_a_line(content: bytes, told: str, tmp_path: Path) -> None:
    descriptor = lock(tmp_path, "car1")
    (tmp_path / "lock").write_bytes(content)
    with pytest.raises(RunningError, match=re.escape(told)) as error:
        lock(tmp_path, "car1")
    os.close(descriptor)
    assert str(error.value).isprintable()
