"""The actions: their responses, their errors, and what each user may."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from acting import act, somebody
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError, Unauthorized, UnknownUser
from homeassistant.helpers import area_registry as ar
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from rig import Pi
from voluptuous import Invalid

PUMP, CAR, CAMERA = "switch.car1_pump", "sensor.car1_car", "camera.car1_eye"
FAN = "number.car1_fan"


@pytest.fixture(autouse=True)
def set_up(entry: Any) -> None:
    """The component is there."""


async def test_a_command_answers_by_entity(hass: HomeAssistant, pi: Pi) -> None:
    answers = await act(hass, "command", entity_id=PUMP, value="ON", ttl=5)
    told = answers[PUMP]
    assert [told[key] for key in ("outcome", "state", "ttl", "owner")] == ["accepted", "ON", 5.0, "Home Assistant"]
    assert [one["owner"] for one in pi.commands("pump")] == ["Home Assistant"]


@pytest.mark.parametrize(
    ("value", "sent"), [(True, "ON"), (False, "OFF"), ("ON", "ON"), ({"state": "ON"}, {"state": "ON"})]
)
async def test_yamls_on_and_off_are_understood(hass: HomeAssistant, pi: Pi, value: Any, sent: Any) -> None:
    await act(hass, "command", entity_id="light.car1_lamp", value=value)
    assert [one["value"] for one in pi.commands("lamp")] == [sent]


async def test_a_refusal_is_in_the_response_and_fails_who_asks_for_none(hass: HomeAssistant, pi: Pi) -> None:
    pi.refuse["pump"] = {"code": "held", "reason": "'Bob' holds it", "holder": "Bob"}
    assert (await act(hass, "command", entity_id=PUMP, value="ON"))[PUMP]["code"] == "held"
    with pytest.raises(HomeAssistantError, match=r"switch.car1_pump: rejected \(held\): 'Bob' holds it"):
        await hass.services.async_call("pimqtt", "command", {"entity_id": PUMP, "value": "ON"}, blocking=True)


@pytest.mark.parametrize(
    ("entity", "words"),
    [("switch.nothing", "no entity switch.nothing"), ("sun.sun", "not one of pimqtt's")],
)
async def test_what_is_not_ours_is_refused_where_it_is_named(
    hass: HomeAssistant, pi: Pi, entity: str, words: str
) -> None:
    hass.states.async_set("sun.sun", "up")
    with pytest.raises(ServiceValidationError, match=words):
        await act(hass, "command", entity_id=[PUMP, entity], value="ON")
    assert pi.published == []


async def test_what_cant_be_sent_is_said(hass: HomeAssistant, pi: Pi) -> None:
    with pytest.raises(ServiceValidationError, match="can't be sent"):
        await act(hass, "command", entity_id=PUMP, value=float("nan"))
    with pytest.raises(ServiceValidationError, match="can't be sent"):
        await act(hass, "command", entity_id=PUMP, value={"value": {1, 2}})


@pytest.mark.parametrize(
    ("action", "data"),
    [
        ("command", {"entity_id": PUMP}),
        ("command", {"value": "ON"}),
        ("command", {"entity_id": PUMP, "value": "ON", "ttl": 0}),
        ("command", {"entity_id": PUMP, "value": "ON", "priority": 10}),
        ("command", {"entity_id": PUMP, "value": "ON", "priority": True}),
        ("command", {"entity_id": PUMP, "value": "ON", "ttl": True}),
        ("command", {"entity_id": PUMP, "value": "ON", "owner": ""}),
        ("command", {"entity_id": PUMP, "value": "ON", "at": 5}),
        ("command", {"entity_id": PUMP, "value": "ON", "token": "x"}),
        ("drive", {"entity_id": CAR, "x": 2}),
        ("drive", {"entity_id": CAR, "duration": 61}),
        ("call", {"node": "car1"}),
        ("snapshot", {}),
    ],
)
async def test_data_that_is_none_is_refused(hass: HomeAssistant, pi: Pi, action: str, data: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        await act(hass, action, **data)
    assert pi.published == []


async def test_driving_for_a_time_renews_and_stops(hass: HomeAssistant, pi: Pi) -> None:
    answers = await act(hass, "drive", entity_id=CAR, y=0.5, duration=0.45, owner="Patrol", priority=2)
    assert answers[CAR]["outcome"] == "accepted"
    await hass.async_block_till_done()
    sent = pi.commands("car")
    assert 4 <= len(sent) <= 7
    assert [one["value"] for one in sent] == [{"x": 0.0, "y": 0.5}] * (len(sent) - 1) + ["stop"]
    assert {one["owner"] for one in sent} == {"Patrol"}
    tokens = [one["token"] for one in sent[:-1]]
    assert tokens[0] == "token-1"
    assert len(set(tokens)) > 1, "each answer brings a fresh one"


async def test_driving_without_a_time_is_one_command_that_lasts_a_dead_man(hass: HomeAssistant, pi: Pi) -> None:
    answers = await act(hass, "drive", entity_id=FAN, speed=-30)
    assert answers[FAN]["outcome"] == "accepted"
    assert [(one["value"], one["ttl"]) for one in pi.commands("fan")] == [(-30.0, 0.5)]


async def test_driving_ends_with_the_first_refusal(hass: HomeAssistant, pi: Pi) -> None:
    pi.refuse["car"] = {"code": "held", "reason": "'Bob' holds it", "holder": "Bob"}
    answers = await act(hass, "drive", entity_id=CAR, y=1, duration=5)
    assert answers[CAR]["code"] == "held"
    assert len(pi.commands("car")) <= 2
    assert "stop" not in [one["value"] for one in pi.commands("car")]


async def test_driving_goes_on_after_a_stale_token(hass: HomeAssistant, pi: Pi) -> None:
    pi.refuse["car"] = {"code": "stale", "reason": "late"}
    hass.loop.call_later(0.3, pi.refuse.clear)
    assert (await act(hass, "drive", entity_id=CAR, y=1, duration=0.8))[CAR]["outcome"] == "accepted"


async def test_driving_a_node_that_does_not_answer_says_so(
    hass: HomeAssistant, pi: Pi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.pimqtt.publishing.ANSWER_S", 0.05)
    monkeypatch.setattr("custom_components.pimqtt.driving_action.ANSWER_S", 0.05)
    pi.silent = True
    assert (await act(hass, "drive", entity_id=CAR, y=1))[CAR]["outcome"] == "unanswered"
    assert pi.commands("car") == []
    pi.silent = False
    original = pi._reply
    monkeypatch.setattr(pi, "_reply", lambda below, content: original(below, content) if below == "call" else [])
    told = (await act(hass, "drive", entity_id=CAR, y=1))[CAR]
    assert (told["outcome"], told["reason"]) == (
        "unanswered",
        "car1 did not answer within 0.05 s: is it reachable, and may it publish results?",
    )


async def test_a_script_that_is_stopped_stops_the_car(hass: HomeAssistant, pi: Pi) -> None:
    driving = hass.async_create_task(act(hass, "drive", entity_id=CAR, y=1, duration=30))
    await asyncio.sleep(0.3)
    driving.cancel()
    await hass.async_block_till_done()
    assert pi.commands("car")[-1]["value"] == "stop"


async def test_unloading_ends_an_action_that_drives(hass: HomeAssistant, pi: Pi, entry: Any) -> None:
    driving = hass.async_create_task(act(hass, "drive", entity_id=CAR, y=1, duration=30))
    await asyncio.sleep(0.3)
    await hass.config_entries.async_unload(entry.entry_id)
    await driving
    assert pi.commands("car")[-1]["value"] == "stop"


async def test_what_is_not_driven_is_refused(hass: HomeAssistant, pi: Pi) -> None:
    with pytest.raises(ServiceValidationError, match=r"switch.car1_pump is nothing that pimqtt.drive"):
        await act(hass, "drive", entity_id=PUMP, y=1)
    with pytest.raises(ServiceValidationError, match="One car or motor at a time"):
        await act(hass, "drive", entity_id=[CAR, FAN], y=1)


async def test_a_stop_without_a_target_stops_everything(hass: HomeAssistant, pi: Pi) -> None:
    (told,) = (await act(hass, "stop"))["answers"]
    assert (told["node"], told["state"]) == ("car1", "ON")
    assert [(one.topic, one.payload) for one in pi.published] == [("pimqtt/stop/set", "ON")]


async def test_a_stop_of_an_entity_stops_its_device(hass: HomeAssistant, pi: Pi) -> None:
    answers = (await act(hass, "stop", entity_id=[CAR, "number.car1_car_limit", PUMP]))["answers"]
    assert [(told["node"], told["device"]) for told in answers] == [("car1", "car"), ("car1", "pump")]
    (told,) = (await act(hass, "reset", entity_id=CAR))["answers"]
    assert (told["device"], told["state"]) == ("car", "OFF")


async def test_a_stop_of_a_pi_stops_all_of_it(hass: HomeAssistant, pi: Pi) -> None:
    switch = er.async_get(hass).async_get("switch.car1_stop")
    assert switch is not None
    (told,) = (await act(hass, "stop", device_id=switch.device_id))["answers"]
    assert (told["node"], told["device"]) == ("car1", None)
    (told,) = (await act(hass, "stop", entity_id="binary_sensor.car1_system_connection"))["answers"]
    assert (told["node"], told["device"]) == ("car1", None)


async def test_a_reset_must_name_what(hass: HomeAssistant, pi: Pi) -> None:
    with pytest.raises(ServiceValidationError, match="Name what to reset"):
        await act(hass, "reset")
    assert pi.published == []
    (told,) = (await act(hass, "reset", everything=True))["answers"]
    assert told["state"] == "OFF"


async def test_a_stop_of_what_is_not_ours_is_refused(hass: HomeAssistant, pi: Pi) -> None:
    hass.states.async_set("sun.sun", "up")
    with pytest.raises(ServiceValidationError, match="not one of pimqtt's"):
        await act(hass, "stop", entity_id="sun.sun")
    area = ar.async_get(hass).async_create("Empty")
    with pytest.raises(ServiceValidationError, match="Nothing of the target"):
        await act(hass, "stop", area_id=area.id)


async def test_a_stop_that_was_refused_fails_the_action(hass: HomeAssistant, pi: Pi) -> None:
    pi.refuse["car/stop"] = {"code": "unavailable", "reason": "the keeper does not answer"}
    with pytest.raises(HomeAssistantError, match=r"car1/car: rejected \(unavailable\)"):
        await hass.services.async_call("pimqtt", "reset", {"entity_id": CAR}, blocking=True)


async def test_a_picture_is_taken(hass: HomeAssistant, pi: Pi) -> None:
    assert (await act(hass, "snapshot", entity_id=CAMERA))[CAMERA]["outcome"] == "accepted"
    with pytest.raises(ServiceValidationError, match="is nothing that"):
        await act(hass, "snapshot", entity_id=PUMP)


async def test_a_call_answers(hass: HomeAssistant, pi: Pi) -> None:
    pi.calls["get_version"] = {"version": "0.1.0"}
    answer = await act(hass, "call", node="car1", action="get_version")
    assert (answer["outcome"], answer["result"]) == ("accepted", {"version": "0.1.0"})
    with pytest.raises(HomeAssistantError, match=r"dance: rejected \(unknown\)"):
        await hass.services.async_call("pimqtt", "call", {"node": "car1", "action": "dance"}, blocking=True)
    with pytest.raises(ServiceValidationError, match="no node car9"):
        await act(hass, "call", node="car9", action="get_version")


async def test_who_may_control_an_entity_may_use_actions_for_it(hass: HomeAssistant, pi: Pi) -> None:
    anna = await somebody(hass, PUMP)
    answers = await act(hass, "command", anna, entity_id=PUMP, value="ON")
    assert (answers[PUMP]["outcome"], answers[PUMP]["owner"]) == ("accepted", "Anna")
    (told,) = (await act(hass, "stop", anna, entity_id=PUMP))["answers"]
    assert told["outcome"] == "accepted"


@pytest.mark.parametrize(
    ("action", "data"),
    [
        ("command", {"entity_id": "light.car1_lamp", "value": "ON"}),
        ("command", {"entity_id": [PUMP, "light.car1_lamp"], "value": "ON"}),
        ("command", {"entity_id": "switch.nothing", "value": "ON"}),
        ("drive", {"entity_id": CAR, "y": 1}),
        ("stop", {"entity_id": CAR}),
        ("reset", {"entity_id": [PUMP, CAR]}),
        ("snapshot", {"entity_id": CAMERA}),
        ("call", {"node": "car1", "action": "reload"}),
    ],
)
async def test_who_may_not_does_nothing(hass: HomeAssistant, pi: Pi, action: str, data: dict[str, Any]) -> None:
    with pytest.raises(Unauthorized):
        await act(hass, action, await somebody(hass, PUMP), **data)
    assert pi.published == []


async def test_nobody_stops_everything_without_any_right(hass: HomeAssistant, pi: Pi) -> None:
    with pytest.raises(Unauthorized):
        await act(hass, "stop", await somebody(hass))
    assert pi.published == []


async def test_a_user_that_is_gone_may_nothing(hass: HomeAssistant, pi: Pi) -> None:
    with pytest.raises(UnknownUser):
        await act(hass, "command", Context(user_id="gone"), entity_id=PUMP, value="ON")


async def test_before_the_entry_is_there_actions_say_so(hass: HomeAssistant, pi: Pi, entry: Any) -> None:
    assert await hass.config_entries.async_unload(entry.entry_id)
    with pytest.raises(ServiceValidationError, match="not set up"):
        await act(hass, "command", entity_id=PUMP, value="ON")


async def test_a_device_that_left_the_registry_is_no_target(hass: HomeAssistant, pi: Pi) -> None:
    assert dr.async_get(hass).async_get("nothing") is None
    with pytest.raises(ServiceValidationError, match="Nothing of the target"):
        await act(hass, "stop", device_id="nothing")
