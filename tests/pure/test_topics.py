"""Topics are made and taken apart in one place, and no two things share one."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pimqtt_agent.topics import RESERVED_IDS, RESERVED_NODES, Topics

WORDS = st.sampled_from(["config", "device", "car-1", "car_1", "1", "-", "homeassistant", "pimqtt", "reply"])
NAMES = st.text("abcxyz019_-", min_size=1, max_size=6) | WORDS
IDS = NAMES.filter(lambda name: name not in RESERVED_IDS)
NODES = NAMES.filter(lambda name: name not in RESERVED_NODES)
LEVELS = st.sampled_from(["set", "state", "lease", "result", "event", "image"])
CAR = Topics("pimqtt", "car1")


def matches(pattern: str, topic: str) -> bool:
    """Say whether an MQTT subscription without ``#`` takes a topic."""
    parts, levels = pattern.split("/"), topic.split("/")
    return len(parts) == len(levels) and all(p in ("+", level) for p, level in zip(parts, levels, strict=True))


def listens(topics: Topics, topic: str) -> bool:
    return any(matches(pattern, topic) for pattern in topics.subscriptions())


def test_the_contract() -> None:
    assert CAR.availability == "pimqtt/car1/availability"
    assert CAR.info == "pimqtt/car1/info"
    assert CAR.marker == "pimqtt/car1/marker"
    assert (CAR.call, CAR.call_result) == ("pimqtt/car1/call", "pimqtt/car1/call/result")
    assert CAR.device("pump", "availability") == "pimqtt/car1/pump/availability"
    assert CAR.entity("pump", "", "set") == "pimqtt/car1/pump/set"
    assert CAR.entity("car", "limit", "state") == "pimqtt/car1/car/limit/state"
    assert CAR.all_stop == "pimqtt/stop/set"
    assert CAR.stop("", "set") == "pimqtt/car1/stop/set"
    assert CAR.stop("car", "state") == "pimqtt/car1/car/stop/state"
    assert CAR.discovery("pump") == "homeassistant/device/car1/pump/config"
    assert CAR.reply_prefix == "pimqtt/reply/"
    assert CAR.ha_status == "homeassistant/status"


def test_the_reserved_words() -> None:
    words = "availability info call result stop set state lease image event sim marker system"
    assert set(words.split()) == RESERVED_IDS
    assert {"stop", "reply"} == RESERVED_NODES


def test_home_assistants_status_does_not_follow_the_discovery_prefix() -> None:
    assert Topics("pimqtt", "car1", "ha").ha_status == "homeassistant/status"
    assert Topics("pimqtt", "car1", "ha").discovery("pump") == "ha/device/car1/pump/config"


@given(
    base=st.sampled_from(["pimqtt", "home/pi", "a-b_c"]), node=NODES, device=IDS, key=st.just("") | IDS, level=LEVELS
)
def test_an_entitys_topic_round_trips(base: str, node: str, device: str, key: str, level: str) -> None:
    topics = Topics(base, node)
    assert topics.below(topics.entity(device, key, level)) == [*filter(None, (device, key)), level]


@given(node=NODES, device=IDS | st.just("system"))
def test_a_discovery_topic_round_trips(node: str, device: str) -> None:
    topics = Topics("pimqtt", node)
    assert topics.discovered(topics.discovery(device)) == device


@given(mine=NODES, other=NODES, device=IDS)
def test_another_nodes_topics_are_not_ours(mine: str, other: str, device: str) -> None:
    assume(mine != other)
    ours, theirs = Topics("pimqtt", mine), Topics("pimqtt", other)
    assert ours.below(theirs.entity(device, "", "set")) == []
    assert ours.discovered(theirs.discovery(device)) is None
    assert not listens(ours, theirs.entity(device, "", "set"))
    assert not listens(ours, theirs.discovery(device))


@pytest.mark.parametrize(
    "topic",
    [
        "homeassistant/device/car1/config",
        "homeassistant/device/car1//config",
        "homeassistant/device/car1/a/b/config",
        "homeassistant/device/car1/a/config/more",
        "homeassistant/device/car10/a/config",
        "homeassistant/switch/car1/a/config",
        "",
    ],
)
def test_what_is_no_discovery_of_ours_is_none(topic: str) -> None:
    assert CAR.discovered(topic) is None


@given(
    one=st.tuples(IDS, st.just("") | IDS, LEVELS),
    two=st.tuples(IDS, st.just("") | IDS, LEVELS),
)
def test_no_two_entities_share_a_topic(one: tuple[str, str, str], two: tuple[str, str, str]) -> None:
    assert (CAR.entity(*one) == CAR.entity(*two)) == (one == two)


@given(device=IDS, key=st.just("") | IDS, level=LEVELS)
def test_no_entity_has_a_topic_of_the_node_or_of_a_stop(device: str, key: str, level: str) -> None:
    nodes = {CAR.availability, CAR.info, CAR.marker, CAR.call, CAR.call_result, CAR.device(device, "availability")}
    stops = {CAR.stop(name, word) for name in ("", device) for word in ("set", "state", "result")}
    assert CAR.entity(device, key, level) not in nodes | stops


@given(node=NODES, device=IDS, key=IDS, pin=st.integers(0, 60))
def test_it_listens_to_every_command(node: str, device: str, key: str, pin: int) -> None:
    topics = Topics("pimqtt", node)
    commands = [
        topics.entity(device, "", "set"),
        topics.entity(device, key, "set"),
        topics.stop("", "set"),
        topics.stop(device, "set"),
        topics.all_stop,
        topics.call,
        topics.marker,
        topics.availability,
        topics.info,
        topics.ha_status,
        topics.discovery(device),
        f"{topics.root}/sim/{pin}/set",
    ]
    for topic in commands:
        assert sum(matches(pattern, topic) for pattern in topics.subscriptions()) == 1, topic
    for level in ("state", "lease", "result", "event", "image"):
        assert not listens(topics, topics.entity(device, "", level))
        assert not listens(topics, topics.entity(device, key, level))


def test_it_hears_commands_to_nothing_and_knows_where_to_say_so() -> None:
    for name in ("", "/a", "/a/b", "/a/b/c", "/a/b/c/d"):
        topic = f"pimqtt/car1{name}/set"
        assert sum(matches(pattern, topic) for pattern in CAR.subscriptions()) == 1, topic
        assert CAR.result("/".join(CAR.below(topic)[:-1])) == f"pimqtt/car1{name}/result"
    assert not any("#" in pattern for pattern in CAR.subscriptions())
