"""What is mounted in a keeper: what a changed configuration reopens, and what a torn page means."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pimqtt_agent.devices import KINDS, Device
from pimqtt_agent.keeper import messages as wire
from pimqtt_agent.keeper.link import Link, pair
from pimqtt_agent.keeper.page import SLOT, Page
from pimqtt_agent.keeper.pins import MOST
from pimqtt_agent.keeper.shell import Shell
from tests.fakes import FakeBoard

PUMP = {"id": "pump", "kind": "switch", "pin": 17}
LAMP = {"id": "lamp", "kind": "light", "pin": 18}
DOOR = {"id": "door", "kind": "binary_sensor", "pin": 22}


class Bench:
    """A keeper's shell on a board that records, and its agent's end of the link."""

    def __init__(self, *specs: dict[str, Any], page: Page | None = None) -> None:
        self.ends = keeper, agent = pair()
        self.now = 100.0
        self.board = FakeBoard()
        self.page = Page()
        if page is not None:
            self.page._map = page._map  # the same memory, in the next keeper
        self._agent, self._seq = Link(agent, 1), 0
        self.shell = Shell(self.board, self.page, Link(keeper, 1), linger_s=30, clock=lambda: self.now)
        self.shell.open([made(spec) for spec in specs])

    def hello(self, *specs: dict[str, Any]) -> list[wire.Message]:
        """Say which devices are wanted, as an agent does after a reload."""
        wanted = [made(spec).model_dump(mode="json", exclude_unset=True) for spec in specs]
        self.told()
        self.shell.handle(wire.Hello(wire.VERSION, 7, wanted), self.now)
        return self.told()

    def do(self, device: str, value: Any, *, stop: bool = False, ttl_s: float | None = None) -> wire.Answer:
        self._seq += 1
        self.told()
        do = wire.Do(self._seq, device, "", value, ttl_s, stop, "me", 0, "c1", None, "", self.now, None, tell=True)
        self.shell.handle(do, self.now)
        return next(message for message in self.told() if isinstance(message, wire.Answer))

    def latch(self, device: str = "", *, on: bool) -> None:
        self._seq += 1
        self.shell.handle(wire.Latch(self._seq, device, on), self.now)

    def told(self) -> list[wire.Message]:
        found: list[wire.Message] = []
        while received := self._agent.receive():
            found += [message for _, message in received]
            self.shell.link.flush()
        return found

    def lease_of(self, device: str) -> Any:
        return self.shell.bench.mounted[device].outputs[""].lease


def made(spec: dict[str, Any]) -> Device:
    return KINDS[spec["kind"]].model_validate(spec)


def reopened(messages: list[wire.Message]) -> list[str]:
    return next(message.reopened for message in messages if isinstance(message, wire.Welcome))


Start = Callable[..., Bench]


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[Bench] = []

    def one(*specs: dict[str, Any], page: Page | None = None) -> Bench:
        started.append(Bench(*specs, page=page))
        return started[-1]

    yield one
    for bench in started:
        for end in bench.ends:
            end.close()


class TestReload:
    @pytest.mark.parametrize(
        ("device", "shown"),
        [
            (PUMP, {"name": "Garden pump"}),
            (PUMP, {"area": "Garden"}),
            (PUMP, {"icon": "mdi:pump", "device_class": "outlet"}),
            (PUMP, {"active_low": False, "ttl": {"min": 0.05}}),  # what is so without it
            (LAMP, {"name": "Hall", "area": "Hall", "icon": "mdi:lamp"}),
            (DOOR, {"device_class": "door"}),
        ],
    )
    def test_what_is_only_shown_reopens_nothing(
        self, start: Start, device: dict[str, Any], shown: dict[str, Any]
    ) -> None:
        bench = start(PUMP, LAMP, DOOR)
        bench.do("pump", value=True, ttl_s=60)
        bench.board.seen()
        others = [spec for spec in (PUMP, LAMP, DOOR) if spec is not device]

        assert reopened(bench.hello({**device, **shown}, *others)) == []
        assert reopened(bench.hello(device, *others)) == []

        assert bench.lease_of("pump").owner == "me"
        assert bench.board.seen() == []

    @pytest.mark.parametrize(
        "works",
        [{"pin": 27}, {"active_low": True}, {"ttl": {"default": 5}}, {"safe": True}, {"pulse": 1}, {"max_on": 9}],
    )
    def test_what_driver_or_leases_use_reopens_that_device(self, start: Start, works: dict[str, Any]) -> None:
        bench = start(PUMP, LAMP)
        bench.do("pump", value=True, ttl_s=60)
        bench.do("lamp", value={"on": True, "brightness": 9}, ttl_s=60)
        told = bench.hello({**PUMP, **works}, LAMP)
        assert reopened(told) == ["pump"]
        assert [message.device for message in told if isinstance(message, wire.Reverted)] == ["pump"]
        assert bench.lease_of("lamp").owner == "me"

    def test_so_does_another_kind_under_the_same_id(self, start: Start) -> None:
        bench = start(PUMP)
        assert reopened(bench.hello({**LAMP, "id": "pump", "pin": 17})) == ["pump"]

    def test_a_driver_may_say_that_it_uses_what_others_only_show(
        self, start: Start, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(KINDS["switch"], "SHOWN", frozenset({"area"}))
        bench = start(PUMP)
        assert reopened(bench.hello({**PUMP, "area": "Garden"})) == []
        assert reopened(bench.hello({**PUMP, "name": "Garden pump"})) == ["pump"]


class TestPins:
    """The levels of the lines, as the link carries them."""

    def ask(self, bench: Bench) -> wire.Answer:
        bench.told()
        bench.shell.handle(wire.Pins(5), bench.now)
        (answer,) = (message for message in bench.told() if isinstance(message, wire.Answer))
        assert answer.seq == 5
        return answer

    def test_they_are_told_in_the_order_of_the_configuration_by_what_the_message_names(self, start: Start) -> None:
        bench = start(PUMP, DOOR, {"id": "arm", "kind": "servo", "pin": "12"})
        bench.do("pump", value=True)
        (extra,) = [self.ask(bench).extra]
        assert extra == {
            "pins": [
                [17, "pump", "pin", "output", 1], [22, "door", "pin", "input", 0], ["12", "arm", "pin", "output", 0],
            ]
        }  # fmt: skip
        assert wire.PIN == ("line", "device", "role", "mode", "level")

    def test_what_is_not_open_is_left_out(self, start: Start) -> None:
        bench = start(PUMP)
        bench.board.broken.add(18)
        bench.hello(PUMP, LAMP)
        extra = self.ask(bench).extra
        assert extra
        assert [row[0] for row in extra["pins"]] == [17]

    def test_the_longest_names_fit_and_more_lines_than_that_are_a_sentence(self, start: Start) -> None:
        def device(number: int) -> dict[str, Any]:
            return {"id": f"{'x' * 60}{number:04}", "kind": "switch", "pin": f"{'y' * 64}:{number}"}

        many = [device(number) for number in range(MOST)]
        bench = start(*many)
        extra = self.ask(bench).extra
        assert extra
        assert len(extra["pins"]) == MOST
        answer = self.ask(start(*many, device(MOST)))
        assert (answer.code, answer.reason) == ("too_large", f"{MOST + 1} lines; at most {MOST} can be told at once")


class TestTornPage:
    """A keeper was killed in the middle of a write: what it left can't be trusted, and so nothing may go on."""

    @pytest.fixture
    def torn(self, start: Start) -> Page:
        page = Page()
        first = start({**PUMP, "initial": "last"}, LAMP, page=page)
        first.do("pump", value=True)
        memory = page._map
        place = memory.find(b"pump")
        memory[place - place % SLOT + 4] ^= 0xFF  # the checksum of its slot
        return page

    def test_every_output_is_latched_and_it_is_told(
        self, start: Start, torn: Page, caplog: pytest.LogCaptureFixture
    ) -> None:
        bench = start({**PUMP, "initial": "last"}, LAMP, page=torn)
        assert "torn" in caplog.text
        assert bench.board.levels == {17: 0, 18: 0}
        told = bench.hello({**PUMP, "initial": "last"}, LAMP)
        assert [(message.device, message.on) for message in told if isinstance(message, wire.Latched)] == [
            ("", True), ("pump", False), ("lamp", False),
        ]  # fmt: skip
        for device, value in (("pump", True), ("lamp", {"on": True, "brightness": 9})):
            assert bench.do(device, value).code == "latched"
        assert bench.do("pump", value=False, stop=True).code == ""

    def test_only_a_reset_of_the_node_leaves_it_and_that_lasts(self, start: Start, torn: Page) -> None:
        bench = start(PUMP, LAMP, page=torn)
        bench.latch("pump", on=False)
        assert bench.do("pump", value=True).code == "latched"
        bench.latch(on=False)
        assert bench.board.levels == {17: 0, 18: 0}  # a reset starts nothing
        assert bench.do("pump", value=True).code == ""
        assert start(PUMP, LAMP, page=torn).do("lamp", value={"on": True, "brightness": 9}).code == ""

    def test_until_then_every_keeper_is_latched(self, start: Start, torn: Page) -> None:
        start(PUMP, page=torn)
        assert start(PUMP, page=torn).do("pump", value=True).code == "latched"
