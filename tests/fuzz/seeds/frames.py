"""Frames of the link to begin with.

The first byte of an input: 1 to the agent (else the keeper), 2 many, 4 filed (a descriptor comes along), 8 a descriptor
that is no file, 16 another generation, 32 a word between supervisor and children instead, 64 while answers are waited
for, 128 cut off within its stamp. The rest is the frame behind the stamp.
"""

from __future__ import annotations

from typing import Any, cast

from pimqtt_agent.keeper import messages as wire
from tests.fuzz.things import SPECS

TO_AGENT, MANY, FILED, NO_FILE, OTHER, WORD, ASKED, CUT = 1, 2, 4, 8, 16, 32, 64, 128
_WORDS = (
    b"f",
    b"s",
    b"o",
    b"?",
    b"x",
    b"g",
    b"lpump,fan",
    b"l\xff",
    b"? eye",
    b"?",
    b"ready car1 to x",
    b"beat",
    b"mistakes x",
    b"!the configuration has mistakes",
    b"restart\xff",
    b"",
)


def seeds() -> list[bytes]:
    """Every message both ways, some of them many at a time, with descriptors, while answers are waited for; words."""
    agent, keeper = _of_agent(), _of_keeper()
    found = [bytes([flags]) + wire.encode(message) for message in (*agent, *keeper) for flags in (0, TO_AGENT)]
    found += [bytes([flags]) + wire.encode(agent[4]) for flags in (FILED, FILED | TO_AGENT, NO_FILE, OTHER)]
    found += [bytes([MANY]) + wire.encode(agent[4:12]), bytes([MANY | TO_AGENT]) + wire.encode(keeper[:16])]
    found += [bytes([TO_AGENT | FILED]) + wire.encode(wire.Blob("eye", "", 3)), bytes([NO_FILE]) + b"\xc0"]
    found += [bytes([CUT | side]) + b"x" * length for length in range(4) for side in (0, TO_AGENT)]
    found += [bytes([WORD | side]) + word for word in _WORDS for side in (0, TO_AGENT)]
    return [*found, *_special(), b"", b"\0", b"\1\x94\x17\xa1\xff\xa0\xc0", b"\0" + b"\x91" * 4000]


def _special() -> list[bytes]:
    """Things nobody has, leases without end, answers to what was asked, a second welcome."""
    pump = wire.Held("pump", "", "ann", "i", True, False, 1e5)
    late = (
        wire.Welcome(wire.VERSION, 5, ["pump"], True),
        wire.Answer(1, "", "", True, None, None, None, None),
        wire.Bye("x"),
    )
    later = (
        wire.Held("x", "", "a", None, None, None, 0.0),
        wire.State("x", "", 5),
        wire.Reverted("x", "", None, None, "x", 1, 1),
        wire.Reverted("pump", "", "i", "ann", "keeper_lost", True, None),
    )
    to_keeper = (
        wire.Press(1, "bell", "", 1e6),
        wire.Refused("x", "", "a"),
        wire.Do(1, "x", "", 1, 1.0, False, "a", 0, None, None, "", 1e6, None, True),
        wire.Do(1, "pump", "", True, 1.0, False, "a", 0, None, "1.2.3", "", 1e6, None, True),
    )
    flags = (TO_AGENT, TO_AGENT | ASKED, TO_AGENT | OTHER | ASKED)
    found = [bytes([flag]) + wire.encode(message) for message in (pump, *late, pump, *later) for flag in flags]
    found.append(bytes([MANY | TO_AGENT]) + wire.encode([pump, late[0], pump]))
    return found + [b"\0" + wire.encode(message) for message in to_keeper]


def _of_agent() -> list[wire.Message]:
    do = wire.Do(1, "pump", "", True, 0.5, False, "ann", 0, None, None, "", 1e5, None, True)
    hello = [{"id": name, **spec} for name, spec in SPECS.items()]
    return [
        wire.Hello(wire.VERSION, 5, cast("Any", hello)),
        wire.Hello(wire.VERSION, 5, []),
        wire.Hello(9, 5, []),
        wire.Hello(
            wire.VERSION, 7, [{"id": "pump", "kind": "switch", "pin": 18}, {"id": "x", "kind": "y"}, {"id": "z"}]
        ),
        do,
        wire.Do(2, "fan", "", 50.0, 0.5, False, "bob", 3, "i", "1.2.3", "", 1e5, None, True),
        wire.Do(3, "lamp", "", {"on": True, "brightness": 9}, None, False, "bob", 3, "i", None, "", 1e5, 2.0, True),
        wire.Do(4, "car", "", {"x": 0.0, "y": 0.0}, None, True, "bob", 0, None, None, "late", 1.0, None, False),
        wire.Do(5, "nobody", "", True, 1.0, False, "bob", 0, None, None, "", 1e5, None, False),
        wire.Press(1, "eye", "snapshot", 1e5),
        wire.Press(1, "pump", "", 1e5),
        wire.Latch(1, "", True),
        wire.Latch(1, "fan", True),
        wire.Latch(2, "", False),
        wire.Proof(1e5, 1e5),
        wire.Proof(1.0, 2.0, True),
        wire.Heartbeat("ann", 1e5),
        wire.Token(1, "car", ""),
        wire.Token(1, "x", ""),
        wire.Simulate(1, 25, 1),
        wire.Refused("fan", "", "ann"),
        wire.Refused("fan", "", "ann", True),
        wire.Pins(3),
        wire.Beat(),
    ]


def _of_keeper() -> list[wire.Message]:
    return [
        wire.Welcome(wire.VERSION, 5, ["pump"]),
        wire.Welcome(wire.VERSION, 6, [], True),
        wire.Pending(1),
        wire.Answer(1, "", "", True, 0.5, "ann", "t", None),
        wire.Answer(1, "held", "no", True, None, None, None, {"a": 1}),
        wire.State("pump", "", True),
        wire.State("fan", "", -5.0),
        wire.State("lamp", "", {"on": False}),
        wire.Held("pump", "", "ann", "i", True, False, 1e5),
        wire.Held("fan", "", None, None, None, 0.0, 0.0),
        wire.Reverted("pump", "", "i", "ann", "expired", False, False),
        wire.Latched("", True),
        wire.Latched("fan", False),
        wire.Happened("bell", "", {"event_type": "press"}),
        wire.Health("pump", False, "broken"),
        wire.Blob("eye", "", 3),
        wire.Bye("stopped"),
        wire.Health("eye", True, ""),
        wire.Happened("pump", "x", {}),
    ]
