"""`switch`: the level its line sees, active-low or not; and `pulse`, a lease that is always as long."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from pydantic import ValidationError

from pimqtt_agent.commands import Request, open_envelope, read
from pimqtt_agent.devices.switch import Switch
from pimqtt_agent.entities import Switch as SwitchEntity
from pimqtt_agent.errors import CommandError, HardwareError
from pimqtt_agent.lease import Output
from pimqtt_agent.rules import Accepted, Command, Drive, Motion, Reverted, Ttl
from tests.fakes import FakeBoard, opened

PUMP: dict[str, Any] = {"kind": "switch", "pin": 17}
DOOR: dict[str, Any] = {"kind": "switch", "pin": 4, "pulse": 0.5}


def switch(**options: Any) -> Switch:
    return Switch.model_validate({"id": "it", **PUMP, **options})


def entity(device: Switch) -> SwitchEntity:
    (found,) = device.entities()
    assert isinstance(found, SwitchEntity)
    return found


def request(device: Switch, payload: str) -> Request:
    return read(entity(device), open_envelope(payload.encode()))


@pytest.mark.parametrize(("active_low", "on"), list(product([False, True], repeat=2)))
def test_its_line_has_the_level_from_the_claim_on(*, active_low: bool, on: bool) -> None:
    board = FakeBoard()
    device, driver = opened({**PUMP, "active_low": active_low, "initial": on}, board)
    high, low = (0, 1) if active_low else (1, 0)
    assert board.seen() == [(17, high if on else low)]
    driver.drive("", not on, 1.0, shaped=True, transition_s=5)
    assert board.seen() == [(17, low if on else high)]
    assert driver.state("") is not on
    assert list(device.lines()) == [("pin", 17)]
    driver.close()
    assert board.claimed == set()


def test_a_broken_line_is_told() -> None:
    board = FakeBoard()
    _, driver = opened(PUMP, board)
    board.broken.add(17)
    with pytest.raises(HardwareError, match="line 17"):
        driver.drive("", value=True, now=1.0)


def test_what_it_is_to_home_assistant() -> None:
    options = entity(switch(device_class="outlet", icon="mdi:pump")).options()
    assert (options["device_class"], options["icon"]) == ("outlet", "mdi:pump")
    rules = entity(switch()).rules
    assert rules
    assert (rules.motion, rules.safe, rules.initial, rules.on_stop, rules.ttl) == (
        Motion.LEVEL, False, False, False, Ttl(),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("raw", "level"), [(True, True), (False, False), ("on", True), ("Off", False), ("ON", True), ("off", False)]
)
def test_on_and_off_as_yaml_writes_them(raw: object, *, level: bool) -> None:
    assert switch(safe=raw, initial=raw, on_stop=raw).rules().safe is level
    assert switch(on_disconnect={"after": 5, "value": raw}).rules().on_disconnect


@pytest.mark.parametrize("raw", [1, 0, "yes", "1", "", [], 0.5])
def test_nothing_else_is_on_or_off(raw: object) -> None:
    with pytest.raises(ValidationError, match="on or off"):
        switch(safe=raw)


class TestPulse:
    """A door opener: however it is told to open, it lets go after so long."""

    def test_it_is_the_only_ttl(self) -> None:
        device = Switch.model_validate({"id": "it", **DOOR})
        assert device.rules().ttl == Ttl(default=0.5, max=0.5)
        assert request(device, "ON").ttl_s == 0.5
        assert request(device, '{"value": "ON", "ttl": 0.5}').ttl_s == 0.5
        with pytest.raises(CommandError) as caught:
            request(device, '{"value": "ON", "ttl": 0.51}')
        assert (caught.value.code, "0.51" in str(caught.value)) == ("ttl_range", True)

    @pytest.mark.parametrize("ttl", [{"default": 5}, {"max": 60}, {"required": True}, {"min": 1}])
    def test_beside_it_there_is_no_other(self, ttl: dict[str, Any]) -> None:
        told = list(Switch.model_validate({"id": "it", **DOOR, "ttl": ttl}).mistakes())
        assert told == [("ttl", "pulse is the only TTL; leave ttl out")]

    @pytest.mark.parametrize("pulse", [0, -1, 0.04, float("nan"), float("inf"), "long"])
    def test_what_is_no_pulse(self, pulse: object) -> None:
        with pytest.raises(ValidationError):
            Switch.model_validate({"id": "it", **DOOR, "pulse": pulse})

    @pytest.mark.parametrize("active_low", [False, True])
    def test_the_pin_sees_one_pulse_of_that_length(self, *, active_low: bool) -> None:
        board = FakeBoard()
        device, driver = opened({**DOOR, "active_low": active_low}, board)
        assert isinstance(device, Switch)
        output = Output("door", device.rules())
        output.start(10.0)
        levels = [level for _, level in board.seen()]

        def play(now: float, actions: list[Any]) -> list[Any]:
            for action in actions:
                if isinstance(action, Drive):
                    driver.drive("", action.value, now, shaped=action.shaped)
                    levels.extend(level for _, level in board.seen())
            return [type(action) for action in actions if not isinstance(action, Drive)]

        asked = request(device, "ON")
        command = Command(value=asked.value, ttl_s=asked.ttl_s, stop=asked.stop, at_s=12.0)
        assert play(12.0, output.command(12.0, command)) == [Accepted]
        assert output.deadline_s == 12.5
        assert play(12.4999, output.tick(12.4999)) == []
        assert play(12.5, output.tick(12.5)) == [Reverted]
        assert levels == ([1, 0, 1] if active_low else [0, 1, 0])
        assert output.tick(1e6) == []
        assert driver.state("") is False
