"""The command line. Commands are thin: what they do is in ``console``; ``run`` and ``safe`` are dispatched before."""

# ruff: noqa: FBT002 - typer makes flags of them

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from pimqtt_agent import __version__
from pimqtt_agent.client_results import NoAnswerError
from pimqtt_agent.console import output
from pimqtt_agent.console.operate import NO_ANSWER, NO_BROKER
from pimqtt_agent.console.options import HERE, Shared, hoist
from pimqtt_agent.errors import BrokerError, ConfigError, PimqttError

app = typer.Typer(
    name="pimqtt", no_args_is_help=True, rich_markup_mode="rich", pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Shared options may also stand after the command. Exit status: 0 done, 1 refused or a mistake, "
    "2 a wrong command line or an unreadable file, 3 no answer, 4 no broker.",
)  # fmt: skip

NODE_SIDE, OPERATOR_SIDE, HELP_SIDE = "On the Raspberry Pi", "From anywhere", "Finding out"
_OWN_LINE = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}

ConfigFile = Annotated[str | None, typer.Option("--config", "-c", metavar="FILE", help=f"the configuration ({HERE})")]
Seconds = Annotated[float | None, typer.Option(metavar="S", min=0, help="end by itself")]
Priority = Annotated[int | None, typer.Option(metavar="0..9", help="above others' it takes over (0)")]
Target = Annotated[str, typer.Argument(metavar="NODE/DEVICE[/ENTITY]", help="what, as in its topic: car1/pump")]
Latched = Annotated[str | None, typer.Argument(metavar="[NODE[/DEVICE]]", help="what; everything where left out")]
Wait = Annotated[float, typer.Option("--timeout", metavar="S", min=0.1, help="how long to wait for the answer")]


def main() -> int:
    """Run; return the exit status. What a user caused ends in a sentence."""
    try:
        app(args=hoist(sys.argv[1:]), prog_name="pimqtt")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    except ConfigError as error:
        output.complain(error)
        return error.status
    except PimqttError as error:
        output.complain(f"pimqtt: {error}")
        return NO_BROKER if isinstance(error, BrokerError) else NO_ANSWER if isinstance(error, NoAnswerError) else 1
    except BrokenPipeError:  # the reader went: so do we
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


def _version(asked: bool) -> None:  # noqa: FBT001 - typer's callback
    if asked:
        output.say(f"pimqtt {__version__}")
        raise typer.Exit


@app.callback()
def shared(
    context: typer.Context,
    broker: Annotated[
        str | None, typer.Option(metavar="HOST[:PORT]", help="the broker; else the one of the configuration, else here")
    ] = None,
    user: Annotated[
        str | None, typer.Option(metavar="NAME", help="the login; its password is PIMQTT_PASSWORD, or asked for")
    ] = None,
    password_file: Annotated[str | None, typer.Option(metavar="FILE", help="a file with the password")] = None,
    tls: Annotated[bool, typer.Option("--tls", help="encrypt (port 8883)")] = False,
    ca: Annotated[str | None, typer.Option(metavar="FILE", help="the authority of the broker's certificate")] = None,
    config: ConfigFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON, one object a line")] = False,
    plain: Annotated[bool, typer.Option("--plain", help="print lines without colours, for a pipe")] = False,
    version: Annotated[  # noqa: ARG001 - typer's callback prints it
        bool, typer.Option("--version", callback=_version, is_eager=True, help="print the version")
    ] = False,
) -> None:
    """A Raspberry Pi's pins, motors, sensors and cameras in Home Assistant over MQTT, safely.

    Try it without a Pi: [bold]pimqtt demo[/bold]
    """
    if plain:
        os.environ["NO_COLOR"] = "1"
    context.obj = Shared(
        host=broker, user=user, password_file=password_file, tls=tls, ca=ca, config=config, json=as_json, plain=plain
    )


