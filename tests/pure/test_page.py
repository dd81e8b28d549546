"""The page that outlives keepers: what is written is read, and what is torn is known to be."""

from __future__ import annotations

import mmap
import os
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pimqtt_agent.keeper.page import NODE, SLOT, SLOTS, Page, Record

PLAIN = st.none() | st.booleans() | st.floats(-1e6, 1e6) | st.dictionaries(st.sampled_from("xy"), st.floats(-1, 1))


class TornMap:
    """Memory whose writer is killed after so many bytes of its next write."""

    def __init__(self, memory: mmap.mmap, cut: int) -> None:
        self._memory, self._cut = memory, cut

    def __getitem__(self, where: slice) -> bytes:
        return self._memory[where]

    def __setitem__(self, where: slice, data: bytes) -> None:
        self._memory[where.start : where.start + min(self._cut, len(data))] = data[: self._cut]


def again(page: Page) -> Page:
    """The same memory in the next keeper."""
    after = Page()
    after._map = page._map
    return after


def tear(page: Page, record: Record, cut: int) -> Page:
    """Write a record up to ``cut`` bytes; return the page as the next keeper finds it."""
    memory = page._map
    setattr(page, "_map", TornMap(memory, cut))  # noqa: B010 - a stand-in of another type
    page.write(record)
    page._map = memory
    return again(page)


def test_an_empty_page_has_no_records() -> None:
    page = Page()
    assert page.read() == {}
    assert not page.torn


@given(
    records=st.lists(
        st.builds(
            Record,
            name=st.text("abcdefgh/_-!0123", min_size=1, max_size=30),
            resting=PLAIN,
            off_since_s=st.none() | st.floats(0, 1e9),
            latched=st.booleans(),
            live=st.booleans(),
            on_since_s=st.none() | st.floats(0, 1e9),
            proof_s=st.none() | st.floats(0, 1e9),
            disconnected=st.booleans(),
        ),
        max_size=30,
    )
)
@settings(max_examples=50)
def test_the_next_keeper_reads_what_was_last_written_of_each(records: list[Record]) -> None:
    page = Page()
    for record in records:
        page.write(record)
    after = again(page)
    assert after.read() == {record.name: record for record in records}
    assert not after.torn


def test_a_reader_goes_on_writing_where_the_one_before_ended() -> None:
    page = Page()
    page.write(Record("pump", resting=True))
    after = again(page)
    after.read()
    after.write(Record("fan", resting=0.0))
    after.write(Record("pump", resting=False))
    assert {name: record.resting for name, record in again(page).read().items()} == {"pump": False, "fan": 0.0}


def test_there_is_room_for_many_outputs_and_one_more_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    page = Page()
    names = [f"device{number}/{'x' * 60}" for number in range(SLOTS)]
    for name in names:
        page.write(Record(name, resting=True))
    assert set(again(page).read()) == set(names)
    for name in ("one more", "and another"):
        page.write(Record(name))
    assert set(again(page).read()) == set(names)
    assert [record.getMessage() for record in caplog.records] == [
        "one more: there is no room to remember it beyond this keeper; restart pimqtt"
    ]


def test_what_is_gone_makes_room() -> None:
    page = Page()
    for number in range(SLOTS):
        page.write(Record(f"device{number}", resting=True))
    page.write(Record("new", latched=True), gone=lambda name: name == "device7")
    found = again(page).read()
    assert len(found) == SLOTS
    assert found["new"].latched
    assert "device7" not in found


def length(record: Record) -> int:
    page = Page()
    page.write(record)
    return len(page._map[:SLOT].rstrip(b"\0"))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (Record("pump", resting=False), Record("pump", resting=True, off_since_s=12.5)),
        (Record("car", {"x": 1.0, "y": 0.25}, 3.0), Record("car", {"x": -1.0, "y": 0.5}, 4.0)),
        (Record(NODE, latched=True), Record(NODE, latched=False)),
        # the length's low byte becomes 0: that must not read as the end of the page
        (Record("long", "x" * 241), Record("long", "x" * 242)),
        (Record("long", "x" * 300), Record("long", "x" * 3)),
    ],
)
def test_a_slot_that_is_cut_anywhere_is_the_old_one_the_new_one_or_torn(before: Record, after: Record) -> None:
    torn = 0
    for cut in range(length(after) + 1):
        page = Page()
        page.write(before)
        page.write(Record("next", resting=True))
        found = tear(page, after, cut)
        records = found.read()
        assert records["next"].resting is True, f"cut after {cut} bytes: what follows was lost"
        if found.torn:
            torn += 1
            assert before.name not in records
        else:
            assert records[before.name] in (before, after)
            assert records[before.name] == before or cut > 8
    assert torn


def test_the_length_of_a_cut_slot_may_become_0() -> None:
    page = Page()
    page.write(Record("long", "x" * 241))
    first = bytes(page._map[:2])
    page.write(Record("long", "x" * 242))
    assert (first[1], page._map[1]) == (0, 1), "the lengths of the test above lie on both sides of 256"


@pytest.mark.parametrize("cut", [1, 4, 7, 9, 15])
def test_a_new_slot_that_is_cut_is_torn(cut: int) -> None:
    found = tear(Page(), Record("pump", resting=True), cut)
    assert found.read() == {}
    assert found.torn


@given(junk=st.binary(min_size=1, max_size=SLOT))
def test_junk_is_torn_and_never_a_record(junk: bytes) -> None:
    page = Page()
    page.write(Record("pump", resting=True))
    page.write(Record("second"))
    page._map[SLOT : 2 * SLOT] = junk.ljust(SLOT, b"\0")
    found = again(page)
    assert set(found.read()) == {"pump"}
    assert found.torn == any(junk[:8])


class TestAfterItWasTorn:
    def torn(self) -> Page:
        page = Page()
        page.write(Record("pump", resting=True))
        page.write(Record("fan", resting=0.0))
        found = tear(page, Record("pump", resting=False), 11)
        found.read()
        assert found.torn
        return found

    def test_it_stays_torn_until_the_nodes_latch_is_written(self) -> None:
        page = self.torn()
        page.write(Record("lamp", resting=False))
        page.write(Record(NODE, latched=False))
        found = again(page)
        found.read()
        assert found.torn

    def test_from_then_on_the_latch_says_it(self) -> None:
        page = self.torn()
        page.write(Record(NODE, latched=True))
        found = again(page)
        assert found.read()[NODE].latched
        assert not found.torn

    def test_so_that_a_reset_is_one_for_the_next_keeper_too(self) -> None:
        page = self.torn()
        page.write(Record(NODE, latched=True))
        page.write(Record("pump", resting=False))
        page.write(Record(NODE, latched=False))
        found = again(page)
        records = found.read()
        assert not found.torn
        assert not any(record.latched for record in records.values())
        assert set(records) == {"pump", "fan", NODE}

    def test_even_where_the_torn_slot_is_the_latch_itself(self) -> None:
        page = Page()
        page.write(Record(NODE, latched=False))
        found = tear(page, Record(NODE, latched=True), 10)
        found.read()
        assert found.torn
        found.write(Record(NODE, latched=True))
        after = again(found)
        assert after.read()[NODE].latched
        assert not after.torn


def test_two_processes_see_the_same_page() -> None:
    page = Page()
    pid = os.fork()
    if pid == 0:
        page.write(Record("pump", resting=True))
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    found: dict[str, Any] = page.read()
    assert found["pump"].resting is True
