"""What a keeper makes of the devices that its agent names."""

from __future__ import annotations

import pytest

from pimqtt_agent.keeper.mounted import made


@pytest.mark.parametrize("kind", ["not_yet", [], {}, 5, None])
def test_a_kind_that_only_a_newer_keeper_knows_is_none(kind: object) -> None:
    assert made({"id": "a", "kind": kind, "pin": 5}) is None
    assert made({"id": "a", "pin": 5}) is None


def test_one_that_it_knows_is_made() -> None:
    device = made({"id": "a", "kind": "switch", "pin": 5})
    assert device is not None
    assert device.id == "a"