@app.command("run", context_settings=_OWN_LINE, rich_help_panel=NODE_SIDE)
def run_node(context: typer.Context) -> None:
    """Run this node: [bold]pimqtt run -c car1.yaml[/bold]."""
    from pimqtt_agent import run  # noqa: PLC0415 - each command loads what it needs

    raise typer.Exit(run.main(_with_config(context)))


@app.command("safe", context_settings=_OWN_LINE, rich_help_panel=NODE_SIDE)
def make_safe(context: typer.Context) -> None:
    """Put every output to its safe value when no pimqtt runs: [bold]pimqtt safe -c car1.yaml[/bold]."""
    from pimqtt_agent import safe  # noqa: PLC0415

    raise typer.Exit(safe.main(_with_config(context)))


def _with_config(context: typer.Context) -> list[str]:
    config = context.obj.config
    return [*(["-c", config] if config and "-c" not in context.args else []), *context.args]


@app.command(rich_help_panel=NODE_SIDE)
def check(
    context: typer.Context,
    config: ConfigFile = None,
    profile: Annotated[str | None, typer.Option(metavar="NAME", help="a profile of the configuration")] = None,
) -> None:
    """Check a configuration.

    Every mistake is told, one a line on stderr, with file, line and what would be right.

    Exit status: 0 valid, 1 mistakes, 2 unreadable.
    """
    from pimqtt_agent.config import load  # noqa: PLC0415

    name = config or context.obj.config or HERE
    try:
        settings = load(Path(name), profile=profile)
    except ConfigError as error:
        if context.obj.json:
            output.say_json({"file": name, "valid": False, "mistakes": error.lines})
        for line in error.lines:
            output.complain(line)
        raise typer.Exit(error.status) from None
    count, backend = len(settings.devices), settings.hardware.backend
    if context.obj.json:
        output.say_json({"file": name, "valid": True, "mistakes": [], "node": settings.node.id, "devices": count})
    else:
        output.say(f"{name} is valid: node {settings.node.id}, {count} devices, backend {backend}")


@app.command(rich_help_panel=HELP_SIDE)
def schema() -> None:
    """Print the JSON schema of the configuration, for editors."""
    from pimqtt_agent.schema import schema as made  # noqa: PLC0415

    output.say(json.dumps(made(), indent=2))


@app.command(rich_help_panel=HELP_SIDE)
def demo(
    context: typer.Context,
    port: Annotated[
        int | None, typer.Option(metavar="PORT", min=1, max=65535, help="the embedded broker's (1883, or a free one)")
    ] = None,
    seconds: Seconds = None,
) -> None:
    """Try it all on a simulated Pi.

    An embedded broker, a car, a pump, sensors and a camera; what they do; and lines to paste that move them.

    [bold]pimqtt demo --broker broker.lan[/bold] uses a broker of yours, where Home Assistant finds it too.
    """
    from pimqtt_agent.console.demo import demo as shown  # noqa: PLC0415

    raise typer.Exit(output.run(shown(context.obj, port, seconds), interrupted=0))


@app.command(rich_help_panel=NODE_SIDE)
def doctor(
    context: typer.Context,
    config: ConfigFile = None,
) -> None:
    """Look for what keeps a node from working.

    Broker, login, rights, protocol, clock, pins, priority, camera, boot settings.

    Every line says ok, warn or fail, with the mend. The exit status is 1 where something fails.
    """
    from pimqtt_agent.console.doctor import doctor as examine  # noqa: PLC0415

    raise typer.Exit(examine(context.obj, config))


