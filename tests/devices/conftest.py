"""Fixtures of the kinds' tests."""

from __future__ import annotations

import pytest

from pimqtt_agent.devices import camera
from tests.devices.scripted_camera import Scripted


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> type[Scripted]:
    monkeypatch.setattr(Scripted, "done", [])
    monkeypatch.setattr(Scripted, "on_open", staticmethod(lambda: None), raising=False)
    monkeypatch.setattr(Scripted, "on_read", staticmethod(lambda: None), raising=False)
    monkeypatch.setattr(camera, "RETRY_S", (0.05, 0.2))
    return Scripted
