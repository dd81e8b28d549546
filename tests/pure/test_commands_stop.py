"""The command `stop`: where it is known, and that nothing beside it keeps it from being done."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from pimqtt_agent.commands import Request
from pimqtt_agent.rules import Rules
from tests.pure.payloads import ALL, SWITCH, request, with_ttl


class TestStop:
    """The safe value without ``ttl`` is a stop."""

    @pytest.mark.parametrize(
        ("entity", "payload"),
        [
            ("switch", "OFF"),
            ("switch", '{"value": "OFF", "id": "a", "owner": "b"}'),
            ("motor", "stop"),
            ("motor", "0"),
            ("motor", "-0.0"),
            ("motor", '{"value": 0}'),
            ("drive", "stop"),
            ("drive", '{"x": 0, "y": 0}'),
            ("drive", '{"value": {"x": 0.0, "y": -0.0}}'),
            ("light", "OFF"),
            ("light", '{"state": "OFF", "transition": 9}'),
        ],
    )
    def test_bare_or_in_json(self, entity: str, payload: str) -> None:
        found = request(payload, ALL[entity])
        assert found.stop
        assert (found.ttl_s, found.transition_s) == (None, None)

    @pytest.mark.parametrize("ttl", [{"default": 5}, {"required": True}])
    def test_also_where_a_default_is_set_or_a_ttl_is_required(self, ttl: dict[str, Any]) -> None:
        assert request("OFF", with_ttl(**ttl)).stop

    def test_with_a_ttl_it_is_a_lease(self) -> None:
        assert request('{"value": "OFF", "ttl": 5}') == Request(value=False, transition_s=None, ttl_s=5, stop=False)

    def test_where_safe_is_on_on_is_the_stop(self) -> None:
        valve = replace(SWITCH, rules=Rules(safe=True))
        assert request("ON", valve).stop
        assert not request("OFF", valve).stop
