"""The commands on the Raspberry Pi: `run`, `check`, `schema`, `doctor`, `announce`, `safe`.

`run` and `safe` get here only with shared options before them, for their help, and for what is wrong with their line:
else `__main__` starts them without this library. Each command loads what it needs.
"""

# ruff: noqa: FBT002, PLC0415 - typer makes flags of them; imports where they are needed

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from pimqtt_agent.cli_options import ConfigFile, Profile
from pimqtt_agent.console import output
from pimqtt_agent.console.options import HERE, Shared
from pimqtt_agent.errors import ConfigError, PimqttError

PANEL = "On the Raspberry Pi"
app = typer.Typer()


@app.command(rich_help_panel=PANEL)
def run(
    context: typer.Context,
    config: ConfigFile = None,
    profile: Profile = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="tell more in the log")] = False,
) -> None:
    """Run this node until it is told to stop.

    [bold]pimqtt run -c car1.yaml[/bold]

    Its broker is the configuration's. SIGHUP has the file read again, SIGTERM or Ctrl-C ends it.

    Exit status: 0 stopped, 1 mistakes or already running, 2 unreadable.
    """
    from pimqtt_agent import run as node
    from pimqtt_agent.run_options import RunOptions

    _no_broker(context.obj)
    raise typer.Exit(node.main(RunOptions(_file(context, config), profile, verbose)))


@app.command(rich_help_panel=PANEL)
def check(context: typer.Context, config: ConfigFile = None, profile: Profile = None) -> None:
    """Check a configuration.

    Every mistake is told, one a line on stderr, with file, line and what would be right; notes are no mistakes. The
    files that it names are looked at as the user who asks.

    Exit status: 0 valid, 1 mistakes, 2 unreadable.
    """
    from pimqtt_agent.config import examine

    name = _file(context, config)
    try:
        settings, notes = examine(Path(name), profile=profile)
    except ConfigError as error:
        if context.obj.json:
            output.say_json({"file": name, "valid": False, "mistakes": error.lines})
        for line in error.lines:
            output.complain(line)
        raise typer.Exit(error.status) from None
    count, backend = len(settings.devices), settings.hardware.backend
    if context.obj.json:
        about = {"node": settings.node.id, "devices": count, "notes": notes}
        output.say_json({"file": name, "valid": True, "mistakes": [], **about})
    else:
        output.say(f"{name} is valid: node {settings.node.id}, {output.devices(count)}, backend {backend}")
        for note in notes:
            output.say(f"note: {note}")


@app.command(rich_help_panel=PANEL)
def schema() -> None:
    """Print the JSON schema of the configuration, for editors."""
    from pimqtt_agent.schema import schema as made

    output.say(json.dumps(made(), indent=2))


@app.command(rich_help_panel=PANEL)
def doctor(context: typer.Context, config: ConfigFile = None) -> None:
    """Look for what keeps a node from working.

    Broker, login, rights, protocol, clock, pins, priority, camera, boot settings.

    Every line says ok, warn or fail, with the mend. The exit status is 1 where something fails.
    """
    from pimqtt_agent.console.doctor import doctor as examine

    raise typer.Exit(examine(context.obj, config))


@app.command(rich_help_panel=PANEL)
def announce(context: typer.Context, config: ConfigFile = None, profile: Profile = None) -> None:
    """Print the file by which avahi-daemon announces this node to Home Assistant.

    [bold]pimqtt announce -c car1.yaml | sudo tee /etc/avahi/services/pimqtt.service[/bold]

    Home Assistant's component then finds the Pi by mDNS, and nothing else runs for that. Several nodes: a file each.

    Exit status: 0 printed, 1 mistakes, 2 unreadable.
    """
    from pimqtt_agent.config import load
    from pimqtt_agent.console import announcing

    file = Path(_file(context, config))
    announcement = announcing.Announcement.of(load(file, profile=profile))
    output.say(announcement.xml)
    if announcement.cut:
        output.complain(f"note: the name is too long for mDNS; it says {announcement.about['name']!r}")
    if sys.stdout.isatty():
        target = Path("/") / announcing.FOLDER / announcing.FILE
        output.complain(f"to install it: {announcing.installation(file, target, profile)}")


@app.command(rich_help_panel=PANEL)
def safe(
    context: typer.Context,
    config: Annotated[str | None, typer.Option("--config", "-c", metavar="FILE", help="the configuration")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="tell only what went wrong")] = False,
) -> None:
    """Put every output to its safe value when no pimqtt runs.

    [bold]pimqtt safe -c car1.yaml[/bold]

    While it runs, [bold]pimqtt stop[/bold] is what stops. Exit status: 0 all safe, 1 some are not, 2 unreadable.
    """
    from pimqtt_agent import safe as outputs

    _no_broker(context.obj)
    file = config or context.obj.config
    raise typer.Exit(outputs.main([*(["-c", file] if file else []), *(["--quiet"] if quiet else [])]))


def _file(context: typer.Context, config: str | None) -> str:
    """Return the configuration that is named before or after the command, else the one that lies here."""
    return str(config or context.obj.config or HERE)


def _no_broker(shared: Shared) -> None:
    if shared.host or shared.user or shared.tls or shared.ca:
        raise PimqttError("this command takes its broker from the configuration (mqtt:), not from the command line")
