"""The two ends of a node that are ours: a broker, and a bench of pins; both tell what must never come."""

from __future__ import annotations

import math
from types import SimpleNamespace

from pimqtt_agent.hardware.protocols import Line
from pimqtt_agent.settings import MqttOptions
from tests.fakes import FakeBoard
from tests.fuzz.target import Finding, strict
from tests.fuzz.things import TOPICS


class Bench(FakeBoard):
    """Pins that take sound levels only."""

    def simulate(self, line: Line, level: int) -> None:
        if type(line) is not int or level not in (0, 1):
            raise Finding(f"line {line!r} was set to {level!r} from outside")

    def sound(self) -> None:
        """Tell a level that is none."""
        for line, level in self.levels.items():
            if isinstance(level, bool) and level not in (0, 1):
                raise Finding(f"line {line}: {level!r}")
            if not isinstance(level, int | float) or not math.isfinite(level) or not 0 <= level <= 1:
                raise Finding(f"line {line} was set to {level!r}")


class Broker:
    """Takes what the node publishes, as a broker would: no wildcards, nothing elsewhere."""

    connected = True
    max_packet_size = None
    last_in_s = 0.0

    def __init__(self) -> None:
        self.version = "5"
        self.told: list[tuple[str, bytes]] = []
        self.dropped = ""
        self.anywhere = False  # a registry may know topics of an earlier base
        self.options = MqttOptions()
        self.rights = SimpleNamespace(topics=list, why=lambda _topic: "", kept=set(), tried=set())

    def publish(
        self, topic: str, payload: bytes | str, *, qos: int = 0, retain: bool = False, correlation: bytes | None = None
    ) -> bool:
        data = payload.encode() if isinstance(payload, str) else payload
        ours = (topic == TOPICS.all_stop and not data) or topic.startswith(
            ("pimqtt/car1/", "pimqtt/reply/", "homeassistant/device/car1/")
        )
        if not (ours or self.anywhere) or not topic or set(topic) & set("+#\0") or len(topic.encode()) > 65_535:
            raise Finding(f"published to {topic!r}")
        if data[:1] in (b"{", b"[") or topic.endswith(("/result", "/lease", "/info")):
            try:
                data and strict(data)
            except (ValueError, RecursionError) as error:
                raise Finding(f"{topic}: no JSON ({error}): {data[:200]!r}") from None
        assert qos in (0, 1)
        assert retain in (True, False)
        assert correlation is None or isinstance(correlation, bytes)
        self.told.append((topic, data))
        return True

    def room(self, topic: str, correlation: bytes | None = None) -> float:
        assert isinstance(topic, str)
        return -1 if len(topic.encode()) + len(correlation or b"") > 65_000 else math.inf

    def drop(self, reason: str) -> None:
        if not reason.isprintable() or len(reason) > 400:
            raise Finding(f"nobody wants to read that in a log: {reason!r}")
        self.dropped = reason

    def subscribe(self, topics: list[str]) -> None:
        assert topics

    def unsubscribe(self, topics: list[str]) -> None:
        assert topics

    def flush(self) -> None:
        """Nothing waits."""
