"""Driving sessions: what is sent, what is refused, and above all when a stop is sent."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.helpers.dispatcher import async_dispatcher_send
from rig import Pi, Published, Socket

CAR = "sensor.car1_car"
FORWARD = {"x": 0.0, "y": 0.5}
STOP = "stop"


class Drive:
    """A session over a websocket, as a card has it."""

    def __init__(self, socket: Socket, pi: Pi) -> None:
        self.socket, self.pi = socket, pi
        self.first: dict[str, Any] = {}
        self.token: str | None = None
        self.seq = 0

    async def open(self, **named: str) -> dict[str, Any]:
        answer = await self.socket.ask("pimqtt/drive", **(named or {"entity_id": CAR}))
        assert answer["success"], answer
        self.subscription = answer["id"]
        self.first = await self.socket.event()
        self.token = self.first["token"]
        return self.first

    async def send(self, value: Any = None, **more: Any) -> dict[str, Any]:
        """Send with the newest token, and return the answer's event."""
        answer = await self.put(value, **more)
        assert answer["success"], answer
        seq = more.get("seq", self.seq)
        event = await self.socket.event(lambda event: "answer" in event and event["answer"]["seq"] == seq)
        self.token = event.get("token", self.token)
        return event

    async def put(self, value: Any = None, **more: Any) -> dict[str, Any]:
        self.seq += 1
        message = {"session": self.first["session"], "seq": self.seq, "value": value or FORWARD, "token": self.token}
        return await self.socket.ask("pimqtt/drive/send", **{**message, **more})

    async def end(self) -> None:
        assert (await self.socket.ask("unsubscribe_events", subscription=self.subscription))["success"]
        await self.pi.hass.async_block_till_done()


@pytest.fixture
def drive(socket: Socket, pi: Pi) -> Drive:
    return Drive(socket, pi)


def stops(pi: Pi, output: str = "car") -> list[Any]:
    return [one for one in pi.commands(output) if one["value"] == STOP]


async def test_the_first_event_has_all_that_a_card_needs(drive: Drive) -> None:
    first = await drive.open()
    assert first["owner"] == "Test User" or first["owner"]
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


async def test_ending_a_session_stops_what_it_moves(drive: Drive, pi: Pi) -> None:
    await drive.open()
    await drive.send()
    await drive.end()
    (stop,) = stops(pi)
    assert "ttl" not in stop
    assert "token" not in stop


async def test_a_lost_connection_stops_what_it_moves(drive: Drive, pi: Pi, hass: HomeAssistant) -> None:
    await drive.open()
    await drive.send()
    await drive.socket.client.close()
    await hass.async_block_till_done()
    assert len(stops(pi)) == 1


async def test_ending_a_session_that_moved_nothing_stops_nothing(drive: Drive, pi: Pi) -> None:
    await drive.open()
    await drive.end()
    assert pi.commands("car") == []


async def test_ending_after_a_stop_stops_no_second_time(drive: Drive, pi: Pi) -> None:
    await drive.open()
    await drive.send()
    await drive.send(STOP)
    await drive.end()
    assert len(stops(pi)) == 1


@pytest.mark.parametrize("code", ["held", "let_go", "latched"])
async def test_ending_a_session_that_was_refused_stops_nobody_else(drive: Drive, pi: Pi, code: str) -> None:
    pi.refuse["car"] = {"code": code, "reason": "Bob holds it", "holder": "Bob"}
    await drive.open()
    event = await drive.send()
    assert (event["answer"]["outcome"], event["answer"]["code"]) == ("rejected", code)
    await drive.end()
    assert stops(pi) == []


@pytest.mark.parametrize("code", ["stale", "token", "unavailable"])
async def test_a_refusal_that_says_nothing_of_the_holder_leaves_the_stop_due(drive: Drive, pi: Pi, code: str) -> None:
    await drive.open()
    await drive.send()
    pi.refuse["car"] = {"code": code, "reason": "late"}
    await drive.send()
    await drive.end()
    assert len(stops(pi)) == 1


async def test_a_command_that_nobody_answered_leaves_the_stop_due(drive: Drive, pi: Pi) -> None:
    await drive.open()
    pi.silent = True
    await drive.put()
    await drive.end()
    assert len(stops(pi)) == 1


async def test_a_session_that_was_taken_over_stops_nobody(drive: Drive, pi: Pi) -> None:
    await drive.open()
    await drive.send()
    await pi.lease("car", owner="Bob", value=FORWARD, remaining_s=0.5)
    event = await drive.socket.event(lambda event: "holder" in event and event["holder"] == "Bob")
    assert event["mine"] is False
    await drive.end()
    assert stops(pi) == []


