"""Words between the supervisor and its children, as each end hears them."""

from __future__ import annotations

import socket
from types import SimpleNamespace
from typing import Any

from pimqtt_agent.child_agent import AgentChild
from pimqtt_agent.child_keepers import PinKeeperChild
from pimqtt_agent.keeper import process
from pimqtt_agent.keeper.page import Page
from pimqtt_agent.keeper.shell import Shell


def tell_supervisor(word: bytes, now_s: float) -> None:
    """Say a word to the supervisor, as its agent and as its keeper of pins."""
    supervisor: Any = SimpleNamespace(
        problem=lambda _source, _text: None,
        keepers=[],
        keeper=lambda _name: None,
        problems="",
        notify=SimpleNamespace(ready=lambda _text: None),
    )
    if word.decode(errors="replace") == "restart":  # would have this very process read its configuration again
        return
    AgentChild(supervisor).heard(word)
    pins = PinKeeperChild(supervisor, Page())
    pins.heard(word)
    pins.ask_beat(now_s)
    pins.keeper_end.close()
    pins.agent_end.close()


def tell_keeper(word: bytes, shell: Shell) -> None:
    """Say a word to a keeper, as its supervisor."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        theirs.setblocking(False)
        ours.send(word)
        keeper = object.__new__(process.Keeper)
        keeper._control, keeper.shell, keeper._beat_s = theirs, shell, 0.0
        keeper._read_control()
