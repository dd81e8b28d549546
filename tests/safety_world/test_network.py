"""The two hosts and their cable."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from benchmarks.errors import BenchmarkError
from benchmarks.safety.world.network import ADDRESS, HOSTS, Network

pytestmark = pytest.mark.broker
PORT = 1883


@pytest.fixture
def network() -> Iterator[Network]:
    with Network() as made:
        yield made


@pytest.fixture
def broker(network: Network) -> Iterator[socket.socket]:
    with network.inside("broker"), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
        end.bind((ADDRESS["broker"], PORT))
        end.settimeout(1)
        yield end


@pytest.fixture
def agent(network: Network) -> Iterator[socket.socket]:
    with network.inside("agent"), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
        end.bind((ADDRESS["agent"], PORT))
        end.settimeout(1)
        yield end


def passes(sender: socket.socket, receiver: socket.socket, timeout_s: float = 1) -> bool:
    """Send until something arrives: cards need a moment when they come up."""
    receiver.settimeout(0.02)
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        sender.sendto(b"x", receiver.getsockname())
        try:
            return receiver.recv(1) == b"x"
        except TimeoutError:
            continue
    return False


def test_the_hosts_reach_each_other_and_nobody_else(
    network: Network, broker: socket.socket, agent: socket.socket
) -> None:
    assert passes(agent, broker)
    assert passes(broker, agent)
    routes = subprocess.run(
        network.command("agent", "ip", "route"), capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert len(routes) == 1
    assert routes[0].startswith("10.99.0.0/24 dev cable")


def test_a_cut_cable_carries_nothing_until_it_is_joined(
    network: Network, broker: socket.socket, agent: socket.socket
) -> None:
    assert passes(agent, broker)
    network.cut()
    with pytest.raises(OSError, match="unreachable"):
        broker.sendto(b"x", agent.getsockname())
    assert not passes(agent, broker, 0.3)
    card = subprocess.run(
        network.command("agent", "ip", "-br", "link", "show", "cable"), capture_output=True, text=True, check=True
    ).stdout
    assert "NO-CARRIER" in card, "the agent's card is up, its cable is out"
    network.join()
    assert passes(agent, broker, 3)
    assert passes(broker, agent)


def test_one_way_is_lost_and_the_other_is_not(network: Network, broker: socket.socket, agent: socket.socket) -> None:
    assert passes(agent, broker)
    network.drop_one_way("to_agent")
    assert passes(agent, broker)
    assert not passes(broker, agent, 0.3)
    network.drop_one_way("to_broker")
    assert not passes(agent, broker, 0.3)
    network.restore("to_agent")
    assert passes(broker, agent)
    assert not passes(agent, broker, 0.3)
    network.restore("to_broker")
    network.restore("to_broker")
    assert passes(agent, broker)


def test_some_packets_are_lost(network: Network, broker: socket.socket, agent: socket.socket) -> None:
    assert passes(agent, broker)
    network.drop_one_way("to_broker", percent=3)
    broker.settimeout(0)
    seen = 0
    for _ in range(500):
        for _ in range(10):
            agent.sendto(b"x", broker.getsockname())
        with contextlib.suppress(BlockingIOError):
            while broker.recv(1):
                seen += 1
    assert 4780 < seen < 4920


def test_a_thread_and_what_it_starts_stand_on_a_host_and_the_others_do_not(network: Network) -> None:
    def card() -> bool:
        return "cable" in Path("/proc/thread-self/net/dev").read_text()

    with ThreadPoolExecutor(1) as elsewhere:
        assert not elsewhere.submit(card).result()
        with network.inside("agent"):
            assert card()
            with ThreadPoolExecutor(1) as here:
                assert here.submit(card).result()
            assert not elsewhere.submit(card).result()
            started = subprocess.run(["cat", "/proc/net/dev"], capture_output=True, text=True, check=True)
            assert "cable" in started.stdout
    assert not card()


@pytest.mark.parametrize("end", [RuntimeError, KeyboardInterrupt])
def test_nothing_is_left_of_it_whatever_happens(end: type[BaseException]) -> None:
    with contextlib.suppress(end), Network() as network, network.inside("agent"):
        names = [network.host(host) for host in HOSTS]
        assert all(str(os.getpid()) in name for name in names)
        assert all(Path("/run/netns", name).exists() for name in names)
        raise end
    assert not any(Path("/run/netns", name).exists() for name in names)
    assert "cable" not in Path("/proc/thread-self/net/dev").read_text()


def test_two_do_not_collide(network: Network) -> None:
    with Network() as other:
        assert other.host("agent") != network.host("agent")
        assert Path("/run/netns", other.host("agent")).exists()


def test_who_is_not_root_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(BenchmarkError, match="needs root"):
        Network().__enter__()
