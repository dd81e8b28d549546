"""What an operator's client reads of nodes, which anybody may have written: answers, states, ``info``."""

from __future__ import annotations

import contextlib
import zlib
from typing import Any

from rich.console import Console

from pimqtt_agent.client_results import Change, NoAnswerError, Node, Result, content_of
from pimqtt_agent.client_stops import Latching
from pimqtt_agent.client_topics import Place, place, target
from pimqtt_agent.console import output
from pimqtt_agent.console.board import Board
from pimqtt_agent.console.watching import view
from pimqtt_agent.errors import PimqttError
from tests.fuzz.target import Finding, Target, joined, records

_TOPICS = (
    "pump/state",
    "pump/lease",
    "pump/result",
    "pump/event",
    "info",
    "availability",
    "pump/availability",
    "stop/state",
    "pump/stop/state",
    "stop/result",
    "system/load/state",
    "call/result",
    "car/limit/state",
    "eye/image",
)
_CONTENTS: tuple[str, ...] = (
    "ON",
    "",
    "online",
    '{"x": 0.5, "y": "a"}',
    '{"state": "ON", "brightness": 5, "color": {}}',
    '{"state": []}',
    "{",
    "[1]",
    '{"owner": "a", "value": true, "resting": false, "remaining_s": 5, "end": 1800000000}',
    '{"owner": 5, "remaining_s": "x"}',
    '{"outcome": "accepted", "value": {"x": 1}, "ttl": 5, "holder": null}',
    '{"outcome": ["x"], "code": {}, "reason": 5, "ttl": true}',
    '{"outcome": "rejected", "code": "held", "reason": "a", "retry_after_s": 1, "min": 0, "max": 1}',
    '{"event_type": "press"}',
    '{"event_type": {"a": [1]}}',
    '{"outcome": "reverted", "cause": "expired", "value": "ON", "ttl": 1e300}',
    '{"outcome": null}',
    '{"devices": [{"id": "pump", "kind": "switch", "entities": [{"key": "", "ttl": {}}]}], "version": "1", "model": "x"}',  # noqa: E501 - one input
    '{"devices": {}}',
    '{"devices": [5, {"id": 5}, {"id": "a", "entities": [5, {"ttl": 1, "key": []}]}]}',
    "2026-11-22T01:02:03+00:00",
    "2026-99-99T99:99",
    "[bold]x[/nope]",
    "\x1b[2J",
    "a\nb",
    '{"owner": "a", "remaining_s": 1e308, "end": 1e308}',
    "\ud7ff",
    '{"remaining_s": null, "owner": "[/]", "value": [], "resting": {}}',
    "OFF",
    "offline",
)


class Operators(Target):
    """``pimqtt watch``, ``send``, ``call`` and ``stop``, as far as they read."""

    name = "operators"
    modules = (
        "client_results",
        "client_topics:place,target",
        "client_stops:hear,results,complete",
        "console/board",
        "console/output:compact,change,content,state,resting,result",
    )
    share = 30
    takes_ms = 2
    words = (*_TOPICS, *_CONTENTS[3:20])

    def open(self) -> None:
        with open("/dev/null", "w", encoding="utf-8") as nowhere:  # noqa: PTH123
            self._nowhere = nowhere
        self._console = Console(width=120, height=40, record=False, file=None, quiet=False, force_terminal=False)

    @classmethod
    def seeds(cls) -> list[bytes]:
        found = [joined((f"pimqtt/car1/{topic}", content)) for topic in _TOPICS for content in _CONTENTS]
        found += [
            joined((f"{topic} r", "ON"))
            for topic in ("pimqtt", "pimqtt/stop/x", "x/y", "pimqtt/a/b/c/d/e", "a/b", "a", "A/b", "stop", "a/stop")
        ]
        info = _CONTENTS[17]
        found += [
            joined(("pimqtt/car1/pump/result", '{"outcome": "accepted", "action": "token", "result": {"token": "x"}}')),
            joined(("pimqtt/car1/pump/result", '{"outcome": "accepted", "state": "ON", "owner": "ann", "ttl": null}')),
            joined(
                ("pimqtt/car1/pump/result", '{"outcome": "reverted", "state": "OFF", "owner": "a", "cause": "expired"}')
            ),
            joined(("pimqtt/car1/pump/lease r", _CONTENTS[8])),
            joined(("pimqtt/car1/lamp/state", "ON"), ("pimqtt/car1/info", info), ("pimqtt/car1/info", info)),
        ]
        answers = (
            ("lease r", _CONTENTS[8]),
            ("result", _CONTENTS[10]),
            ("result", _CONTENTS[12]),
            ("event", _CONTENTS[13]),
        )
        found += [joined(("pimqtt/car1/info", info), (f"pimqtt/car1/pump/{what}", text)) for what, text in answers]
        found.append(joined(("pimqtt/car1/system/load/lease", "{}")))
        gone = info.replace("pump", "lamp")
        return [
            *found,
            joined(("pimqtt/car1/info", info), ("pimqtt/car1/pump/state", "ON"), ("pimqtt/car1/info", gone)),
            joined(
                ("pimqtt/car1/info", info),
                ("pimqtt/car1/pump/state", "ON"),
                ("pimqtt/car1/stop/state", "ON"),
                ("pimqtt/car1/pump/stop/state", "OFF"),
                ("pimqtt/car1/availability", "online"),
            ),
        ]

    def run(self, data: bytes) -> None:
        board = Board()
        latches = [
            Latching(where, word) for where in (None, Place("car1"), Place("car1", "pump")) for word in ("ON", "OFF")
        ]
        for head, payload in records(data, 6):
            topic, _, flags = head.partition(" ")
            with contextlib.suppress(PimqttError):
                target(topic, least=1, most=3)
            where, content = place("pimqtt", topic), content_of(payload)
            if where is None:
                continue
            if isinstance(content, dict):
                Result.read(topic, content)
                Node(id=where.node, online=False, info=content).device("pump")
            for latch in latches:
                latch.hear(where, content, retained="r" in flags)
            change = Change(
                place=where, content=content, retained="r" in flags, at_s=self.clock.now_s, unix_s=self.clock.time()
            )
            line = output.change(change)
            if not isinstance(line, str):
                raise Finding(f"no line: {line!r}")
            change.as_json()
            board.take(change)
        for latch in latches:
            latch.complete(settled=True)
            with contextlib.suppress(NoAnswerError):
                latch.results(1.0)
        if zlib.crc32(data) % 8 == 0:  # drawing takes ten times as long as reading
            self._drawn(view(board, "broker", "", 40))

    def _drawn(self, drawing: Any) -> None:
        with self._console.capture():
            self._console.print(drawing)
