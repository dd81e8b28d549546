"""Options and arguments that several commands have."""

from __future__ import annotations

from typing import Annotated

import typer

from pimqtt_agent.console.options import HERE

ConfigFile = Annotated[str | None, typer.Option("--config", "-c", metavar="FILE", help=f"the configuration ({HERE})")]
Profile = Annotated[str | None, typer.Option(metavar="NAME", help="a profile of the configuration")]
Seconds = Annotated[float | None, typer.Option(metavar="S", min=0, help="end by itself")]
Priority = Annotated[int | None, typer.Option(metavar="0..9", help="above others' it takes over (0)")]
# no metavar here has "[/" in it: typer before 0.25 takes that for markup in its messages
Target = Annotated[
    str, typer.Argument(metavar="NODE/DEVICE", help="what, as in its topic: car1/pump, or NODE/DEVICE/ENTITY")
]
Latched = Annotated[
    str | None, typer.Argument(metavar="NODE/DEVICE", help="a device, or a node: car1; everything where left out")
]
Wait = Annotated[float, typer.Option("--timeout", metavar="S", min=0.1, help="how long to wait for the answer")]
