"""The relay, between a socket that stands for the agent and one that stands for the broker."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.safety.world.lane import Pace
from benchmarks.safety.world.relay import Relay
from tests.rig import ROOT, wait_for

pytestmark = pytest.mark.broker
WORDS = [b"%06d" % number for number in range(200)]


@pytest.fixture
def door() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)
        yield server


@pytest.fixture
def relay(door: socket.socket) -> Iterator[Relay]:
    with Relay(door.getsockname()[1], seed=8) as between:
        yield between


@pytest.fixture
def agent(relay: Relay) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", relay.port), 5) as end:
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield end


@pytest.fixture
def broker(door: socket.socket, agent: socket.socket) -> Iterator[socket.socket]:
    assert agent.getpeername()  # it is connected
    with door.accept()[0] as end:
        end.settimeout(5)
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield end


def receive(end: socket.socket, length: int) -> bytes:
    got = b""
    while len(got) < length and (more := end.recv(length - len(got))):
        got += more
    return got


def silent(end: socket.socket, seconds: float) -> bool:
    end.settimeout(seconds)
    try:
        end.recv(1)
    except TimeoutError:
        return True
    finally:
        end.settimeout(5)
    return False


def test_it_passes_everything_and_tells_when(relay: Relay, agent: socket.socket, broker: socket.socket) -> None:
    before = time.monotonic_ns()
    agent.sendall(b"command")
    assert receive(broker, 7) == b"command"
    broker.sendall(b"state")
    assert receive(agent, 5) == b"state"
    up, down = relay.passed()
    assert (up.direction, up.length, down.direction, down.length) == ("to_broker", 7, "to_agent", 5)
    assert before <= up.read_ns <= up.t_ns <= down.read_ns <= down.t_ns <= time.monotonic_ns()
    assert relay.passed("to_agent") == [down]


def test_much_passes_unchanged(relay: Relay, agent: socket.socket, broker: socket.socket) -> None:
    much = bytes(range(256)) * 4000
    agent.settimeout(10)
    broker.sendall(b"#")
    relay.delay(0.01, 0.001)
    assert receive(agent, 1) == b"#"
    agent.sendall(much[:100_000])
    assert receive(broker, 100_000) == much[:100_000]
    relay.release()
    agent.sendall(much[100_000:])
    assert receive(broker, len(much) - 100_000) == much[100_000:]
    assert sum(row.length for row in relay.passed("to_broker")) == len(much)


def test_held_one_way_waits_in_order_and_then_passes_at_once(
    relay: Relay, agent: socket.socket, broker: socket.socket
) -> None:
    relay.hold("to_agent")
    held = time.monotonic_ns()
    for word in WORDS:
        broker.sendall(word)
    agent.sendall(b"the other way")
    assert receive(broker, 13) == b"the other way"
    assert silent(agent, 0.3)
    assert relay.passed("to_agent") == []
    released = time.monotonic_ns()
    relay.release()
    assert receive(agent, 1200) == b"".join(WORDS)
    rows = relay.passed("to_agent")
    assert all(held < row.read_ns < released < row.t_ns < released + 200_000_000 for row in rows)


def test_a_delay_is_that_of_each_way(relay: Relay, agent: socket.socket, broker: socket.socket) -> None:
    relay.delay(0.1)
    since = time.monotonic()
    agent.sendall(b"a")
    broker.sendall(receive(broker, 1))
    assert receive(agent, 1) == b"a"
    assert 0.2 <= time.monotonic() - since < 0.3
    relay.release()
    since = time.monotonic()
    agent.sendall(b"b")
    assert receive(broker, 1) == b"b"
    assert time.monotonic() - since < 0.05


def test_what_is_lost_comes_late_and_what_follows_waits_behind(
    relay: Relay, agent: socket.socket, broker: socket.socket
) -> None:
    relay.delay(0.02, 0.05, "to_agent")
    for word in WORDS:
        broker.sendall(word)
        time.sleep(0.01)
    assert receive(agent, 1200) == b"".join(WORDS)
    rows = relay.passed("to_agent")
    late_s = [(row.t_ns - row.read_ns) / 1e9 for row in rows]
    assert min(late_s) >= 0.02
    stalled = [number for number, late in enumerate(late_s) if late >= 0.02 + 0.24]
    assert stalled
    first = stalled[0]
    behind = [row.t_ns for row in rows[first : first + 15]]
    assert behind[-1] - behind[0] < 50_000_000, "what waited behind a lost segment passes with it"


def test_three_of_a_hundred_stall_for_a_time_out_that_doubles() -> None:
    pace = Pace(seed=1)
    pace.set(delay_s=0.1, loss=0.03)
    drawn = [round(pace.late_s(), 3) for _ in range(100_000)]
    once, twice = drawn.count(0.5), drawn.count(1.3)
    assert 2700 < once < 3120
    assert 50 < twice < 130
    assert set(drawn) <= {0.1, 0.5, 1.3, 2.9, 6.1}
    pace.set()
    assert pace.late_s() == 0


def test_a_held_end_passes_after_what_was_said_before(
    relay: Relay, agent: socket.socket, broker: socket.socket
) -> None:
    relay.hold()
    agent.sendall(b"last will")
    agent.shutdown(socket.SHUT_WR)
    assert silent(broker, 0.2)
    relay.release("to_broker")
    assert receive(broker, 10) == b"last will"
    assert silent(agent, 0.1)
    relay.release()
    broker.close()
    assert agent.recv(1) == b""


def test_a_broker_that_is_gone_ends_connections_and_its_successor_gets_new_ones(
    relay: Relay, door: socket.socket, agent: socket.socket, broker: socket.socket
) -> None:
    broker.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # its end is a reset, as a killed one's
    broker.close()
    assert agent.recv(1) == b""
    address = door.getsockname()
    door.close()
    with socket.create_connection(("127.0.0.1", relay.port), 5) as refused:
        assert refused.recv(1) == b""
    with socket.create_server(address) as successor:
        successor.settimeout(5)
        with socket.create_connection(("127.0.0.1", relay.port), 5) as again, successor.accept()[0] as end:
            again.sendall(b"hello")
            assert receive(end, 5) == b"hello"
    assert relay.passed()[-1].connection == 3


@pytest.mark.parametrize("end", [RuntimeError, KeyboardInterrupt])
def test_nothing_is_left_of_it_whatever_happens(door: socket.socket, end: type[BaseException]) -> None:
    with contextlib.suppress(end), Relay(door.getsockname()[1]) as relay:
        assert relay._process
        pid, log = relay._process.pid, relay._log
        raise end
    assert not Path(f"/proc/{pid}").exists()
    assert not log.exists()


def test_it_ends_with_a_bench_that_is_killed(door: socket.socket) -> None:
    bench = f"import os; from {Relay.__module__} import Relay\nwith Relay({door.getsockname()[1]}) as relay:\n"
    bench += "    print(relay._process.pid, relay._log, flush=True); os.kill(os.getpid(), 9)"
    done = subprocess.run([sys.executable, "-c", bench], cwd=ROOT, capture_output=True, text=True, check=False)
    pid, log = done.stdout.split()
    Path(log).unlink()
    wait_for(lambda: not Path(f"/proc/{pid}").exists(), what="it ends")
