"""What an agent asks of its keeper that touches no lease: presses, tokens, the simulation, the pins."""

from __future__ import annotations

from pimqtt_agent.errors import HardwareError
from pimqtt_agent.keeper import messages as wire
from pimqtt_agent.keeper import pins as lines
from pimqtt_agent.keeper.bench import Bench
from pimqtt_agent.keeper.voice import Voice


def too_old(command: wire.Do | wire.Press, now: float) -> bool:
    """Whether a command waited for too long."""
    return now - command.at_s > wire.OLDEST_S


def waited(command: wire.Do | wire.Press, now: float) -> str:
    """Say so."""
    return f"it waited {now - command.at_s:.2f} s for its keeper"


def press(bench: Bench, voice: Voice, ask: wire.Press, now: float) -> None:
    """Press a button."""
    mounted = bench.mounted.get(ask.device)
    if mounted is None or mounted.driver is None:
        voice.answer(ask.seq, "unavailable", bench.reason(ask.device))
        return
    if too_old(ask, now):
        voice.answer(ask.seq, "unavailable", waited(ask, now))
        return
    try:
        mounted.driver.press(ask.key, now)
    except HardwareError as error:
        voice.answer(ask.seq, "unavailable", str(error))
        return
    voice.answer(ask.seq, "", "")


def token(bench: Bench, voice: Voice, ask: wire.Token, now: float) -> None:
    """Give a freshness token."""
    output = bench.output(ask.device, ask.key)
    if output is None:
        voice.answer(ask.seq, "unavailable", bench.reason(ask.device))
        return
    fresh, extra = voice.stamp.give(now), {"max_age_s": output.rules.deadman_s}
    voice.answer(ask.seq, "", "", token=fresh, extra=extra)


def simulate(bench: Bench, voice: Voice, ask: wire.Simulate, now: float) -> None:  # noqa: ARG001 - asked like the others
    """Set an input of the simulated board."""
    try:
        bench.board.simulate(ask.line, ask.level)
    except HardwareError as error:
        voice.answer(ask.seq, "unavailable", str(error))
        return
    voice.answer(ask.seq, "", "")


def pins(bench: Bench, voice: Voice, ask: wire.Pins, now: float) -> None:  # noqa: ARG001 - asked like the others
    """List the claimed lines."""
    rows = lines.rows(bench.board, [mounted.device for mounted in bench.mounted.values()])
    if len(rows) > lines.MOST:
        voice.answer(ask.seq, "too_large", f"{len(rows)} lines; at most {lines.MOST} can be told at once")
    else:
        voice.answer(ask.seq, "", "", extra={"pins": rows})
