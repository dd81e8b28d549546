"""The faults, each described in one place."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Iterator

from benchmarks.driver import Driver
from benchmarks.safety import deeds, healing, home, work
from benchmarks.safety.deeds import HOUR_S
from benchmarks.safety.fault import BAD_DELAY_S, BAD_LOSS, FLOOD_HZ, Fault
from benchmarks.safety.promises import (
    AGENT_BLOCKED,
    AGENT_FROZEN,
    AGENT_REPLACED,
    ALL_LOST,
    BAD_LINK,
    CONFINED,
    CONFINED_PULLED,
    CUT_OFF,
    KEEPER_LOST,
    KEEPER_LOST_PULLED,
    STOPPED,
    SUPERVISOR_LOST,
)
from benchmarks.safety.stage import Stage
from benchmarks.safety.stages import busy, clocked, confined, networked, on_small_disks, relayed, sleepy
from benchmarks.safety.world.relay import Relay

KILL, FREEZE = signal.SIGKILL, signal.SIGSTOP
#: What a node logs where its state finds no disk.
UNWRITTEN = "can't be written"


@contextlib.contextmanager
def flood(stage: Stage) -> Iterator[None]:
    """Send a node's spare switch very many commands, whether it can do them or not."""
    (node,) = stage.nodes
    pair = (f"pimqtt/{node.name}/spare/set", f"pimqtt/{node.name}/spare/state")
    trace = stage.trace(node)
    trace.seen()
    before, begin_s = trace.spare_changes, time.monotonic()
    with Driver(stage.broker.port).flood([pair], FLOOD_HZ) as sent:
        yield
    trace.seen()
    done_hz = (trace.spare_changes - before) / (time.monotonic() - begin_s)
    for name, rate_hz in (("flood_hz", sent.sent_hz), ("done_hz", done_hz)):
        stage.notes[name] = min(round(rate_hz), stage.notes.get(name, round(rate_hz)))  # of the slowest round


@contextlib.contextmanager
def bad_link(stage: Stage) -> Iterator[None]:
    """Have whatever passes between broker and agents be late, and some of it lost."""
    relay = stage.the(Relay)
    relay.delay(BAD_DELAY_S, BAD_LOSS)
    try:
        yield
    finally:
        relay.release()


