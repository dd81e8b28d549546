"""Emergency stops reach whatever they can, at once; resets are strict."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from acting import act, somebody
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError, Unauthorized
from homeassistant.helpers import area_registry as ar
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from rig import Pi, listen

PUMP, CAR, LAMP, GONE = "switch.car1_pump", "sensor.car1_car", "light.car1_lamp", "switch.gone_pump"


@pytest.fixture(autouse=True)
def orphan(entry: Any, hass: HomeAssistant) -> er.RegistryEntry:
    """An entity of a Pi that was removed."""
    return er.async_get(hass).async_get_or_create("switch", "mqtt", "pimqtt.gone.pump", suggested_object_id="gone_pump")


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long for an answer."""
    monkeypatch.setattr("custom_components.pimqtt.publishing.ANSWER_S", 0.1)


async def answers_of(hass: HomeAssistant, action: str, context: Context | None = None, /, **data: Any) -> Any:
    return (await act(hass, action, context, **data))["answers"]


async def quietly(hass: HomeAssistant, action: str, **data: Any) -> None:
    await hass.services.async_call("pimqtt", action, data, blocking=True)


def sent(*pis: Pi) -> list[tuple[str, Any]]:
    return [(one.topic, one.payload) for pi in pis for one in pi.published]


async def test_what_can_be_stopped_is_though_an_entity_is_an_orphan(
    hass: HomeAssistant, pi: Pi, caplog: pytest.LogCaptureFixture
) -> None:
    car, gone = await answers_of(hass, "stop", entity_id=[GONE, CAR])
    assert (car["device"], car["outcome"]) == ("car", "accepted")
    told = {key: gone[key] for key in ("node", "device", "entity_id", "outcome", "code", "reason_key")}
    assert told == {
        "node": None, "device": None, "entity_id": GONE, "outcome": "rejected", "code": "unknown",
        "reason_key": "unknown_node",
    }  # fmt: skip
    assert sent(pi) == [("pimqtt/car1/car/stop/set", "ON")]
    await quietly(hass, "stop", entity_id=[GONE, CAR])
    assert f"{GONE}: rejected (unknown): The node of {GONE} was not heard of" in caplog.text


async def test_of_an_area_with_an_orphan_the_rest_is_stopped(
    hass: HomeAssistant, pi: Pi, orphan: er.RegistryEntry
) -> None:
    area = ar.async_get(hass).async_create("Garden")
    er.async_get(hass).async_update_entity(orphan.entity_id, area_id=area.id)
    pump = er.async_get(hass).async_get(PUMP)
    assert pump is not None
    dr.async_get(hass).async_update_device(str(pump.device_id), area_id=area.id)
    assert [one["outcome"] for one in await answers_of(hass, "stop", area_id=area.id)] == ["accepted", "rejected"]
    assert sent(pi) == [("pimqtt/car1/pump/stop/set", "ON")]


async def test_two_boards_with_one_identity_are_both_stopped(hass: HomeAssistant, pi: Pi, mqtt_mock: Any) -> None:
    copy = Pi(hass, "car2")
    listen(mqtt_mock, pi, copy)
    await copy.announce(hardware_id="car1")
    assert [one["node"] for one in await answers_of(hass, "stop", entity_id=CAR)] == ["car1", "car2"]
    assert sent(pi) == [("pimqtt/car1/car/stop/set", "ON"), ("pimqtt/car2/car/stop/set", "ON")]
    pi.published.clear()
    with pytest.raises(ServiceValidationError, match="more than one node"):
        await answers_of(hass, "reset", entity_id=CAR)
    assert pi.published == []


async def test_one_place_without_rights_keeps_nobody_from_stopping_the_others(hass: HomeAssistant, pi: Pi) -> None:
    pump, car = await answers_of(hass, "stop", await somebody(hass, PUMP), entity_id=[CAR, PUMP])
    assert (pump["device"], pump["outcome"]) == ("pump", "accepted")
    assert (car["device"], car["outcome"], car["code"]) == ("car", "rejected", "forbidden")
    assert sent(pi) == [("pimqtt/car1/pump/stop/set", "ON")]


async def test_where_nothing_at_all_could_be_stopped_the_action_fails(hass: HomeAssistant, pi: Pi) -> None:
    with pytest.raises(ServiceValidationError, match=f"node of {GONE} was not heard of"):
        await answers_of(hass, "stop", entity_id=GONE)
    with pytest.raises(Unauthorized):
        await answers_of(hass, "stop", await somebody(hass, PUMP), entity_id=[CAR, LAMP])
    assert pi.published == []


async def test_a_reset_is_strict(hass: HomeAssistant, pi: Pi) -> None:
    with pytest.raises(ServiceValidationError, match=f"node of {GONE} was not heard of"):
        await answers_of(hass, "reset", entity_id=[CAR, GONE])
    assert pi.published == []
    pi.refuse["car/stop"] = {"code": "unavailable", "reason": "the keeper does not answer"}
    with pytest.raises(HomeAssistantError, match=r"car1/car: rejected \(unavailable\)"):
        await quietly(hass, "reset", entity_id=[CAR, PUMP])


async def test_a_pi_that_is_offline_does_not_fail_a_stop_of_everything(
    hass: HomeAssistant, pi: Pi, mqtt_mock: Any, soon: None
) -> None:
    other = Pi(hass, "car2")
    listen(mqtt_mock, pi, other)
    await other.announce()
    await other.say("availability", "offline")
    other.silent = True
    await quietly(hass, "stop")
    await quietly(hass, "stop", entity_id=[CAR, "sensor.car2_car"])
    answers = {one["node"]: one for one in await answers_of(hass, "stop")}
    assert (answers["car1"]["outcome"], answers["car2"]["outcome"]) == ("accepted", "unanswered")
    assert answers["car2"]["reason_key"] == "no_answer_offline"
    assert ("pimqtt/car2/car/stop/set", "ON") in sent(pi), "it may be there all the same"


