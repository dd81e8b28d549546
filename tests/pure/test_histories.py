"""Any history of outputs with limits: interlock, dead time, shortest off, longest on; a controller that may be lost."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule
from msgspec.structs import replace

from pimqtt_agent.rules import KEEP, Limits, OnDisconnect, Rules
from tests.pure.history import OWNERS, SIXTEENTH, TTLS, History
from tests.pure.world import MOTOR

MEMBERS = st.sampled_from(["up", "down", "winch"])


class Limited(History):
    """Three interlocked outputs, one of which moves, one that must rest, one that must not last."""

    @initialize(
        dead_times=st.tuples(*[st.integers(0, 12)] * 3), min_off=st.integers(0, 32),
        max_on=st.one_of(st.none(), st.integers(1, 48)), initial=st.booleans(), shared=st.booleans(),
        lost_value=st.booleans(), keep=st.booleans(),
    )  # fmt: skip
    def begin(
        self, dead_times: tuple[int, int, int], min_off: int, max_on: int | None, *, initial: bool, shared: bool,
        lost_value: bool, keep: bool,
    ) -> None:  # fmt: skip
        a, b, c = (time * SIXTEENTH for time in dead_times)
        min_off_s, max_on_s = min_off * SIXTEENTH, max_on and max_on * SIXTEENTH
        lost = OnDisconnect(after_s=2.0, value=lost_value)
        self.setting_out({
            "pump": Rules(
                initial=initial, shared=shared, limits=Limits(min_off_s=min_off_s), on_disconnect=lost,
                on_stop=KEEP if keep else False,
            ),
            "oven": Rules(limits=Limits(max_on_s=max_on_s)),
            "up": Rules(
                initial=initial, limits=Limits(interlock="way", dead_time_s=a, min_off_s=min_off_s), on_stop=KEEP
            ),
            "down": Rules(
                limits=Limits(interlock="way", dead_time_s=b, max_on_s=max_on_s), on_disconnect=lost, shared=shared
            ),
            "winch": replace(MOTOR, limits=Limits(interlock="way", dead_time_s=c)),
        })  # fmt: skip

    @rule(first=MEMBERS, second=MEMBERS, owner=OWNERS, ttl=TTLS, on=st.booleans())
    def one_after_another(self, first: str, second: str, owner: str, ttl: float | None, *, on: bool) -> None:
        """The second has to wait for the first, and hears another command before it is on."""
        for name, wanted, ttl_s in ((first, True, None), (second, True, None), (second, on, ttl)):
            rules = self.all_rules[name]
            value = (30.0 if name == "winch" else True) if wanted else rules.safe
            self.command(name, value, ttl_s, stop=ttl_s is None and value == rules.safe, owner=owner)


TestHistories = Limited.TestCase
TestHistories.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)
