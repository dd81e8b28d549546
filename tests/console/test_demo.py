"""`demo`: how it starts, by its embedded broker and by a real one, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.console import demo_process
from tests.console.conftest import Cli
from tests.console.demo_process import Demo, gone
from tests.rig import Mosquitto, free_port, wait_for

pytestmark = pytest.mark.broker  # at least its clients

demo = demo_process.demo


def test_it_ends_by_itself_with_0_and_leaves_nothing(demo: Callable[..., Demo]) -> None:
    shown = demo("--port", str(free_port()), "--seconds", "1")
    children = shown.children()
    assert {"pimqtt: supervisor", "pimqtt: agent", "pimqtt: keeper pins"} <= set(children.values())
    assert shown.process.wait(12) == 0
    assert gone(children)
    assert shown.complaints == ""
    assert "\x1b" not in shown.text
    assert len(shown.pasted()) >= 8
    assert shown.left() == []


def test_json_is_an_object_a_line_and_what_to_paste_stands_beside_it(cli: Cli) -> None:
    done = cli("demo", "--json", "--port", str(free_port()), "--seconds", "2")
    assert done.returncode == 0
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert {"pin": 17, "level": 0} in [{key: row[key] for key in ("pin", "level")} for row in told if "pin" in row]
    assert any((row.get("device"), row.get("what"), row.get("content")) == ("pump", "state", "OFF") for row in told)
    assert "mosquitto_pub" in done.stderr


def test_who_still_listens_does_not_keep_it_from_ending(demo: Callable[..., Demo]) -> None:
    port = free_port()
    shown = demo("--port", str(port))
    listen = ["mosquitto_sub", "-p", str(port), "-t", "#", "-F", "%t"]
    with subprocess.Popen(listen, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as listener:
        assert listener.stdout
        assert listener.stdout.readline()
        start_s = time.monotonic()
        assert shown.end() == 0
        assert time.monotonic() - start_s < 6
        listener.terminate()
    assert shown.complaints == ""


def test_a_quick_publisher_is_heard(demo: Callable[..., Demo]) -> None:
    port = free_port()
    shown = demo("--port", str(port))
    for number in range(20):
        topic = f"pimqtt/demo/sim/{number + 100}/set"
        subprocess.run(["mosquitto_pub", "-p", str(port), "-t", topic, "-m", "1"], check=True)
    wait_for(lambda: all(f"sim/{number + 100} " in shown.text for number in range(20)), what=shown.text[-2000:])


def test_a_broker_of_yours(demo: Callable[..., Demo], tmp_path: Path) -> None:
    with Mosquitto(tmp_path) as broker:
        shown = demo("--broker", f"127.0.0.1:{broker.port}")
        assert f"at your broker: 127.0.0.1:{broker.port}" in shown.text
        since = shown.paste("pump/set")
        shown.wait(r"pin 17 +level +1\n", since)
        everything = ["mosquitto_sub", "-p", str(broker.port), "-W", "1", "-F", "%t %l", "-t", "pimqtt/#"]
        everything += ["-t", "homeassistant/#"]
        seen = subprocess.run(everything, capture_output=True, text=True, check=False).stdout
        assert "homeassistant/device/demo/pump/config" in seen
        assert shown.end() == 0
        assert subprocess.run(everything, capture_output=True, text=True, check=False).stdout == ""


def test_a_port_in_use_and_no_broker_are_told(cli: Cli) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        done = cli("demo", "--plain", "--port", str(port), "--seconds", "1")
    assert (done.returncode, done.stderr) == (1, f"pimqtt: port {port} is in use; name another one, or none\n")
    done = cli("demo", "--plain", "--broker", f"127.0.0.1:{free_port()}", "--seconds", "1")
    assert done.returncode == 4
    assert "can't be reached" in done.stderr


def test_a_node_that_ends_is_told(demo: Callable[..., Demo]) -> None:
    shown = demo("--port", str(free_port()))
    (supervisor,) = [pid for pid, title in shown.children().items() if title == "pimqtt: supervisor"]
    os.kill(supervisor, signal.SIGKILL)
    assert shown.process.wait(10) == 1
    assert "the demo's node ended" in shown.complaints
    assert "Traceback" not in shown.complaints


def test_what_the_demo_started_ends_when_it_is_killed(demo: Callable[..., Demo]) -> None:
    shown = demo("--port", str(free_port()))
    children = shown.children()
    shown.process.kill()
    wait_for(lambda: gone(children), 8)
