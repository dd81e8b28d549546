"""Bad input to actions and websocket commands: it is refused in words, and nothing goes to the topic of a command."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from acting import act
from driving import Drive, stops
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from rig import Pi, Published, Socket
from voluptuous import Invalid

PUMP, CAR, CAMERA = "switch.car1_pump", "sensor.car1_car", "camera.car1_eye"
UNABLE = {
    "too old": "The red car speaks protocol 0, this component 1: update the agent",
    "too new": "The red car speaks protocol 2, this component 1: update this component",
    "offline": "The red car is offline since 20",
}
ACTIONS: dict[str, dict[str, Any]] = {
    "command": {"entity_id": PUMP, "value": "ON", "ttl": 5},
    "drive": {"entity_id": CAR, "y": 0.5},
    "reset": {"entity_id": CAR},
    "snapshot": {"entity_id": CAMERA},
    "call": {"node": "car1", "action": "get_version"},
}
COMMANDS: dict[str, dict[str, Any]] = {
    "pimqtt/command": {"entity_id": PUMP, "value": "ON", "ttl": 5},
    "pimqtt/reset": {"node": "car1", "device": "car"},
    "pimqtt/snapshot": {"entity_id": CAMERA},
    "pimqtt/call": {"node": "car1", "action": "get_version"},
}
#: Every command that publishes, as a browser sends it.
SENDING = {**COMMANDS, "pimqtt/stop": {}, "pimqtt/pins": {"node": "car1"}, "pimqtt/drive": {"entity_id": CAR}}


@pytest.fixture(autouse=True)
def soon(entry: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long for an answer."""
    monkeypatch.setattr("custom_components.pimqtt.publishing.ANSWER_S", 0.3)


async def become(pi: Pi, state: str) -> None:
    if state == "offline":
        await pi.say("availability", "offline")
    else:
        await pi.announce(protocol={"too old": 0, "too new": 2}[state])


def answer_in(response: Any) -> dict[str, Any]:
    """Return the only answer of a response, whatever its shape."""
    if isinstance(response, list) or "answers" in response:
        (answer,) = response if isinstance(response, list) else response["answers"]
    else:
        (answer,) = [response] if "outcome" in response else response.values()
    return dict(answer)


def to_commands(pi: Pi) -> list[Published]:
    """Return what went to the topic of a command, a stop or a call."""
    return [one for one in pi.published if one.topic.endswith(("/set", "/call"))]


@pytest.mark.parametrize("state", UNABLE)
@pytest.mark.parametrize("action", ACTIONS)
async def test_an_action_for_a_node_that_cant_says_why(hass: HomeAssistant, pi: Pi, action: str, state: str) -> None:
    await become(pi, state)
    told = answer_in(await act(hass, action, **ACTIONS[action]))
    assert (told["outcome"], told["code"]) == ("rejected", "unavailable")
    assert told["reason"].startswith(UNABLE[state])
    with pytest.raises(HomeAssistantError, match=rf"rejected \(unavailable\): {UNABLE[state]}"):
        await hass.services.async_call("pimqtt", action, ACTIONS[action], blocking=True)
    assert pi.published == []


@pytest.mark.parametrize("state", UNABLE)
@pytest.mark.parametrize("type_", COMMANDS)
async def test_a_websocket_command_for_such_a_node_says_why(socket: Socket, pi: Pi, type_: str, state: str) -> None:
    await become(pi, state)
    told = answer_in((await socket.ask(type_, **COMMANDS[type_]))["result"])
    assert (told["outcome"], told["code"]) == ("rejected", "unavailable")
    assert told["reason"].startswith(UNABLE[state])
    assert pi.published == []


@pytest.mark.parametrize("state", UNABLE)
async def test_only_a_stop_is_sent_to_it(hass: HomeAssistant, pi: Pi, state: str) -> None:
    await become(pi, state)
    pi.silent = state == "offline"
    told = answer_in(await act(hass, "stop", entity_id=CAR))
    assert told["outcome"] == ("unanswered" if pi.silent else "accepted")
    if pi.silent:
        assert "The red car is offline" in told["reason"]
    assert [(one.topic, one.payload) for one in pi.published] == [("pimqtt/car1/car/stop/set", "ON")]


@pytest.mark.parametrize("state", UNABLE)
async def test_one_of_two_that_cant_keeps_the_other_from_being_reset(
    hass: HomeAssistant, socket: Socket, pi: Pi, state: str
) -> None:
    await become(pi, state)
    response = await act(hass, "reset", entity_id=[CAR, PUMP])
    assert [one["outcome"] for one in response["answers"]] == ["rejected"] * 2
    told = (await socket.ask("pimqtt/command", unique_id="pimqtt.car1.stop", value="OFF"))["result"]
    assert (told["outcome"], told["reason"].startswith(UNABLE[state])) == ("rejected", True)
    assert pi.published == []


