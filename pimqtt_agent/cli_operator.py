"""The commands from anywhere: `send`, `watch`, `stop`, `reset`, `drive`, `call`. Each loads what it needs."""

# ruff: noqa: PLC0415

from __future__ import annotations

from typing import Annotated

import typer

from pimqtt_agent.cli_options import Latched, Priority, Seconds, Target, Wait
from pimqtt_agent.console import output

PANEL = "From anywhere"
app = typer.Typer()


@app.command(rich_help_panel=PANEL)
def send(
    context: typer.Context,
    target: Target,
    value: Annotated[str, typer.Argument(metavar="VALUE", help="ON, 50, forward, or JSON")],
    ttl: Annotated[float | None, typer.Option(metavar="S", help="how many seconds it lasts")] = None,
    owner: Annotated[str | None, typer.Option(metavar="NAME", help="who holds it (anonymous)")] = None,
    priority: Priority = None,
    token: Annotated[
        str | None, typer.Option(metavar="TOKEN", help="a fresh token, where the output asks for one")
    ] = None,
    timeout: Wait = 3.0,
) -> None:
    """Send a command and wait for its result.

    [bold]pimqtt send car1/pump ON --ttl 5[/bold]

    [bold]pimqtt send car1/fan -30 --owner me[/bold]

    [bold]pimqtt send car1/lamp '{"state": "ON", "brightness": 40}'[/bold]

    Exit status: 0 accepted, 1 rejected (code and reason on stderr), 3 no answer, 4 no broker.
    """
    from pimqtt_agent.console import operate

    work = operate.send(
        context.obj, target, value, ttl=ttl, owner=owner, priority=priority, token=token, timeout=timeout
    )
    raise typer.Exit(output.run(work))


@app.command(rich_help_panel=PANEL)
def watch(
    context: typer.Context,
    node: Annotated[str | None, typer.Argument(metavar="NODE", help="one node; all where it is left out")] = None,
    seconds: Seconds = None,
) -> None:
    """Watch states, leases and results.

    A live table with the remaining time of each lease; lines with --plain or into a pipe; objects with --json.
    """
    from pimqtt_agent.console import watching

    raise typer.Exit(output.run(watching.watch(context.obj, node, seconds), interrupted=0))


@app.command(rich_help_panel=PANEL)
def stop(context: typer.Context, target: Latched = None, timeout: Wait = 3.0) -> None:
    """Emergency stop.

    Everything there goes to its safe value, and stays there until [bold]pimqtt reset[/bold].

    [bold]pimqtt stop[/bold] stops every node, [bold]pimqtt stop car1/car[/bold] one device.
    """
    from pimqtt_agent.console import operate

    raise typer.Exit(output.run(operate.latch(context.obj, target, on=True, timeout=timeout)))


@app.command(rich_help_panel=PANEL)
def reset(context: typer.Context, target: Latched = None, timeout: Wait = 3.0) -> None:
    """Leave the emergency stop; nothing starts by that."""
    from pimqtt_agent.console import operate

    raise typer.Exit(output.run(operate.latch(context.obj, target, on=False, timeout=timeout)))


@app.command(rich_help_panel=PANEL)
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
    from pimqtt_agent.console import driving

    work = driving.drive(context.obj, target, speed=speed / 100, first_s=tap, priority=priority)
    raise typer.Exit(output.run(work, interrupted=0))


@app.command(rich_help_panel=PANEL)
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
    from pimqtt_agent.console import operate

    raise typer.Exit(output.run(operate.call(context.obj, node, pairs or [], timeout=timeout)))
