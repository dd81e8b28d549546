"""How what was announced is removed."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from pimqtt_agent.discovery import removal


class TestRemoval:
    """What left a device is sent once with its platform alone; leaving it out removes nothing."""

    BEFORE: ClassVar[dict[str, Any]] = {
        "components": {
            "main": {"platform": "switch", "unique_id": "a"},
            "limit": {"platform": "number", "unique_id": "b"},
        }
    }

    def wanted(self, **components: dict[str, Any]) -> dict[str, Any]:
        return {"device": {"identifiers": ["x"]}, "components": components}

    def test_nothing_where_nothing_left(self) -> None:
        wanted = self.wanted(main={"platform": "switch"}, limit={"platform": "number"}, more={"platform": "sensor"})
        assert removal(self.BEFORE, wanted) is None

    def test_what_left_is_a_tombstone_beside_what_stays(self) -> None:
        wanted = self.wanted(main={"platform": "switch", "unique_id": "a"})
        assert removal(self.BEFORE, wanted) == {
            **wanted,
            "components": {"main": {"platform": "switch", "unique_id": "a"}, "limit": {"platform": "number"}},
        }

    def test_another_platform_under_the_same_key_takes_the_old_one_away_first(self) -> None:
        wanted = self.wanted(main={"platform": "light", "unique_id": "a"}, limit={"platform": "number"})
        found = removal(self.BEFORE, wanted)
        assert found
        assert found["components"] == {"main": {"platform": "switch"}, "limit": {"platform": "number"}}

    def test_a_tombstone_is_not_buried_again(self) -> None:
        wanted = self.wanted(main={"platform": "switch", "unique_id": "a"})
        assert removal(removal(self.BEFORE, wanted) or {}, wanted) is None

    @pytest.mark.parametrize(
        "strange",
        [{}, {"components": None}, {"components": []}, {"components": {"a": None, "b": 5, "c": {"x": 1, "y": 2}}}],
    )
    def test_what_is_not_ours_to_understand_is_left_alone(self, strange: dict[str, Any]) -> None:
        assert removal(strange, self.wanted(main={"platform": "switch"})) is None