async def test_nobody_waits_for_a_pi_that_is_offline_beyond_the_others(
    hass: HomeAssistant, pi: Pi, mqtt_mock: Any
) -> None:
    other = Pi(hass, "car2")
    listen(mqtt_mock, pi, other)
    await other.announce()
    await other.say("availability", "offline")
    other.silent = True
    async with asyncio.timeout(1):
        assert len(await answers_of(hass, "stop")) == 2


async def test_a_stop_that_reached_nobody_fails_the_action(hass: HomeAssistant, pi: Pi, soon: None) -> None:
    pi.silent = True
    with pytest.raises(HomeAssistantError, match="car1: unanswered"):
        await quietly(hass, "stop")


def freeze(mqtt_mock: Any) -> list[str]:
    """The broker acknowledges nothing; return the topics that it was given."""
    given: list[str] = []

    async def publish(topic: str, *_: Any, **__: Any) -> None:
        given.append(topic)
        await asyncio.sleep(10)

    mqtt_mock.async_publish.side_effect = publish
    return given


async def test_every_stop_is_sent_before_anything_is_waited_for(
    hass: HomeAssistant, mqtt_mock: Any, soon: None
) -> None:
    given = freeze(mqtt_mock)
    stopping = hass.async_create_task(answers_of(hass, "stop", entity_id=[CAR, PUMP, LAMP]))
    await asyncio.sleep(0.05)
    assert sorted(given) == [f"pimqtt/car1/{one}/stop/set" for one in ("car", "lamp", "pump")]
    assert [one["outcome"] for one in await stopping] == ["unanswered"] * 3


async def test_every_command_is_sent_before_anything_is_waited_for(
    hass: HomeAssistant, mqtt_mock: Any, soon: None
) -> None:
    given = freeze(mqtt_mock)
    data = {"entity_id": [PUMP, LAMP], "value": "OFF"}
    asked = hass.services.async_call("pimqtt", "command", data, blocking=True, return_response=True)
    commanding = hass.async_create_task(asked)
    await asyncio.sleep(0.05)
    assert sorted(given) == ["pimqtt/car1/lamp/set", "pimqtt/car1/pump/set"]
    done = await commanding
    assert done is not None
    assert [done[one]["outcome"] for one in (PUMP, LAMP)] == ["unanswered"] * 2  # type: ignore[index, call-overload]


async def test_a_stop_that_cant_be_sent_does_not_hold_up_the_others(
    hass: HomeAssistant, pi: Pi, mqtt_mock: Any, soon: None
) -> None:
    async def publish(topic: str, payload: Any, *more: Any, **options: Any) -> None:
        if "/car/" in topic:
            raise HomeAssistantError("no")
        pi.heard(topic, payload, *more, **options)

    mqtt_mock.async_publish.side_effect = publish
    answers = {one["device"]: one for one in await answers_of(hass, "stop", entity_id=[CAR, PUMP])}
    assert (answers["pump"]["outcome"], answers["car"]["code"]) == ("accepted", "unavailable")
    with pytest.raises(ServiceValidationError, match="MQTT is not connected"):
        await answers_of(hass, "reset", entity_id=[CAR, PUMP])
    with pytest.raises(ServiceValidationError, match="MQTT is not connected"):
        await answers_of(hass, "stop", entity_id=CAR)


async def test_a_right_to_one_lamp_stops_the_pi_and_does_not_reset_it(hass: HomeAssistant, pi: Pi) -> None:
    anna = await somebody(hass, LAMP)
    switch = "binary_sensor.car1_system_connection"
    (told,) = await answers_of(hass, "stop", anna, entity_id=switch)
    assert (told["node"], told["device"], told["outcome"]) == ("car1", None, "accepted")
    pi.published.clear()
    for data in ({"entity_id": switch}, {"everything": True}, {"entity_id": CAR}):
        with pytest.raises(Unauthorized):
            await answers_of(hass, "reset", anna, **data)
    assert pi.published == []
    await pi.say("stop/state", "OFF")
    (told,) = await answers_of(hass, "reset", anna, entity_id=LAMP)
    assert (told["device"], told["state"]) == ("lamp", "OFF")


async def test_who_may_control_all_that_moves_or_the_stop_itself_may_reset(hass: HomeAssistant, pi: Pi) -> None:
    outputs = [
        one.entity_id for one in er.async_get(hass).entities.values()
        if one.domain in ("switch", "light", "number", "button") or one.entity_id == CAR
    ]  # fmt: skip
    mechanic = await somebody(hass, *[one for one in outputs if "stop" not in one])
    (told,) = await answers_of(hass, "reset", mechanic, everything=True)
    assert (told["node"], told["state"]) == ("car1", "OFF")
    assert sent(pi) == [("pimqtt/car1/stop/set", "OFF")], "and not of nodes that nobody knows"
    guard = await somebody(hass, "switch.car1_stop")
    (told,) = await answers_of(hass, "reset", guard, entity_id="switch.car1_stop")
    assert (told["node"], told["state"]) == ("car1", "OFF")
    with pytest.raises(Unauthorized):
        await answers_of(hass, "reset", guard, entity_id=CAR)