async def test_what_moved_too_long_ago_is_not_stopped(drive: Drive, pi: Pi, monkeypatch: pytest.MonkeyPatch) -> None:
    await drive.open()
    await drive.send()
    real = time.monotonic
    monkeypatch.setattr("custom_components.pimqtt.driving.time.monotonic", lambda: real() + 1.6)
    await drive.end()
    assert stops(pi) == []


async def test_release_stops_only_what_this_session_moved(drive: Drive, pi: Pi) -> None:
    await drive.open()
    assert (await drive.put("release"))["success"]
    assert stops(pi) == []
    await drive.send()
    await drive.send("release")
    assert len(stops(pi)) == 1
    pi.refuse["car"] = {"code": "held", "reason": "Bob holds it", "holder": "Bob"}
    await drive.send()
    assert (await drive.put("release"))["success"]
    assert len(stops(pi)) == 1


async def test_home_assistant_stopping_stops_the_car_while_mqtt_is_there(
    drive: Drive, pi: Pi, hass: HomeAssistant
) -> None:
    await drive.open()
    await drive.send()
    await hass.async_stop(force=True)
    assert len(stops(pi)) == 1


async def test_unloading_ends_the_session_and_says_why(drive: Drive, pi: Pi, hass: HomeAssistant, entry: Any) -> None:
    await drive.open()
    await drive.send()
    assert await hass.config_entries.async_reload(entry.entry_id)
    event = await drive.socket.event(lambda event: "ended" in event)
    assert "unloaded or reloaded" in event["ended"]
    assert len(stops(pi)) == 1
    assert (await drive.put())["error"]["code"] == "not_found"
    await drive.end()
    assert len(stops(pi)) == 1


async def test_without_mqtt_the_browser_is_told(drive: Drive, pi: Pi, hass: HomeAssistant, mqtt_mock: Any) -> None:
    await drive.open()
    mqtt_mock.connected = False
    async_dispatcher_send(hass, "mqtt_connection_state", False)
    event = await drive.send()
    assert (event["answer"]["outcome"], pi.commands("car")) == ("unanswered", [])
    assert "MQTT is not connected" in event["answer"]["reason"]


async def test_two_sessions_of_one_user_are_told_apart(
    drive: Drive, pi: Pi, hass: HomeAssistant, hass_ws_client: Any
) -> None:
    first = await drive.open()
    other = Drive(Socket(await hass_ws_client(hass)), pi)
    second = await other.open()
    assert second["owner"] == f"{first['owner']} 2"
    await drive.end()
    assert (await Drive(Socket(await hass_ws_client(hass)), pi).open())["owner"] == first["owner"]


async def test_a_session_belongs_to_its_connection(
    drive: Drive, pi: Pi, hass: HomeAssistant, hass_ws_client: Any
) -> None:
    await drive.open()
    stranger = Drive(Socket(await hass_ws_client(hass)), pi)
    stranger.first = drive.first
    for value in (FORWARD, STOP):
        answer = await stranger.put(value)
        assert answer["error"]["code"] == "not_found"
    answer = await stranger.socket.ask("pimqtt/drive/token", session=drive.first["session"])
    assert answer["error"]["code"] == "not_found"
    assert pi.commands("car") == []


async def test_only_who_may_control_the_car_drives_it(pi: Pi, browser: Callable[..., Awaitable[Socket]]) -> None:
    reader = await browser(read=(CAR,), control=("sensor.car1_fan",))
    answer = await reader.ask("pimqtt/drive", entity_id=CAR)
    assert answer["error"]["code"] == "unauthorized"
    answer = await reader.ask("pimqtt/drive", unique_id="pimqtt.car1.car")
    assert answer["error"]["code"] == "unauthorized"
    driver = Drive(await browser("Anna", control=(CAR,)), pi)
    assert (await driver.open())["owner"] == "Anna"
    assert (await driver.send())["answer"]["outcome"] == "accepted"
    assert (await driver.open(unique_id="pimqtt.car1.car"))["owner"] == "Anna 2"
    assert (await driver.send())["answer"]["outcome"] == "accepted"


async def test_a_right_that_is_taken_away_ends_driving_but_not_stopping(
    pi: Pi, hass: HomeAssistant, browser: Callable[..., Awaitable[Socket]]
) -> None:
    driver = Drive(await browser("Anna", control=(CAR,)), pi)
    await driver.open()
    (user,) = [one for one in await hass.auth.async_get_users() if one.name == "Anna"]
    user.permissions._cached_entity_func = lambda *_: False
    answer = await driver.put()
    assert answer["error"]["code"] == "unauthorized"
    assert pi.commands("car") == []
    assert (await driver.put(STOP))["success"]
    assert len(stops(pi)) == 1


