"""What must be so after broker, Home Assistant or a node ended and came back."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeAlias

from tests.broker.steps import stored
from tests.ha.api import ApiError, State, until
from tests.ha.pi import Pi
from tests.ha.rig import HomeAssistant
from tests.rig import Mosquitto
from tests.wire import Wire

#: What each output's line is at.
LINES = {"switch.relay": 27, "switch.boiler": 26, "switch.pump": 17, "light.lamp": 18}
#: Home Assistant connects anew within 10 s, and hears the states again up to 2 s after its birth, 5 s after that.
BACK_S = 60.0
#: What follows all that (a second announcement, a ghost) would be there by then (s).
QUIET_S = 2.2
APART_S = 1.8

#: A publish on a discovery topic: the device, and whether there was content.
Published: TypeAlias = tuple[str, bool]
#: What Home Assistant says of a broker that is away, and of a birth that it could not tell.
_AWAY = (
    "[homeassistant.components.mqtt.client]", "in _async_resubscribe_and_publish_birth_message",
    # what it was about to subscribe to (it gathers for a moment) when the broker left: it does so anew with the broker
    "[homeassistant.components.mqtt.util] Error talking to MQTT: The client is not currently connected",
)  # fmt: skip


@dataclass
class Aftermath:
    """The three, and what was so when a row began."""

    ha: HomeAssistant
    broker: Mosquitto
    wire: Wire
    pi: Pi
    before: dict[str, State] = field(default_factory=dict)
    devices: set[str] = field(default_factory=set)
    marks: dict[int, int] = field(default_factory=dict)
    _said: int = 0
    _since: int = 0
    _born: int = 0
    _broker_left: bool = False
    _passed: bool = False
    #: whether the broker came back with states of what had left, which nobody hears any more
    older_store: bool = False

    async def online(self) -> None:
        """Wait until the node said so since it, or the broker, was last started."""
        await until(self._said_online, BACK_S, "the node online")

    async def _said_online(self) -> bool:
        told = [p.payload for p in self.wire.seen[self._born :] if p.topic == self.pi.topic("availability")]
        return b"online" in told

    async def back(
        self,
        pins: Mapping[int, list[float]],
        announced: Collection[Published] = (),
        *,
        perhaps: Collection[Published] = (),
        gone: str = "",
    ) -> None:
        """Wait until all is as it must be, and see that it stays.

        ``pins`` are the levels that lines saw meanwhile, all others none; ``announced`` the discovery topics that were
        published on, in any order; ``perhaps`` what may follow, by who is quicker; ``gone`` a device that left.
        """
        await self.online()
        wrong: list[str] = []

        async def right() -> bool:
            wrong[:] = await self._wrong(gone)
            return not wrong

        try:
            await until(right, BACK_S, "everything back")
        except TimeoutError as error:
            raise AssertionError(f"{error}: {wrong}\n{self.pi.log.read_text()[-3000:]}") from None
        await asyncio.sleep(QUIET_S)
        wrong = await self._wrong(gone)
        assert not wrong, f"no longer so: {wrong}"
        self._moved_only(pins)
        said = sorted((device, bool(data)) for device, data in self.announced())
        assert said in (sorted(announced), sorted([*announced, *perhaps])), f"announced {said}"
        self._published_apart()
        self._warned_of_nothing()
        log = self.pi.log.read_text()
        assert "Traceback" not in log, log[-3000:]
        self._passed = True

    def _moved_only(self, pins: Mapping[int, list[float]]) -> None:
        """See that lines saw just these levels; where a keeper had to be replaced a line is claimed anew as it is."""
        begun = {pin: self.marks.get(pin, 0) for pin in {*self.pi.marks(), *pins}}
        wrong = {pin: seen for pin in begun if (seen := self.pi.levels(pin)[begun[pin] :]) != pins.get(pin, [])}
        still = [pin for pin in wrong if len({*self.pi.levels(pin)[max(0, begun[pin] - 1) :]}) == 1]
        what = "lines were claimed anew" if still == [*wrong] and not wrong.keys() & pins.keys() else "a pin moved"
        assert not wrong, f"{what}: they saw {wrong}, not {dict(pins)}"

    def _warned_of_nothing(self) -> None:
        """See that Home Assistant said nothing, but for its connection where the broker left."""
        found = self.ha.warnings(self._said)
        left = [warning for warning in found if not (self._broker_left and any(word in warning for word in _AWAY))]
        assert not left, "\n".join(left)
        self.ha.provoked += found

    def announced(self) -> list[tuple[str, bytes]]:
        """List what the node published on discovery topics since the row began: device and payload."""
        mark = f"homeassistant/device/{self.pi.name}/"
        return [(p.topic.split("/")[3], p.payload) for p in self.wire.seen[self._since :] if p.topic.startswith(mark)]

    def _published_apart(self) -> None:
        """See that no discovery topic got two payloads at once; the agent leaves 2.2 s, this process may read late."""
        by_topic: dict[str, list[float]] = {}
        for published in self.wire.seen[self._since :]:
            if published.topic.startswith("homeassistant/device/"):
                by_topic.setdefault(published.topic, []).append(published.at_s)
        for topic, times in by_topic.items():
            apart = [later - earlier for earlier, later in pairwise(times)]
            assert min(apart, default=APART_S + 1) > APART_S, f"{topic}: {apart} s apart"

    async def _wrong(self, gone: str) -> list[str]:
        """List what is not as it must be."""
        states, entries = await self.ha.states(), await self.pi.registered(self.ha)
        ours = {name for name in self.before if not gone or f"_{gone}" not in name}
        wrong = [f"{name} is missing" for name in ours - states.keys()]
        wrong += [f"{name}: {states[name]['state']}" for name in ours & states.keys() if not self._true(states[name])]
        mine = f".{self.pi.name}_"
        wrong += [f"{name} is a ghost" for name in states if mine in name and name not in ours]
        wrong += [f"{name} is registered" for key, name in entries.items() if gone and key.split(".")[0] == gone]
        devices = {device for device in self.devices if not gone or not device.endswith(f".{gone}")}
        if (known := await self._known_devices()) != devices:
            wrong.append(f"devices {known ^ devices}")
        if not wrong and not await self._picture():
            wrong.append("no picture")
        return wrong or await self._wrong_at_broker(gone)

    def _true(self, state: State) -> bool:
        """Tell whether a state is what it was, or what the pin says."""
        name, before = state["entity_id"], self.before[state["entity_id"]]
        platform, _, rest = name.partition(".")
        line = LINES.get(f"{platform}.{rest.removeprefix(f'{self.pi.name}_')}")
        if line is not None:
            level = self.pi.levels(line)[-1]
            shown = state["attributes"].get("brightness") or 0
            bright = platform != "light" or abs(shown - level * 255) < 1
            return bool(state["state"] == ("on" if level else "off") and bright)
        if platform == "sensor" and not name.endswith(("_version", "_address")):
            return state["state"] not in ("unknown", "unavailable")
        return bool(state["state"] == before["state"])

    async def _wrong_at_broker(self, gone: str) -> list[str]:
        kept = await stored(self.broker.port, "homeassistant/device/#")
        kept |= await stored(self.broker.port, self.pi.topic("#"))
        announced = {topic.split("/")[3] for topic in kept if topic.startswith("homeassistant/")}
        wanted = {name.rpartition(".")[2] for name in self.devices if name != self.pi.unique_id()} - {gone} | {"system"}
        wrong = [f"discovery of {device}" for device in announced ^ wanted]
        wrong += [f"{topic} is retained" for topic in kept if gone and not self.older_store and f"/{gone}/" in topic]
        return wrong + [f"{topic} is retained" for topic in kept if topic.endswith(("/set", "/image", "/result"))]

    async def _known_devices(self) -> set[str]:
        names = {name for device in await self.ha.devices() for _, name in device["identifiers"]}
        return {name for name in names if name == self.pi.unique_id() or name.startswith(self.pi.unique_id(""))}

    async def _picture(self) -> bool:
        try:
            return (await self.ha.camera_image(self.pi.entity_id("camera", "eye"))).startswith(b"\xff\xd8")
        except ApiError:
            return False