@app.command(context_settings={"ignore_unknown_options": True}, rich_help_panel=OPERATOR_SIDE)
def send(
    context: typer.Context,
    target: Target,
    value: Annotated[str, typer.Argument(metavar="VALUE", help="ON, 50, forward, or JSON")],
    ttl: Annotated[float | None, typer.Option(metavar="S", help="how many seconds it lasts")] = None,
    owner: Annotated[str | None, typer.Option(metavar="NAME", help="who holds it (anonymous)")] = None,
    priority: Priority = None,
    token: Annotated[str | None, typer.Option(help="a fresh token, where the output asks for one")] = None,
    timeout: Wait = 3.0,
) -> None:
    """Send a command and wait for its result.

    [bold]pimqtt send car1/pump ON --ttl 5[/bold]

    [bold]pimqtt send car1/fan -30 --owner me[/bold]

    [bold]pimqtt send car1/lamp '{"state": "ON", "brightness": 40}'[/bold]

    Exit status: 0 accepted, 1 rejected (code and reason on stderr), 3 no answer, 4 no broker.
    """
    from pimqtt_agent.console import operate  # noqa: PLC0415

    work = operate.send(
        context.obj, target, value, ttl=ttl, owner=owner, priority=priority, token=token, timeout=timeout
    )
    raise typer.Exit(output.run(work))


@app.command(rich_help_panel=OPERATOR_SIDE)
def watch(
    context: typer.Context,
    node: Annotated[str | None, typer.Argument(metavar="[NODE]", help="one node; all where it is left out")] = None,
    seconds: Seconds = None,
) -> None:
    """Watch states, leases and results.

    A live table with the remaining time of each lease; lines with --plain or into a pipe; objects with --json.
    """
    from pimqtt_agent.console import watching  # noqa: PLC0415

    raise typer.Exit(output.run(watching.watch(context.obj, node, seconds), interrupted=0))


@app.command(rich_help_panel=OPERATOR_SIDE)
def stop(context: typer.Context, target: Latched = None, timeout: Wait = 3.0) -> None:
    """Emergency stop.

    Everything there goes to its safe value, and stays there until [bold]pimqtt reset[/bold].

    [bold]pimqtt stop[/bold] stops every node, [bold]pimqtt stop car1/car[/bold] one device.
    """
    from pimqtt_agent.console import operate  # noqa: PLC0415

    raise typer.Exit(output.run(operate.latch(context.obj, target, on=True, timeout=timeout)))


@app.command(rich_help_panel=OPERATOR_SIDE)
def reset(context: typer.Context, target: Latched = None, timeout: Wait = 3.0) -> None:
    """Leave the emergency stop; nothing starts by that."""
    from pimqtt_agent.console import operate  # noqa: PLC0415

    raise typer.Exit(output.run(operate.latch(context.obj, target, on=False, timeout=timeout)))


@app.command(rich_help_panel=OPERATOR_SIDE)
def drive(
    context: typer.Context,
    target: Annotated[str, typer.Argument(metavar="NODE/DEVICE", help="a car or a motor: car1/car")],
    speed: Annotated[float, typer.Option(metavar="PCT", min=1, max=100, help="the speed at the start")] = 100,
    tap: Annotated[float, typer.Option(metavar="S", min=0.1, max=2, help="how long one key press drives")] = 0.65,
    priority: Priority = None,
) -> None:
    """Drive a car or a motor by keyboard.

    W A S D or arrows while they are held, space stops, 1 to 9 and 0 set the speed, Q ends.

    It stops when the keys, this program, the terminal or the network are gone.
    """
    from pimqtt_agent.console import driving  # noqa: PLC0415

    work = driving.drive(context.obj, target, speed=speed / 100, first_s=tap, priority=priority)
    raise typer.Exit(output.run(work, interrupted=0))


@app.command(rich_help_panel=OPERATOR_SIDE)
def call(
    context: typer.Context,
    node: Annotated[str, typer.Argument(metavar="NODE", help="a node: car1")],
    pairs: Annotated[
        list[str] | None, typer.Option("-c", metavar="KEY=VALUE", help="the action and its arguments")
    ] = None,
    timeout: Wait = 3.0,
) -> None:
    """Ask a node to do something.

    [bold]pimqtt call car1 -c action=list_actions[/bold]

    [bold]pimqtt call car1 -c action=token -c device=car[/bold]
    """
    from pimqtt_agent.console import operate  # noqa: PLC0415

    raise typer.Exit(output.run(operate.call(context.obj, node, pairs or [], timeout=timeout)))