@pytest.mark.parametrize(
    ("named", "code"),
    [
        ({"entity_id": "sensor.nothing"}, "not_found"),
        ({"unique_id": "pimqtt.car9.car"}, "not_found"),
        ({"unique_id": "pimqtt.car1.ghost"}, "not_found"),
        ({"unique_id": "other.car1.car"}, "not_found"),
        ({"entity_id": "switch.car1_pump"}, "invalid_format"),
        ({"unique_id": "pimqtt.car1.arm"}, "invalid_format"),
        ({}, "invalid_format"),
        ({"entity_id": CAR, "unique_id": "pimqtt.car1.car"}, "invalid_format"),
    ],
)
async def test_what_nobody_drives_is_refused(socket: Socket, named: dict[str, str], code: str) -> None:
    answer = await socket.ask("pimqtt/drive", **named)
    assert answer["error"]["code"] == code
    assert answer["error"]["message"]


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


async def test_a_node_that_is_offline_is_not_driven_but_stopped(drive: Drive, pi: Pi) -> None:
    await drive.open()
    await pi.say("availability", "offline")
    event = await drive.send()
    assert (event["answer"]["outcome"], event["answer"]["code"]) == ("rejected", "unavailable")
    assert "The red car is offline" in event["answer"]["reason"]
    assert pi.commands("car") == []
    await drive.put(STOP)
    assert len(stops(pi)) == 1


async def test_a_session_opens_while_its_node_is_away_and_gets_a_token_later(drive: Drive, pi: Pi) -> None:
    await pi.say("availability", "offline")
    first = await drive.open()
    assert first["token"] is None
    event = await drive.socket.event(lambda event: "answer" in event)
    assert event["answer"]["code"] == "unavailable"
    await pi.say("availability", "online")
    await asyncio.sleep(0.15)
    assert (await drive.socket.ask("pimqtt/drive/token", session=first["session"]))["success"]
    assert (await drive.socket.event(lambda event: "token" in event))["token"] == "token-1"


async def test_a_node_that_left_is_not_driven(drive: Drive, pi: Pi) -> None:
    await drive.open()
    await pi.say("info", "")
    event = await drive.send()
    assert "car1 is gone" in event["answer"]["reason"]


async def test_a_stale_refusal_brings_a_fresh_token(drive: Drive, pi: Pi) -> None:
    await drive.open()
    pi.refuse["car"] = {"code": "stale", "reason": "bears a token of 0.70 s ago"}
    await drive.send()
    assert (await drive.socket.event(lambda event: "token" in event))["token"] == "token-2"


async def test_only_what_the_browser_sends_beats_where_arming_is_asked_for(drive: Drive, pi: Pi) -> None:
    pi.refuse["car"] = {"code": "not_armed", "reason": "two heartbeats first"}
    await drive.open()
    await drive.send()
    beats = [one for one in pi.published if one.topic == "pimqtt/car1/call" and one.payload["action"] == "heartbeat"]
    assert beats == []
    await drive.send()
    await asyncio.sleep(0.35)
    await drive.send()
    beats = [one for one in pi.published if one.topic == "pimqtt/car1/call" and one.payload["action"] == "heartbeat"]
    assert [one.payload["owner"] for one in beats] == [drive.first["owner"]] * 2
    await asyncio.sleep(0.35)
    assert len([one for one in pi.published if "heartbeat" in str(one.payload)]) == 2


async def test_what_others_do_is_told(drive: Drive, pi: Pi) -> None:
    await drive.open()
    await pi.result("car", id="other-1", outcome="rejected", code="held", owner="Bob", holder="Anna", value=FORWARD)
    told = (await drive.socket.event(lambda event: "told" in event))["told"]
    assert (told["owner"], told["code"], told["holder"]) == ("Bob", "held", "Anna")
    await pi.result(
        "car", id=f"{drive.first['session']}-7", outcome="reverted", cause="expired", value={"x": 0, "y": 0}
    )
    assert (await drive.socket.event(lambda event: "told" in event))["told"]["cause"] == "expired"


async def test_a_lease_that_ended_is_not_stopped_again(drive: Drive, pi: Pi) -> None:
    await drive.open()
    await drive.send()
    await pi.result("car", id=f"{drive.first['session']}-1", outcome="reverted", cause="stopped")
    await drive.end()
    assert stops(pi) == []


async def test_the_holder_is_told_when_it_changes(drive: Drive, pi: Pi) -> None:
    await drive.open()
    await pi.lease("car", owner=drive.first["owner"])
    event = await drive.socket.event(lambda event: "holder" in event and event["holder"])
    assert event == {"holder": drive.first["owner"], "mine": True}
    await pi.lease("car")
    assert await drive.socket.event(lambda event: "holder" in event) == {"holder": None, "mine": False}
