"""Targets of a whole node: commands, stops, calls, and what else is heard."""

from __future__ import annotations

from typing import ClassVar

from tests.fuzz.messages import Messages
from tests.fuzz.seeds import messages
from tests.fuzz.seeds.commands import commands
from tests.fuzz.seeds.words import CALL_WORDS, COMMAND_WORDS, HEARD_WORDS


class Commands(Messages):
    """Commands: plain and JSON, for every kind, live, retained, replayed, late and repeated."""

    name = "commands"
    modules = (
        "intake",
        "router:_sort,_hold,_release,_command,_clear,_other,_unknown,_stop,_simulate,_home_assistant,_call,_answer_call",
        "refusals",
        "repeats:earlier,add,answered,told",
        "devices/light:LightEntity,_read",
        "devices/drive:DriveEntity",
    )
    share = 80
    takes_ms = 5.6
    words = COMMAND_WORDS

    @classmethod
    def seeds(cls) -> list[bytes]:
        return commands()


class Stops(Messages):
    """Emergency stops and resets, of all, the node and a device."""

    name = "stops"
    modules: ClassVar[tuple[str, ...]] = ("stops",)
    share = 15
    takes_ms = 7.7
    words = COMMAND_WORDS

    @classmethod
    def seeds(cls) -> list[bytes]:
        return messages.stops()


class NodeCalls(Messages):
    """Node calls: one, or a list."""

    name = "calls"
    modules = ("calls",)
    share = 40
    takes_ms = 2
    words = CALL_WORDS

    @classmethod
    def seeds(cls) -> list[bytes]:
        return messages.calls()


class Heard(Messages):
    """What else is heard: Home Assistant's status, our own retained things, discovery, inputs of the simulated chip."""

    name = "heard"
    modules = (
        "session:heard_info,heard_availability,heard_home_assistant,marked,doubled",
        "proofs:heard",
        "topics",
        "announce:found,_parsed,_payloads",
        "read_back:take,echoed",
    )
    share = 15
    takes_ms = 7.2
    words = HEARD_WORDS

    @classmethod
    def seeds(cls) -> list[bytes]:
        return messages.heard()
