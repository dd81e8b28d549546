"""What is promised of the pins of a class after a fault, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import inf
from typing import Literal

from benchmarks.safety.pins import AFTER_S, DEADMAN_S, PUMP_TTL_S, PinClass

#: When a deadline begins: the last renewal that passed, the pump's command, the last sign of life, the fault.
Anchor = Literal["renewal", "command", "proof", "fault"]
#: What a deadline may be late (s), at the 99th percentile, where the pin keeper lives.
LATE_S = 0.02
#: What a stop may take from its sender to the pin (s).
STOP_S = 0.05
#: By when a pin keeper that was killed or frozen is replaced, and its outputs are safe (s).
KEEPER_S = 1.0
#: By when the keeper has made all safe when its supervisor was killed (s).
SUPERVISOR_S = 0.5


@dataclass(frozen=True)
class Due:
    """At ``level`` by a deadline: ``after_s`` after ``since``.

    ``early_s``: so much before the deadline it may be there. ``limit_s``: so late is still what was promised; where
    ``real_time``, only with the priority granted. ``may_stay``: not to change is right, too. ``may_dip``: it was at
    that level and may leave it until then. ``may_lapse``: and may stay away, for `on_disconnect` wants that.
    """

    since: Anchor
    after_s: float
    early_s: float = 0.0
    limit_s: float = LATE_S
    level: float = 0.0
    real_time: bool = True
    may_stay: bool = False
    may_dip: bool = False
    may_lapse: bool = False


#: Of a class that must not change its expectation is None.
Expected = Mapping[PinClass, Due | None]

STILL: Expected = {"reverse": None, "heater": None, "lamp": None}
#: Leases run on to their deadlines, and nothing else happens.
LEASES: Expected = {**STILL, "motion": Due("renewal", DEADMAN_S), "pump": Due("command", PUMP_TTL_S)}
#: The same, and what has `on_disconnect` follows the last sign of life.
CUT_OFF: Expected = {**LEASES, "heater": Due("proof", AFTER_S)}
#: The link may be silent for so long that this is right.
BAD_LINK: Expected = {**LEASES, "heater": Due("proof", AFTER_S, may_stay=True)}
#: The agent stands; the pin keeper was told of a sign of life up to half a second before the last one.
AGENT_FROZEN: Expected = {**LEASES, "heater": Due("proof", AFTER_S, early_s=0.5)}
#: The command that blocks it is itself the last sign of life.
AGENT_BLOCKED: Expected = {**LEASES, "heater": Due("fault", AFTER_S, early_s=0.5)}
#: The next agent is there in time, as a rule.
AGENT_REPLACED: Expected = {**LEASES, "heater": Due("proof", AFTER_S, early_s=0.5, may_stay=True)}
#: The drivers renew on, and are stopped by somebody else.
STOPPED: Expected = {**LEASES, "motion": Due("fault", 0.0, limit_s=STOP_S)}

_RETURN = Due("fault", KEEPER_S, early_s=inf, limit_s=0.0, level=1.0, real_time=False, may_dip=True)
_LOST = Due("fault", KEEPER_S, early_s=inf, limit_s=0.0, real_time=False)
#: The keeper is the victim: what was under a lease is safe, what rested is where it was, within a second.
KEEPER_LOST: Expected = {**STILL, "motion": _LOST, "pump": _LOST}
#: The same where released lines fall: what rested comes back.
KEEPER_LOST_PULLED: Expected = {**KEEPER_LOST, "heater": _RETURN, "lamp": _RETURN}
#: With a tenth of a core the agent may hear nothing for a second while the next keeper starts: off is right, too.
CONFINED: Expected = {**KEEPER_LOST, "heater": Due("fault", AFTER_S, early_s=0.5, limit_s=inf, may_stay=True)}
CONFINED_PULLED: Expected = {**KEEPER_LOST_PULLED, "heater": replace(_RETURN, may_lapse=True)}
#: Everything is over, and nothing starts it again.
ALL_LOST: Expected = {"reverse": None, **dict.fromkeys(("motion", "pump", "heater", "lamp"), _LOST)}
_ENDED = Due("fault", SUPERVISOR_S, early_s=inf, limit_s=0.0, real_time=False)
SUPERVISOR_LOST: Expected = {"reverse": None, **dict.fromkeys(("motion", "pump", "heater", "lamp"), _ENDED)}
