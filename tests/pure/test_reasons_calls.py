"""A reason quotes what it refuses: calls and buttons of the node."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pimqtt_agent.calls import MOST, Calls
from pimqtt_agent.commands import MAX_BYTES
from pimqtt_agent.devices.system import System, SystemDevice
from pimqtt_agent.errors import CommandError
from pimqtt_agent.keeper import messages as wire
from pimqtt_agent.keepers import KeeperLink
from pimqtt_agent.model import Model
from pimqtt_agent.topics import Topics
from tests.pure.reasons import DEVICES, lacks


class Keeper(KeeperLink):
    """A keeper whose camera is out, and whose outputs give tokens."""

    def __init__(self) -> None:
        """Open no link."""

    def ask(self, make: Any, done: Any, *, again: bool = False, now: bool = False) -> None:  # noqa: ARG002
        asked = make(1)
        ill = isinstance(asked, wire.Press)
        code, reason = ("unavailable", f"{asked.device}: the cable is out") if ill else ("", "")
        done(wire.Answer(1, code, reason, None, None, None, "t0", {"max_age_s": 0.5}))

    def tell(self, message: wire.Message) -> None:
        """Hear heartbeats."""


async def answer(payload: bytes, *, retained: bool = False) -> Any:
    model, keeper = Model(Topics("pimqtt", "car1"), DEVICES.values()), Keeper()
    return await Calls(model, lambda _: keeper, dict).answer(payload, 0.0, retained=retained)


CALLS: list[tuple[Any, str, list[str]]] = [
    ([], "invalid", ["0", str(MOST)]),
    ([{}] * (MOST + 1), "invalid", [str(MOST + 1), str(MOST)]),
    (7, "invalid", ["7", "action"]),
    ({}, "invalid", ["'action'", "missing"]),
    ({"action": 5}, "invalid", ["action", "5"]),
    ({"action": "dance"}, "unknown", ["'dance'", "get_version"]),
    ({"action": "heartbeat"}, "invalid", ["'owner'", "missing"]),
    ({"action": "heartbeat", "owner": 5}, "invalid", ["owner", "5", "64"]),
    ({"action": "token"}, "invalid", ["'device'", "missing"]),
    ({"action": "token", "device": ["car"]}, "invalid", ["device", "['car']"]),
    ({"action": "token", "device": "cart"}, "unknown", ["'cart'", "car, "]),
    ({"action": "token", "device": "car", "entity": "halt"}, "unknown", ["'car/halt'", "car/limit"]),
    ({"action": "token", "device": "car", "entity": 5}, "invalid", ["entity", "5"]),
    ({"action": "snapshot", "device": "car"}, "unknown", ["'car'", "eye"]),
    ({"action": "snapshot", "device": "eye"}, "unavailable", ["eye"]),
    ({"action": "get_version", "pad": "x" * MAX_BYTES}, "too_large", [str(MAX_BYTES)]),
]


@pytest.mark.parametrize(("call", "code", "parts"), CALLS)
async def test_of_a_call(call: Any, code: str, parts: list[str]) -> None:
    found = await answer(json.dumps(call).encode())
    assert (found["outcome"], found["code"], found["result"]) == ("rejected", code, None)
    assert lacks(found["reason"], parts) == [], found["reason"]


async def test_of_a_retained_call() -> None:
    found = await answer(b'{"action": "snapshot", "device": "eye"}', retained=True)
    assert (found["code"], "'snapshot'" in found["reason"]) == ("retained", True)


async def test_of_a_call_that_names_an_argument_twice_and_still_learns_of_it() -> None:
    found = await answer(b'{"action": "token", "device": "car", "device": "fan", "id": 7}')
    assert (found["id"], found["code"]) == (7, "invalid")
    assert "'device'" in found["reason"]
    found = await answer(b'{"action": "token", "device": "car", "id": 7, "id": 8}')
    assert (found["id"], "'id'" in found["reason"]) == (None, True)


async def test_a_call_that_is_in_order_is_done() -> None:
    assert (await answer(b'{"action": "token", "device": "car/limit"}'))["result"] == {"token": "t0", "max_age_s": 0.5}
    found = await answer(b'{"action": "token", "device": "car", "entity": "limit", "why": "colons: and {braces}"}')
    assert found["outcome"] == "accepted"


BUTTONS = [
    ("reboot", (), "forbidden", "'reboot'"),
    ("explode", (), "unknown", "'explode'"),
    ("identify", ("identify",), "unavailable", "'identify'"),
]


@pytest.mark.parametrize(("key", "allow", "code", "part"), BUTTONS)
def test_of_a_button_of_the_node(tmp_path: Any, key: str, allow: tuple[str, ...], code: str, part: str) -> None:
    system = System(SystemDevice(allow=frozenset(allow)), restart=list, reboot=list, root=tmp_path)  # type: ignore[arg-type]
    with pytest.raises(CommandError) as caught:
        system.press(key)
    assert (caught.value.code, part in str(caught.value)) == (code, True)