FAULTS = (
    # ---- who drives
    Fault("sender_stops", "whoever drives stops sending", "sender", side=6),
    Fault("sender_killed", "whoever drives is killed", "sender", side=6, killed=True),
    Fault("fight", "two operators fight over the wheels", "sender", side=6, rival=True),
    Fault(
        "home_killed", "Home Assistant, from which is driven, is killed", "home", slow_s=20, run=home.run_part,
    ),
    Fault(
        "stop", "a stop, while the driver renews on", "sender", side=6, deed=deeds.stop, expect=STOPPED, goes_on_s=1.5,
    ),
    # ---- broker and network
    Fault(
        "broker_killed", "the broker is killed", "process", side=3, shared=True, deed=deeds.kill_broker, expect=CUT_OFF,
    ),
    Fault(
        "broker_frozen", "the broker freezes, and goes on later", "process", side=3, shared=True,
        deed=deeds.freeze_broker, expect=CUT_OFF, stamp="at", goes_on_s=1, settle_s=1,
    ),
    Fault(
        "cable_cut", "the cable is cut, and plugged in later", "process", make=networked, side=3, shared=True,
        deed=deeds.cut_cable, expect=CUT_OFF, stamp="at", goes_on_s=1, settle_s=2,
    ),
    Fault(
        "one_way", "the broker's packets are lost, the agent's are not", "process", make=networked, side=3, shared=True,
        deed=deeds.drop_one_way, expect=CUT_OFF, stamp="at", goes_on_s=1, settle_s=2,
    ),
    Fault(
        "bad_link", "200 ms delay and 3 % loss each way; the sender stops", "sender", make=relayed, side=6,
        expect=BAD_LINK, lossy=True, watch_s=3.5, around=bad_link,
    ),
    Fault(
        "burst_token", "old commands come after a stall, with tokens", "process", make=relayed, side=4, shared=True,
        deed=deeds.hold, expect=CUT_OFF, stamp="token", goes_on_s=1, watch_s=3, settle_s=1,
    ),
    Fault(
        "burst_at", "old commands come after a stall, with `at`", "process", make=relayed, side=4, shared=True,
        deed=deeds.hold, expect=CUT_OFF, stamp="at", goes_on_s=1, watch_s=3, settle_s=1,
    ),
    Fault(
        "burst_link", "old commands come after a stall of the link, with `expiry`", "process", make=relayed, side=4,
        shared=True, deed=deeds.hold, expect=CUT_OFF, stamp="expiry", goes_on_s=1, watch_s=3, settle_s=1,
    ),
    Fault(
        "burst_expiry", "old commands come after a stall in the broker, with `expiry`", "process", make=relayed, side=4,
        shared=True, deed=deeds.hold_in_broker, expect=CUT_OFF, stamp="expiry", goes_on_s=0.3, watch_s=4.5, settle_s=1,
    ),
    # ---- the node's own processes
    Fault(
        "agent_killed", "the agent is killed", "process", side=3, deed=deeds.to("agent", KILL), expect=AGENT_REPLACED,
    ),
    Fault(
        "agent_frozen", "the agent freezes, and goes on later", "process", side=3, deed=deeds.to("agent", FREEZE),
        expect=AGENT_FROZEN, goes_on_s=1.5, watch_s=2, settle_s=1,
    ),
    Fault(
        "agent_blocked", "the agent's event loop is blocked for 10 s", "slow", make=sleepy, side=5,
        deed=deeds.block_agent, expect=AGENT_BLOCKED, goes_on_s=3, watch_s=12,
    ),
    Fault(
        "keeper_killed", "the pin keeper is killed", "process", side=3, deed=deeds.to("keeper pins", KILL),
        expect=KEEPER_LOST, pulled=KEEPER_LOST_PULLED,
    ),
    Fault(
        "keeper_frozen", "the pin keeper freezes", "process", side=3, deed=deeds.to("keeper pins", FREEZE),
        expect=KEEPER_LOST, pulled=KEEPER_LOST_PULLED,
    ),
    Fault(
        "supervisor_killed", "the supervisor is killed", "process", side=3, deed=deeds.to_supervisor(KILL),
        expect=SUPERVISOR_LOST, pulled=SUPERVISOR_LOST,
    ),
    Fault(
        "all_killed", "everything is killed at once; then the unit's ExecStopPost", "process", deed=deeds.kill_all,
        expect=ALL_LOST, pulled=ALL_LOST,
    ),
    Fault(
        "keeper_killed_confined", "the pin keeper is killed, the node has a tenth of a core", "process",
        make=confined, side=3, deed=deeds.to("keeper pins", KILL), expect=CONFINED, pulled=CONFINED_PULLED, slow_s=1,
    ),
    Fault(
        "keeper_frozen_confined", "the pin keeper freezes, the node has a tenth of a core", "process",
        make=confined, side=3, deed=deeds.to("keeper pins", FREEZE), expect=CONFINED, pulled=CONFINED_PULLED, slow_s=1,
    ),
    Fault(
        "work_confined", "nothing: ordinary work with a tenth of a core", "work", make=confined, expect={},
        run=work.run_part,
    ),
    # ---- the machine
    Fault("busy", "all cores are busy with other work; the sender stops", "sender", make=busy, side=6, slow_s=2),
    Fault(
        "disk_full", "the disk is full; the sender stops", "sender", make=on_small_disks, side=6, deed=deeds.fill_disk,
        undo=healing.empty_disks, logged=UNWRITTEN,
    ),
    Fault(
        "disk_read_only", "the disk is read-only; the sender stops", "sender", make=on_small_disks, side=6,
        deed=deeds.lock_disk, undo=healing.unlock_disks, logged=UNWRITTEN,
    ),
    Fault(
        "clock_ahead", "the wall clock goes an hour ahead; the sender stops 0.5 s later", "sender", make=clocked,
        side=6, shared=True, deed=deeds.step_clock(HOUR_S), goes_on_s=0.5, still_heard=True,
    ),
    Fault(
        "clock_back", "the wall clock goes an hour back; the sender stops 0.5 s later", "sender", make=clocked, side=6,
        shared=True, deed=deeds.step_clock(-HOUR_S), goes_on_s=0.5, still_heard=True,
    ),
    Fault(
        "flood", f"{FLOOD_HZ:,} commands/s at another entity; the sender stops", "lone", around=flood, floods=True,
        slow_s=1,
    ),
)  # fmt: skip
