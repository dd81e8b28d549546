"""The targets by name."""

from __future__ import annotations

from tests.fuzz.configuration import Configuration
from tests.fuzz.conversations import Commands, Heard, NodeCalls, Stops
from tests.fuzz.frames import Frames
from tests.fuzz.operators import Operators
from tests.fuzz.packets import Packets
from tests.fuzz.page import SharedPage
from tests.fuzz.safe import Safe
from tests.fuzz.state import State
from tests.fuzz.target import Target
from tests.fuzz.values import Values

TARGETS: dict[str, type[Target]] = {
    target.name: target
    for target in (
        Values,
        Commands,
        Stops,
        NodeCalls,
        Heard,
        Frames,
        Configuration,
        State,
        SharedPage,
        Safe,
        Packets,
        Operators,
    )
}
