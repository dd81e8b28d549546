"""`pimqtt doctor`: what keeps a node from working, each with the mend."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from rich.console import Console
from rich.text import Text

from pimqtt_agent.console import doctor_broker, doctor_host, output
from pimqtt_agent.console.checks import Check, fail, ok
from pimqtt_agent.console.options import HERE, Shared
from pimqtt_agent.errors import ConfigError

_STYLES = {"ok": "green", "warn": "yellow", "fail": "bold red"}


def doctor(shared: Shared, config: str | None) -> int:
    """Check everything; the exit status is 1 where something fails."""
    shared.config = config or shared.config
    worst = 0
    for check in _checks(shared):
        worst = max(worst, int(check.status == "fail"))
        if shared.json:
            output.say_json(asdict(check))
        elif shared.lines:
            output.say(check.line)
        else:
            _show(check)
    return worst


def _checks(shared: Shared) -> Iterator[Check]:
    settings = None
    try:
        settings = shared.settings
    except ConfigError as error:
        mend = "mend the file" if error.status == 1 else "name the file that is meant: pimqtt doctor -c FILE"
        yield from (fail("config", line, mend) for line in error.lines)
        shared.config, shared.host = None, shared.host or "127.0.0.1"
    if settings is not None:
        name = shared.config or HERE
        yield ok("config", f"{name}: node {settings.node.id}, {output.devices(len(settings.devices))}")
    host = doctor_host.checks(settings)  # it forks, so it comes before the broker's threads
    found: list[Check] = []
    output.run(_broker(found, doctor_broker.checks(shared.broker(), settings.node.id if settings else None)))
    yield from (*found, *host)


async def _broker(found: list[Check], work: doctor_broker.Checks) -> int:
    found += await work
    return 0


def _show(check: Check) -> None:
    """Print a check, wrapped with its words below each other."""
    console = Console(highlight=False)
    head = Text.assemble((f"{check.status:<5} ", _STYLES[check.status]), f"{check.what:<10} ")
    body = Text(check.text)
    if check.mend:
        body.append(f"\nmend: {check.mend}", "italic")
    lines = body.wrap(console, max(20, console.width - len(head)))
    for number, line in enumerate(lines):
        line.rstrip()
        console.print((head if number == 0 else Text(" " * len(head))) + line, soft_wrap=True)
