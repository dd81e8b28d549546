"""Debouncing, in any history of edges: nothing short counts, and what lasts counts once, from its first edge."""

from __future__ import annotations

from math import inf

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pimqtt_agent.hardware.debounce import Change, Debounce

GAPS_MS = st.lists(st.integers(1, 60), min_size=1, max_size=40)


def test_a_change_counts_when_it_lasted() -> None:
    contact = Debounce(1, 0.02)
    assert contact.edge(0, 1.0) is None
    assert (contact.deadline_s, contact.pending_s, contact.level) == (1.02, 1.0, 1)
    assert contact.tick(1.019) is None
    assert contact.tick(1.02) == Change(0, 1.0)
    assert (contact.deadline_s, contact.pending_s, contact.level) == (inf, inf, 0)


def test_its_first_edge_is_kept_through_bouncing() -> None:
    contact = Debounce(1, 0.02)
    for level, at_s in ((0, 1.0), (1, 1.005), (0, 1.01)):
        assert contact.edge(level, at_s) is None
    assert contact.tick(1.0299) is None
    assert contact.tick(1.031) == Change(0, 1.0)


def test_a_glitch_does_not_count() -> None:
    contact = Debounce(1, 0.02)
    contact.edge(0, 1.0)
    contact.edge(1, 1.01)
    assert contact.deadline_s == inf
    contact.edge(0, 2.0)
    assert contact.tick(2.1) == Change(0, 2.0)  # the glitch is forgotten


def test_edges_that_come_late_count_by_their_times() -> None:
    contact = Debounce(0, 0.02)
    assert contact.edge(1, 1.0) is None
    assert contact.edge(0, 1.5) == Change(1, 1.0)
    assert contact.tick(2.0) == Change(0, 1.5)


def test_without_a_time_each_edge_counts() -> None:
    contact = Debounce(0, 0)
    assert contact.edge(1, 1.0) == Change(1, 1.0)
    assert contact.edge(1, 1.1) is None
    assert contact.edge(0, 1.1) == Change(0, 1.1)


def test_a_lost_edge() -> None:
    contact = Debounce(0, 0.02)
    contact.edge(1, 1.0)
    assert contact.edge(1, 1.01) is None
    assert contact.deadline_s == 1.03
    assert contact.read(0, 1.03) is None
    assert (contact.level, contact.deadline_s) == (0, inf)
    contact.edge(1, 2.0)
    assert contact.read(1, 2.02) == Change(1, 2.0)


@settings(suppress_health_check=[HealthCheck.too_slow])  # an emulated machine draws slowly
@given(GAPS_MS, st.integers(1, 30), st.lists(st.integers(0, 3000), max_size=20))
def test_what_counts_does_not_depend_on_when_it_is_asked(
    gaps_ms: list[int], stable_ms: int, ticks_ms: list[int]
) -> None:
    times = [sum(gaps_ms[: n + 1]) for n in range(len(gaps_ms))]
    edges = [(at_ms, (n + 1) % 2) for n, at_ms in enumerate(times)]

    def run(asked_ms: list[int]) -> list[Change]:
        contact, changes = Debounce(0, stable_ms), []
        for at_ms, level in sorted([*edges, *((tick_ms, -1) for tick_ms in asked_ms)]):
            changes.append(contact.tick(at_ms) if level < 0 else contact.edge(level, at_ms))
        return [change for change in [*changes, contact.tick(1e6)] if change]

    changes = run([])
    assert run(ticks_ms) == changes
    # an oracle: a level that lasted counts where it differs from the last that counted
    level, expected = 0, []
    for (at_ms, raw), after_ms in zip(edges, [*times[1:], 10**6], strict=True):
        if after_ms - at_ms >= stable_ms and raw != level:
            level = raw
            expected.append(raw)
    assert [change.level for change in changes] == expected
    assert all(change.at_s in times for change in changes)
