"""The agent: composition only. It knows the wire and the declarations, touches no hardware, guards no deadline."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import signal
import socket
import time
from collections.abc import Coroutine
from typing import Any

from pimqtt_agent import clock, identity
from pimqtt_agent.announce import Announcer
from pimqtt_agent.answers import Answers
from pimqtt_agent.bridge import Bridge
from pimqtt_agent.broker import forever
from pimqtt_agent.calls import Calls
from pimqtt_agent.departed import Departed
from pimqtt_agent.devices.system import SystemDevice
from pimqtt_agent.discovery import Node
from pimqtt_agent.intake import Intake
from pimqtt_agent.keeper import process
from pimqtt_agent.keepers import KeeperLink
from pimqtt_agent.memory import Memory
from pimqtt_agent.model import Model
from pimqtt_agent.own import Own
from pimqtt_agent.paths import state_dir
from pimqtt_agent.pictures import Pictures
from pimqtt_agent.reports import Reports
from pimqtt_agent.router import Router
from pimqtt_agent.session import Session
from pimqtt_agent.settings import Settings
from pimqtt_agent.topics import Topics

log = logging.getLogger(__name__)

#: Seconds between our beats to the supervisor, and how long keepers may take until we connect all the same.
BEAT_S, KEEPERS_S = 5.0, 3.0


class Agent:
    """What is composed, in the order of the data's way."""

    def __init__(self, settings: Settings, ends: dict[str, socket.socket], control: socket.socket) -> None:
        """Build everything; nothing runs yet. ``ends`` are the links by keeper, ``""`` is the pins'."""
        self.settings, self.control = settings, control
        self.stopping = asyncio.Event()
        topics = Topics(settings.mqtt.base, settings.node.id, settings.mqtt.discovery_prefix)
        hardware_id, board = identity.identity(settings)
        system = SystemDevice.of(settings.system)
        self.model = Model(topics, [*settings.devices, system])
        self.model.health["system"] = True
        self.memory = Memory(state_dir(settings.state_dir, settings.node.id), self.model)
        node = Node(
            topics=topics, identity=hardware_id, title=settings.node.title, model=board, area=settings.node.area
        )
        self.session = Session(self.model, node, self.memory)
        name = client_id(settings, hardware_id)
        self.bridge = Bridge(
            settings.mqtt, name, on_session=self.session.begin, on_batch=self._batch,
            will=(topics.availability, "offline"), ping_s=ping_s(settings),
            moves=any(output.moves for output in self.model.outputs()),
        )  # fmt: skip
        self.answers = Answers(self.bridge, clock.synchronised)
        self.pictures = Pictures(settings.mqtt, f"{name}-media", self.model)
        self.session.attach(
            self.bridge, self.answers, Announcer(self.bridge, node, list(settings.devices), system, self._departed())
        )
        self.reports = Reports(self.model, self.answers, self.bridge, self.memory, self.session, self.pictures)
        self.links = self._links(ends)
        self.own = Own(system, self.model, self.answers, restart=lambda: self.say("restart"), flush=self.bridge.flush)
        self.session.facts = self.own.facts
        self.intake = Intake(
            self.model, self.answers, self.keeper, lambda job, done: self.own.press(job, done, self.keeper),
            memory=self.memory, wall_s=clock.wall_s,
            priority_cap=lambda owner: settings.owners[owner].max_priority if owner in settings.owners else 9,
            may_simulate=getattr(settings.hardware, "control", False),
        )  # fmt: skip
        self.router = Router(
            model=self.model, bridge=self.bridge, session=self.session, intake=self.intake, answers=self.answers,
            calls=Calls(self.model, self.keeper, self.own.readings), memory=self.memory, keeper=self.keeper,
            again=self.pictures.again,
        )  # fmt: skip

    def _departed(self) -> Departed:
        folder = state_dir(self.settings.state_dir, self.settings.node.id)
        return Departed(folder, self.model.devices)

    def _links(self, ends: dict[str, socket.socket]) -> dict[str, KeeperLink]:
        links = {}
        for name, end in ends.items():
            keeper = "camera" if name else "pins"
            devices = [d for d in self.settings.devices if d.keeper == keeper and name in ("", d.id)]
            specs = [d.model_dump(mode="json", exclude_unset=True) for d in devices]
            links[name] = KeeperLink(
                name, end, specs, tell=self.reports.take, ask_beat=lambda who: self.say(f"? {who}"), after=self._after
            )
        return links

    def keeper(self, device: str) -> KeeperLink:
        """Return the link to the keeper of a device."""
        return self.links.get(device) or self.links[""]

    def say(self, word: str) -> None:
        """Tell the supervisor something."""
        with contextlib.suppress(OSError):  # it is gone, and so are we in a moment
            self.control.send(word.encode())

    async def run(self) -> None:
        """Run until told to stop, or until a part fails; what is open is closed, the last opened first."""
        async with contextlib.AsyncExitStack() as stack:
            self._listen(stack)
            self.own.read()
            await self._keepers_there()
            self.say(f"ready {self.settings.node.id} to {self.settings.mqtt.host}:{self.settings.mqtt.port_number}")
            group = await stack.enter_async_context(asyncio.TaskGroup())
            tasks = [group.create_task(work, name=name) for name, work in self._work().items()]
            await self.stopping.wait()
            await self.session.end(self.links)
            for task in tasks:
                task.cancel()

    def _listen(self, stack: contextlib.AsyncExitStack) -> None:
        """Listen to supervisor and keepers; when nothing more can be heard, what they told is saved."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self.stopping.set)
        stack.callback(loop.remove_signal_handler, signal.SIGTERM)  # last: it must not end us while we save
        stack.callback(self.memory.save)
        loop.add_reader(self.control.fileno(), self._controlled)
        stack.callback(loop.remove_reader, self.control.fileno())
        for link in self.links.values():
            link.start()
            stack.callback(link.stop)

    def _work(self) -> dict[str, Coroutine[Any, Any, None]]:
        return {
            "bridge": forever(self.bridge),
            "beat": self._beat(),
            "proof": self._prove(),
            "system": self.own.run(self.settings.system.interval),
            "pictures": self.pictures.run(),
            "memory": self.memory.run(),
            "stalls": self.router.watch_stalls(),
        }

    async def _keepers_there(self) -> None:
        """Wait for the pins: what is replayed to us needs them."""
        end = time.monotonic() + KEEPERS_S
        while not all(link.welcome for link in self.links.values()) and time.monotonic() < end:
            await asyncio.sleep(0.002)

    async def _prove(self) -> None:
        await self.session.prove(ping_s(self.settings), self.links, self.settings.linger_s)

    async def _beat(self) -> None:
        while True:
            self.say("beat")
            self.session.tell_changes()
            await asyncio.sleep(BEAT_S)

    def _controlled(self) -> None:
        word = process.hear(self.control)
        if word is None:
            return
        if word.startswith(b"!"):
            self.session.tell_problem(word[1:].decode(errors="replace"))
        if word.startswith(process.GONE):
            self._gone(word[len(process.GONE) :].decode())
        if word == process.GO:
            self.links[""].said_bye.set()  # nothing to wait for
        if word in (process.STOP, process.GO, b""):
            self.stopping.set()
            if not word:
                asyncio.get_running_loop().remove_reader(self.control.fileno())

    def _gone(self, keeper: str) -> None:
        """What a keeper told of its devices holds no more; its successor tells it anew."""
        for device in self.settings.devices:
            if device.id == keeper or (not keeper and device.keeper == "pins"):
                self.model.health[device.id] = False
                self.session.health(device.id)
        self.bridge.flush()

    def _batch(self, messages: list[Any], drained: bool) -> None:  # noqa: FBT001 - the bridge's callback
        pins = self.links[""]
        asked = pins.asked
        self.router.batch(messages, drained=drained)
        self.intake.pump()
        if pins.asked == asked + 1:
            pins.watch()

    def _after(self) -> None:
        self.intake.pump()
        self.bridge.flush()


def client_id(settings: Settings, hardware_id: str) -> str:
    """Name us at the broker; two boards with the same card get two names, so that they see each other.

    Of an identity made of machine-id and node, the node says nothing.
    """
    if settings.mqtt.client_id:
        return settings.mqtt.client_id
    if settings.hardware.backend == "simulated":
        return f"pimqtt-{settings.node.id}"
    return f"pimqtt-{settings.node.id}-{hardware_id.partition('-')[0][-8:]}"


def ping_s(settings: Settings) -> float | None:
    """Tell how often the broker is asked where an output has ``on_disconnect``: a third of the shortest, at most 10."""
    rules = [entity.rules for device in settings.devices for entity in device.declared if entity.rules]
    afters = [rule.on_disconnect.after_s for rule in rules if rule.on_disconnect]
    if not afters:
        return None
    third_s = min(afters) / 3
    return min(10.0, max(1.0, third_s)) if third_s > 0.6 else third_s  # every second would be too late


def main(settings: Settings, ends: dict[str, socket.socket], control: socket.socket) -> None:
    """Run the agent in a process that was just forked; does not return."""
    status = 70
    try:
        signal.set_wakeup_fd(-1)
        for ignored in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
            signal.signal(ignored, signal.SIG_IGN)
        gc.enable()
        asyncio.Runner().run(_run(settings, ends, control))  # never closed: a thread may still be connecting
        status = 0
    except Exception:
        log.exception("the agent failed")
    finally:
        logging.shutdown()
        os._exit(status)


async def _run(settings: Settings, ends: dict[str, socket.socket], control: socket.socket) -> None:
    await Agent(settings, ends, control).run()
