"""Any history of outputs without limits: holders, priorities, shared control, let go, arming, tokens, lost controllers.

Without limits each value follows from the model alone.
"""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule
from msgspec.structs import replace

from pimqtt_agent.rules import KEEP, LAST, OnDisconnect, Rules
from tests.pure.history import OWNERS, SIXTEENTH, WHICH, History
from tests.pure.world import MOTOR, SERVO

#: The delay of a lost controller, or that none is asked for.
LOST = st.one_of(st.none(), st.integers(1, 48).map(lambda n: n * SIXTEENTH))
#: What is done to one output, by whom, with which priority, and the pause after it in sixteenths; "touch" is brief.
Turn = tuple[str, str, int, int]
TURNS = st.lists(
    st.tuples(
        st.sampled_from(["drive", "drive", "drive", "touch", "touch", "stop", "latch", "reset", "beat"]),
        st.sampled_from(["ann", "bob"]), st.integers(0, 2), st.sampled_from([0, 1, 1, 3, 5, 8]),
    ),
    min_size=5, max_size=10,
)  # fmt: skip
TOKENS = st.sampled_from([None, -1.0, 0.0, 0.25, 0.5, 0.75])
STALE = st.sampled_from(["", "", "`at` is too long ago"])
OPTIONS = st.fixed_dictionaries({
    "shared": st.sampled_from([False, False, False, True]),
    "token_required": st.sampled_from([False, False, False, True]),
    "arming_s": st.sampled_from([None, None, 0.25]),
    "deadman_s": st.sampled_from([0.25, 0.5]),
})  # fmt: skip


class Owned(History):
    """A motor, a servo, a lamp and a speed limit, each configured as it comes."""

    @initialize(
        motor=OPTIONS, servo=OPTIONS, lamp=OPTIONS, initial=st.sampled_from([False, True, LAST]),
        on_stop=st.sampled_from([False, True, KEEP]), lost_s=LOST, lost_value=st.booleans(),
    )  # fmt: skip
    def begin(
        self, motor: dict[str, Any], servo: dict[str, Any], lamp: dict[str, Any], initial: Any, on_stop: Any,
        lost_s: float | None, *, lost_value: bool,
    ) -> None:  # fmt: skip
        lost = None if lost_s is None else OnDisconnect(after_s=lost_s, value=lost_value)
        moving = None if lost_s is None else OnDisconnect(after_s=lost_s, value=50.0)
        lamp = {**lamp, "arming_s": None, "deadman_s": 0.5}
        self.setting_out({
            "motor": replace(MOTOR, on_disconnect=moving, initial=LAST, on_stop=KEEP, **motor),
            "servo": replace(SERVO, **servo),
            "lamp": Rules(initial=initial, on_stop=on_stop, on_disconnect=lost, **lamp),
            "limit": Rules(safe=100.0, off=100.0, initial=100.0, on_stop=KEEP, setting=True),
        })  # fmt: skip

    @rule(which=WHICH, owner=OWNERS, token=TOKENS, stale=STALE)
    def command_with_proof(self, which: int, owner: str, token: float | None, stale: str) -> None:
        """Whether it is fresh is decided by its token, where it bears one, else by its times."""
        name = self.named(which)
        value = 40.0 if self.models[name].moves or name == "limit" else True
        self.command(name, value, None, stop=False, owner=owner, token=token, stale=stale)

    @rule(which=WHICH, turns=TURNS)
    def several_at_one_wheel(self, which: int, turns: list[Turn]) -> None:
        """Who is in command changes faster than a dead-man lasts."""
        name = self.named(which, moves=True)
        for what, owner, priority, pause in turns:
            match what:
                case "latch":
                    self.latch_one(name)
                case "reset":
                    self.reset_all()
                case "beat":
                    self.beats(owner, 2, 0)
                case _:
                    value = self.all_rules[name].safe if what == "stop" else 40.0
                    ttl = SIXTEENTH if what == "touch" else None
                    self.command(name, value, ttl, stop=what == "stop", owner=owner, priority=priority)
            self.wait(pause)

    @rule(which=WHICH, pauses=st.tuples(st.integers(1, 2), st.integers(0, 8)), priority=st.integers(0, 2))
    def one_takes_over_for_a_moment(self, which: int, pauses: tuple[int, int], priority: int) -> None:
        name = self.named(which, moves=True)
        for owner, level, ttl, pause in (("ann", 0, None, 0), ("bob", priority, SIXTEENTH, pauses[0])):
            self.command(name, 40.0, ttl, stop=False, owner=owner, priority=level)
            self.wait(pause)
        self.wait(pauses[1])
        self.command(name, 40.0, None, stop=False, owner="ann")

    @rule(which=WHICH, owner=OWNERS, pause=st.integers(0, 8))
    def one_drives_on_against_a_latch(self, which: int, owner: str, pause: int) -> None:
        name = self.named(which, moves=True)
        self.latch_one(name)
        self.command(name, 40.0, None, stop=False, owner=owner)
        self.reset_all()
        self.wait(pause)
        self.command(name, 40.0, None, stop=False, owner=owner)

    @rule(which=WHICH, owner=OWNERS, times=st.integers(1, 2), pause=st.integers(0, 5))
    def one_beats_then_drives(self, which: int, owner: str, times: int, pause: int) -> None:
        self.beats(owner, times, 0)
        self.wait(pause)
        self.command(self.named(which, moves=True), 40.0, None, stop=False, owner=owner)

    @rule(owner=OWNERS, times=st.integers(1, 2), age=st.integers(0, 4))
    def owner_beats(self, owner: str, times: int, age: int) -> None:
        self.beats(owner, times, age)

    def beats(self, owner: str, times: int, age: int) -> None:
        at_s = self.now - age * SIXTEENTH
        for name, output in self.outputs.items():
            for _ in range(times):
                output.access.heartbeat(at_s, owner)
                self.models[name].beats.setdefault(owner, []).append(at_s)


TestOwners = Owned.TestCase
TestOwners.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
