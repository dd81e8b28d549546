"""Driving sessions: what is sent."""

from __future__ import annotations

import time
from typing import Any

import pytest
from driving import FORWARD, STOP, Drive, stops
from rig import Pi, Published


async def test_the_first_event_has_all_that_a_card_needs(drive: Drive) -> None:
    first = await drive.open()
    assert first["owner"] == "Mock User"
    assert {key: first[key] for key in ("deadman_s", "rate_hz", "max_age_s", "token")} == {
        "deadman_s": 0.5, "rate_hz": 10.0, "max_age_s": 0.5, "token": "token-1",
    }  # fmt: skip


async def test_a_command_bears_id_owner_time_and_the_browsers_token(drive: Drive, pi: Pi) -> None:
    await drive.open()
    event = await drive.send(priority=3)
    (sent,) = [one for one in pi.published if one.topic == "pimqtt/car1/car/set"]
    assert (sent.qos, sent.retain) == (0, False)
    payload = sent.payload
    assert abs(payload.pop("at") - time.time()) < 5
    assert payload == {
        "value": FORWARD, "id": f"{drive.first['session']}-1", "owner": drive.first["owner"], "ttl": 0.5,
        "priority": 3, "token": "token-1",
    }  # fmt: skip
    assert event["answer"]["outcome"] == "accepted"
    assert event["answer"]["round_trip_ms"] >= 0
    assert event["token"] == "token-2"


async def test_the_server_never_fills_in_a_token(drive: Drive, pi: Pi) -> None:
    await drive.open()
    await drive.send()
    event = await drive.send(token=None)
    assert event["answer"]["code"] == "token"
    assert len(pi.commands("car")) == 1
    await drive.send(token="token-1")
    assert pi.commands("car")[-1]["token"] == "token-1", "an old token must arrive as it is: it unmasks a stalled link"


async def test_an_older_command_than_the_newest_is_dropped(drive: Drive, pi: Pi) -> None:
    await drive.open()
    await drive.send()
    assert (await drive.put(seq=1))["success"]
    assert (await drive.put(seq=0))["success"]
    assert len(pi.commands("car")) == 1


async def test_a_stop_is_sent_at_once_and_plainly(drive: Drive, pi: Pi) -> None:
    await drive.open()
    await drive.send()
    await drive.send(STOP, token=None)
    stop = pi.published[-1]
    assert stop == Published(
        "pimqtt/car1/car/set",
        {"value": STOP, "owner": drive.first["owner"], "id": f"{drive.first['session']}-2"},
        0,
        False,
    )


async def test_a_stop_is_never_dropped(drive: Drive, pi: Pi) -> None:
    await drive.open()
    await drive.send(seq=100)
    for _ in range(60):
        await drive.put(STOP, seq=1)
    assert len(stops(pi)) == 60


async def test_more_than_fifty_commands_in_a_second_are_left_out(
    drive: Drive, pi: Pi, monkeypatch: pytest.MonkeyPatch
) -> None:
    await drive.open()
    monkeypatch.setattr("custom_components.pimqtt.driving.time.monotonic", lambda: 1e9)
    for _ in range(80):
        await drive.put()
    assert len(pi.commands("car")) == 50
    event = await drive.socket.event(lambda event: "answer" in event and event["answer"]["seq"] is None)
    assert "50 commands in a second" in event["answer"]["reason"]


@pytest.mark.parametrize(
    "value", [{"x": 0}, {"x": 2, "y": 0}, {"x": 0, "y": "1"}, {"x": 0, "y": 0, "z": 0}, "forward", 101, True, None, [1]]
)
async def test_a_value_that_is_none_is_refused_before_it_is_sent(drive: Drive, pi: Pi, value: Any) -> None:
    await drive.open()
    message = {"session": drive.first["session"], "seq": 1, "value": value, "token": drive.token}
    answer = await drive.socket.ask("pimqtt/drive/send", **message)
    assert answer["error"]["code"] == "invalid_format"
    assert pi.commands("car") == []


async def test_a_motor_is_driven_by_percent(drive: Drive, pi: Pi) -> None:
    (fan,) = [one for one in drive.pi.hass.states.async_entity_ids() if one.endswith(".car1_fan")]
    await drive.open(entity_id=fan)
    await drive.send(-40)
    await drive.end()
    assert [one["value"] for one in pi.commands("fan")] == [-40, STOP]