@pytest.mark.parametrize("protocol", [0, 2])
async def test_the_card_of_such_a_car_is_told_and_moves_nothing(drive: Drive, pi: Pi, protocol: int) -> None:
    await pi.announce(protocol=protocol)
    assert (await drive.socket.ask("pimqtt/fleet"))["success"]
    (node,) = (await drive.socket.event(lambda event: "nodes" in event))["nodes"]
    assert (node["supported"], node["protocol"]) == (False, protocol)
    words = UNABLE["too old" if protocol == 0 else "too new"]
    assert (await drive.open())["token"] is None
    told = (await drive.socket.event(lambda event: "answer" in event))["answer"]
    assert (told["outcome"], told["code"], told["reason"]) == ("rejected", "unavailable", words)
    told = (await drive.send(token="token-1"))["answer"]
    assert (told["outcome"], told["code"], told["reason"]) == ("rejected", "unavailable", words)
    assert (await drive.socket.ask("pimqtt/drive/token", session=drive.first["session"]))["success"]
    await drive.end()
    assert to_commands(pi) == []


@pytest.mark.parametrize("which", range(4))
async def test_what_the_agent_finds_beyond_its_limits_comes_back_in_its_words(
    hass: HomeAssistant, socket: Socket, pi: Pi, which: int
) -> None:
    assert [one["code"] for one in pi.refused] == ["out_of_range"] * 3 + ["ttl_range"]
    beyond = pi.refused[which]
    output, command = beyond["output"], beyond["command"]
    (entity_id,) = [one for one in hass.states.async_entity_ids() if one.endswith(f".car1_{output}")]
    pi.refuse[output] = {key: beyond[key] for key in ("code", "reason")}
    told = (await act(hass, "command", entity_id=entity_id, **command))[entity_id]
    assert [told[key] for key in ("outcome", "code", "reason")] == ["rejected", beyond["code"], beyond["reason"]]
    with pytest.raises(HomeAssistantError, match=rf"{entity_id}: rejected \({beyond['code']}\): {beyond['reason']}"):
        await hass.services.async_call("pimqtt", "command", {"entity_id": entity_id, **command}, blocking=True)
    told = (await socket.ask("pimqtt/command", entity_id=entity_id, **command))["result"]
    assert [told[key] for key in ("outcome", "code", "reason")] == ["rejected", beyond["code"], beyond["reason"]]
    sent = [{key: one[key] for key in command} for one in pi.commands(output)]
    assert sent == [command] * 3, "what the agent judged is what was asked for, and each was sent once"
    assert len(to_commands(pi)) == 3


@pytest.mark.parametrize(
    ("code", "reason", "words"),
    [
        ("held", "'Bob' holds it", "'Bob' holds it"),
        # it came at once, so that only the clocks can be the cause
        ("stale", "at 1.000: it is 9.00 s old, it may be 5 s", "refused this as more than 5 s old"),
        ("token", "no fresh token", "no fresh token"),
    ],
)
async def test_a_lease_of_another_or_a_late_command_is_not_tried_again(
    hass: HomeAssistant, pi: Pi, code: str, reason: str, words: str
) -> None:
    holder = "Bob" if code == "held" else None
    pi.refuse["pump"] = {"code": code, "reason": reason, "holder": holder}
    told = (await act(hass, "command", **ACTIONS["command"]))[PUMP]
    assert [told[key] for key in ("outcome", "code", "holder")] == ["rejected", code, holder]
    assert words in told["reason"]
    await hass.async_block_till_done()
    assert len(to_commands(pi)) == 1


@pytest.mark.parametrize("code", ["held", "stale"])
async def test_a_card_that_is_refused_moves_nothing_by_itself(drive: Drive, pi: Pi, code: str) -> None:
    await drive.open()
    pi.refuse["car"] = {"code": code, "reason": "no", "holder": "Bob" if code == "held" else None}
    told = (await drive.send(token="token-0"))["answer"]
    assert [told[key] for key in ("outcome", "code", "reason")] == ["rejected", code, "no"]
    await asyncio.sleep(0.3)
    assert [one["token"] for one in pi.commands("car")] == ["token-0"], "no other token is put in, nothing is renewed"
    assert stops(pi) == []


@pytest.mark.parametrize("type_", [*SENDING, "pimqtt/drive/send", "pimqtt/drive/token"])
async def test_a_browser_that_names_the_time_is_refused(drive: Drive, pi: Pi, type_: str) -> None:
    fields = SENDING.get(type_)
    if fields is None:
        first = await drive.open()
        fields = {"session": first["session"]}
        if type_ == "pimqtt/drive/send":
            fields |= {"seq": 1, "value": {"x": 0, "y": 0.5}, "token": first["token"]}
    pi.calls["list_pins"] = {"pins": []}
    pi.published.clear()
    for at in (time.time(), 0, None):
        answer = await drive.socket.ask(type_, **fields, at=at)
        assert answer["error"]["code"] == "invalid_format"
    assert to_commands(pi) == []
    assert (await drive.socket.ask(type_, **fields))["success"], "without it, it is taken"


@pytest.mark.parametrize("action", [*ACTIONS, "stop"])
async def test_an_action_that_names_the_time_is_refused(hass: HomeAssistant, pi: Pi, action: str) -> None:
    with pytest.raises(Invalid):
        await act(hass, action, **ACTIONS.get(action, {}), at=time.time())
    assert pi.published == []


async def test_a_time_inside_a_value_is_not_the_time_of_the_command(socket: Socket, pi: Pi) -> None:
    await socket.ask("pimqtt/command", entity_id=PUMP, value={"value": "ON", "at": 1})
    (sent,) = pi.commands("pump")
    assert sent["value"] == {"value": "ON", "at": 1}
    assert abs(sent["at"] - time.time()) < 5
