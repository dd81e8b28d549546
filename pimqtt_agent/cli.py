"""The command line: what all commands share, and `demo`. Commands are thin: what they do is in ``console``."""

# ruff: noqa: FBT002 - typer makes flags of them

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from pimqtt_agent import __version__, cli_node, cli_operator
from pimqtt_agent.cli_options import ConfigFile, Seconds
from pimqtt_agent.client_results import NoAnswerError
from pimqtt_agent.console import output
from pimqtt_agent.console.operate import NO_ANSWER, NO_BROKER
from pimqtt_agent.console.options import Shared, hoist
from pimqtt_agent.errors import BrokerError, ConfigError, PimqttError

app = typer.Typer(
    name="pimqtt", no_args_is_help=True, rich_markup_mode="rich", pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Shared options may also stand after the command. Exit status: 0 done, 1 refused or a mistake, "
    "2 a wrong command line or an unreadable file, 3 no answer, 4 no broker.",
)  # fmt: skip


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


@app.command(rich_help_panel="To begin with")
def demo(
    context: typer.Context,
    port: Annotated[
        int | None, typer.Option(metavar="PORT", min=1, max=65535, help="the embedded broker's (1883, or a free one)")
    ] = None,
    seconds: Seconds = None,
    home_assistant: Annotated[
        bool, typer.Option("--home-assistant", help="with a real Home Assistant and its dashboard; in a clone only")
    ] = False,
) -> None:
    """Try it all on a simulated Pi.

    An embedded broker, a car, a pump, sensors and a camera; what they do; and lines to paste that move them.

    [bold]pimqtt demo --broker broker.lan[/bold] uses a broker of yours, where Home Assistant finds it too.
    """
    from pimqtt_agent.console.demo import demo as shown  # noqa: PLC0415 - each command loads what it needs

    raise typer.Exit(output.run(shown(context.obj, port, seconds, home_assistant=home_assistant), interrupted=0))


app.add_typer(cli_node.app)
app.add_typer(cli_operator.app)
