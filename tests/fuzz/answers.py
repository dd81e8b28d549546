"""What a node may do with a message, and what it must: judged by pins, answers and what its keeper was asked."""

from __future__ import annotations

from typing import Any, NamedTuple

from pimqtt_agent.broker import Incoming
from pimqtt_agent.entities import Button
from pimqtt_agent.keeper import messages as wire
from pimqtt_agent.model import Thing
from tests.fuzz.node import Node
from tests.fuzz.reference import NOTHING, fits, value_of
from tests.fuzz.target import Finding

KINDS = {
    "pump": "switch",
    "heater": "switch",
    "cooler": "switch",
    "guard": "switch",
    "lamp": "light",
    "glow": "light rgb",
    "fan": "motor",
    "winch": "motor",
    "arm": "servo",
    "car": "drive",
    "truck": "drive",
    "car/limit": "number",
    "truck/limit": "number",
}
OUTCOMES = {"accepted", "rejected", "reverted"}
CODES = set(
    "invalid out_of_range ttl_range ttl_required stale retained held let_go latched not_armed token interlock min_off "  # noqa: SIM905
    "unavailable unknown forbidden too_large".split()
)


class Before(NamedTuple):
    """What held when a message came."""

    latched: list[str]
    replaying: bool


def check_movement(node: Node, message: Incoming, before: Before, heard: list[wire.Message]) -> None:
    """Tell a movement that no valid command explains; ``heard`` is what the keeper answered."""
    done = (wire.Pending, wire.Reverted)
    if not any(isinstance(part, done) or getattr(part, "code", None) == "" for part in heard):
        raise Finding(f"pins moved, and nothing was accepted: {message}")
    thing, value = node.model.by_set.get(message.topic), value_of(message.payload)
    if message.topic in node.router._stops.topics:
        if value != "ON" and not before.replaying:
            raise Finding(f"pins moved by a reset: {message}")
    elif before.replaying and message.topic.endswith("/marker"):
        return  # what was held is done
    elif thing is None or value is NOTHING or not fits(KINDS.get(thing.name, ""), value):
        raise Finding(f"pins moved by what is no command: {message}")
    elif {"", thing.device.id} & set(before.latched):
        raise Finding(f"pins moved while latched: {message}")


def check_answered(node: Node, message: Incoming) -> None:
    """Tell a command that was neither done nor refused, and one that was passed on though it is none."""
    thing = node.model.by_set.get(message.topic)
    asked = [part for part in node.asked if isinstance(part, wire.Do | wire.Press | wire.Latch | wire.Simulate)]
    if thing is not None:
        _check_passed_on(message, thing, asked)
    if asked or node.restarts or not (thing or _is_for_us(node, message.topic)):
        return
    told = {topic for topic, _ in node.broker.told}
    if message.retain and node.broker.version != "5" and message.topic in told:
        return  # a replay that is known is cleared
    if not any(topic.endswith("/result") for topic in told):
        raise Finding(f"neither done nor refused: {message}")


def _is_for_us(node: Node, topic: str) -> bool:
    root, below = topic[:12], topic[12:]
    ours = root == "pimqtt/car1/" and (below.split("/")[-1] == "set" or below == "call")
    return ours or topic in node.router._stops.topics


def _check_passed_on(message: Incoming, thing: Thing, asked: list[Any]) -> None:
    value, kind = value_of(message.payload), KINDS.get(thing.name, "press")
    if not asked or message.topic.endswith("/stop/set"):
        return
    if isinstance(thing.entity, Button):
        kind = "press"
    if value is NOTHING or not fits(kind, value):
        raise Finding(f"passed on as a command: {message}: {asked}")
    for part in asked:
        if isinstance(part, wire.Do):
            check_do(part)


def check_do(part: wire.Do) -> None:
    """Tell what no keeper may be handed."""
    times = [part.ttl_s, part.transition_s, part.at_s]
    values = list(part.value.values()) if isinstance(part.value, dict) else [part.value]
    flat = [inner for value in values for inner in (value if isinstance(value, list) else [value])]
    for figure in (*times, *flat):
        if isinstance(figure, int | float) and not (-1e308 <= figure <= 1e308):
            raise Finding(f"{figure!r} is on its way to a pin: {part}")
    if part.ttl_s is not None and part.ttl_s <= 0:
        raise Finding(f"a ttl of {part.ttl_s}: {part}")


def check_result(answer: Any) -> None:
    """Tell a result that is not as the contract says."""
    if not isinstance(answer, dict) or answer.get("outcome") not in OUTCOMES:
        raise Finding(f"no result: {answer}")
    if (answer["outcome"] == "rejected") != (answer.get("code") in CODES):
        raise Finding(f"outcome and code do not fit: {answer}")
    if answer["outcome"] == "rejected" and not answer["reason"]:
        raise Finding(f"refused without a reason: {answer}")
