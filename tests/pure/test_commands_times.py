"""The times of a command: its TTL, and whether it came too late."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from pimqtt_agent.commands import Envelope, Request, stale
from pimqtt_agent.devices.motor import Motor
from pimqtt_agent.devices.switch import Switch as SwitchDevice
from tests.pure.payloads import CAR, FAN, PRESS, refusal, request, with_ttl


class TestTtl:
    def test_a_command_without_one_takes_the_outputs_default_and_is_a_lease(self) -> None:
        assert request("ON", with_ttl(default=5)).ttl_s == 5
        assert request('{"value": "ON"}', with_ttl(default=5)).ttl_s == 5

    def test_of_motion_its_dead_man(self) -> None:
        assert request("forward", FAN).ttl_s == 0.5
        assert request('{"x": 0, "y": 1}', CAR).ttl_s == 0.5

    def test_where_there_is_no_default_it_sets_the_resting_value(self) -> None:
        assert request("ON") == Request(value=True, transition_s=None, ttl_s=None, stop=False)

    def test_where_it_is_required_it_is_rejected(self) -> None:
        assert refusal("ON", with_ttl(required=True)).code == "ttl_required"
        assert refusal("ON", with_ttl(required=True, default=5)).code == "ttl_required"

    @pytest.mark.parametrize("ttl", [0.049, 0, -1, -0.0])
    def test_below_the_floor_it_is_rejected_with_the_limits(self, ttl: float) -> None:
        error = refusal(json.dumps({"value": "ON", "ttl": ttl}))
        assert (error.code, error.extra) == ("ttl_range", {"min": 0.05, "max": None})

    @pytest.mark.parametrize("ttl", [0.99, 60.001])
    def test_outside_of_its_own_range_too(self, ttl: float) -> None:
        error = refusal(json.dumps({"value": "ON", "ttl": ttl}), with_ttl(min=1, max=60))
        assert (error.code, error.extra) == ("ttl_range", {"min": 1, "max": 60})
        assert "1 to 60 s" in str(error)

    @pytest.mark.parametrize("ttl", [1, 60])
    def test_the_limits_themselves_are_taken(self, ttl: float) -> None:
        assert request(json.dumps({"value": "ON", "ttl": ttl}), with_ttl(min=1, max=60)).ttl_s == ttl

    def test_motions_is_capped_by_its_dead_man_unless_max_says_more(self) -> None:
        assert refusal('{"value": 50, "ttl": 0.6}', FAN).code == "ttl_range"
        longer = {"id": "fan", "kind": "motor", "forward": 23, "backward": 24, "ttl": {"max": 3}}
        assert request('{"value": 50, "ttl": 3}', Motor.model_validate(longer).entities()[0]).ttl_s == 3

    def test_a_press_takes_none(self) -> None:
        assert refusal('{"value": "PRESS", "ttl": 5}', PRESS).code == "ttl_range"

    def test_a_pulse_takes_nothing_longer(self) -> None:
        door = SwitchDevice.model_validate({"id": "door", "kind": "switch", "pin": 4, "pulse": 0.5}).entities()[0]
        assert request("ON", door).ttl_s == 0.5
        assert refusal('{"value": "ON", "ttl": 5}', door).code == "ttl_range"


class TestStale:
    """A live command is stale only where ``at`` proves it older than its TTL; a resting value: than ``expiry``."""

    AT = Envelope(raw="ON", at=1000.0)

    def test_older_than_its_ttl(self) -> None:
        assert stale(self.AT, 5, 1005.0) == ""
        assert "5.50 s old" in stale(self.AT, 5, 1005.5)

    def test_a_resting_value_older_than_its_expiry(self) -> None:
        envelope = replace(self.AT, expiry=10.0)
        assert stale(envelope, None, 1010.0) == ""
        assert stale(envelope, None, 1011.0)
        assert stale(self.AT, None, 9999.0) == ""

    def test_without_a_synchronised_clock_nothing_is_proven(self) -> None:
        assert stale(self.AT, 5, None) == ""

    def test_without_at_nothing_is_proven(self) -> None:
        assert stale(Envelope(raw="ON"), 5, 1e9) == ""

    @pytest.mark.parametrize("ahead", [0.5, 1.0, 1.5, 1e6])
    def test_a_clock_ahead_of_ours_proves_nothing(self, ahead: float) -> None:
        assert stale(self.AT, 5, 1000.0 - ahead) == ""
