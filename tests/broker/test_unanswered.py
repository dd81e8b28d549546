"""What is easily answered by nobody: topics where nothing is, and answers that are more than the broker takes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.broker.steps import CAR, LAMP, Start, cleared, online, text, told
from tests.rig import Mosquitto, Node, Observer, observer

pytestmark = pytest.mark.broker

RESULT_KEYS = {"id", "outcome", "code", "reason", "value", "state", "ttl", "cause", "owner", "holder", "token"}
CALL_KEYS = {"id", "action", "outcome", "code", "reason", "result"}


# ---- topics where nothing is


@pytest.mark.parametrize("name", ["", "/car/limit/x", "/a/b/c/d", "/lamp/x", "/x"])
async def test_a_command_to_nothing_is_told_beside_it(
    node: Start, watch: Observer, broker: Mosquitto, name: str
) -> None:
    running = node(LAMP, CAR)
    await online(watch)
    topic = f"pimqtt/car1{name}"
    await watch.send(f"{topic}/set", {"value": "ON", "id": "lost", "owner": "me"}, retain=True)
    seen = await watch.wait(f"{topic}/result")
    answer = seen.json()
    assert set(answer) == RESULT_KEYS
    assert {
        "id": "lost",
        "outcome": "rejected",
        "code": "unknown",
        "value": "ON",
        "owner": "me",
    }.items() <= answer.items()
    assert (name.removeprefix("/") or "node") in answer["reason"]
    assert "lamp" in answer["reason"]
    assert not seen.retain
    await cleared(broker.port, f"{topic}/set")
    since = len(watch.seen)
    await watch.send(f"{topic}/set", "")
    await told(watch, "lamp", {"value": "ON"})
    assert not [s for s in watch.seen[since:] if s.topic == f"{topic}/result"]
    assert (running.levels(27), running.levels(5)) == ([0, 1], [0])


async def test_a_command_to_nothing_is_answered_to_its_response_topic_too(node: Start, watch: Observer) -> None:
    node(LAMP)
    await online(watch)
    await watch.send("pimqtt/car1/set", "ON", ResponseTopic="pimqtt/reply/me", CorrelationData=b"7")
    seen = await watch.wait("pimqtt/reply/me")
    assert seen.json()["code"] == "unknown"
    assert seen.properties.CorrelationData == b"7"


async def test_a_topic_too_long_to_be_answered_on_costs_nothing(node: Start, watch: Observer) -> None:
    running = node(LAMP)
    await online(watch)
    name = "x" * (65535 - len("pimqtt/car1//set"))
    await watch.send(f"pimqtt/car1/{name}/set", "ON")
    await watch.send(f"pimqtt/car1/{'ü' * 20_000}/set", {"value": "ON", "id": "u"})
    assert (await told(watch, "lamp", {"value": "ON"}))["outcome"] == "accepted"
    assert "Traceback" not in running.log.read_text()


# ---- answers that are more than the broker takes


#: The broker takes so much, of which at most so much is neither topic nor payload nor correlation data (bytes).
MOST, HEAD = 2500, 32


@pytest.fixture
def small(tmp_path: Path) -> Iterator[tuple[Mosquitto, Node]]:
    """Run a node on a broker that takes little."""
    with (
        Mosquitto(tmp_path, f"max_packet_size {MOST}\n") as broker,
        Node(tmp_path / "node", text(broker.port, LAMP)) as running,
    ):
        yield broker, running
    assert "Traceback" not in running.log.read_text()
    assert "oversize" not in (tmp_path / "mosquitto.log").read_text()


async def test_answers_to_calls_that_are_too_large_say_so_instead(small: tuple[Mosquitto, Node]) -> None:
    broker, running = small
    async with observer(broker.port) as watch:
        await watch.wait("pimqtt/car1/lamp/availability", timeout_s=10)
        calls = [{"action": "get_version", "id": number, "mine": "y" * 150} for number in range(10)]
        calls.append({"action": "dance", "id": 10})
        for _ in range(2):
            since = len(watch.seen)
            await watch.send("pimqtt/car1/call", calls)
            answers = (await watch.wait("pimqtt/car1/call/result", since=since)).json()
            assert [answer["id"] for answer in answers] == list(range(11))
            assert all(set(answer) == CALL_KEYS for answer in answers)
            assert [answer["code"] for answer in answers] == ["too_large"] * 10 + ["unknown"]
            assert {answer["outcome"] for answer in answers} == {"rejected"}
            assert all(answer["result"] is None for answer in answers)
            assert "bytes" in answers[0]["reason"]
        since = len(watch.seen)
        await watch.send("pimqtt/car1/call", {"action": "get_version", "id": "one", "mine": "z" * 2320})
        answer = (await watch.wait("pimqtt/car1/call/result", since=since)).json()
        assert (answer["id"], answer["action"], answer["code"]) == ("one", "get_version", "too_large")
        # so many that even the shorter form is too large: one answer for all of them
        since = len(watch.seen)
        await watch.send("pimqtt/car1/call", [{"action": "x"}] * 90)
        answer = (await watch.wait("pimqtt/car1/call/result", since=since)).json()
        assert set(answer) == CALL_KEYS
        assert answer["code"] == "too_large"
        lines = [line for line in running.log.read_text().splitlines() if "call/result" in line]
        assert len(lines) == 1
        assert "too_large" in lines[0]


async def test_results_that_are_too_large_are_told_in_short(small: tuple[Mosquitto, Node]) -> None:
    """Correlation data counts as well. What became of the command is told all the same."""
    broker, running = small
    async with observer(broker.port) as watch:
        await watch.wait("pimqtt/car1/lamp/availability", timeout_s=10)
        reply = f"pimqtt/reply/{'r' * 400}"

        async def ask(command_id: str, room: int, long: int = 150) -> int:
            since, size = len(watch.seen), MOST - HEAD - len(reply) - room
            command = {"value": "x" * long, "id": command_id, "owner": "o" * 64}
            await watch.send("pimqtt/car1/nobody/set", command, ResponseTopic=reply, CorrelationData=b"c" * size)
            full = (await watch.wait("pimqtt/car1/nobody/result", since=since)).json()
            assert (full["id"], full["code"], full["owner"]) == (command_id, "unknown", "o" * 64)
            return since

        since = await ask("fits", 600)
        assert (await watch.wait(reply, since=since)).json()["owner"] == "o" * 64
        since = await ask("short", 350)
        short = (await watch.wait(reply, since=since)).json()
        assert set(short) == RESULT_KEYS
        assert {"id": "short", "outcome": "rejected", "code": "unknown", "value": None}.items() <= short.items()
        assert "bytes" in short["reason"]
        since = await ask("none", 150, 1)
        assert (await told(watch, "lamp", {"value": "ON"}))["outcome"] == "accepted"
        assert not [s for s in watch.seen[since:] if s.topic == reply]
        assert len([line for line in running.log.read_text().splitlines() if reply[:100] in line]) == 1
        assert [s.text for s in watch.seen if s.topic == "pimqtt/car1/availability"] == ["online"]
