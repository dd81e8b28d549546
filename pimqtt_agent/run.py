"""`pimqtt run`: read the configuration, take the node's lock, be its supervisor."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
from pathlib import Path

from setproctitle import setproctitle

from pimqtt_agent import agent, hardware, logs, store, supervisor
from pimqtt_agent.child_agent import LINK
from pimqtt_agent.config import load
from pimqtt_agent.errors import ConfigError, LinkError, PimqttError
from pimqtt_agent.keeper.messages import VERSION
from pimqtt_agent.keeper.page import NODE, Page, Record
from pimqtt_agent.kernel_asks import die_with_parent
from pimqtt_agent.lock import lock
from pimqtt_agent.paths import runtime_dir, state_dir
from pimqtt_agent.run_options import RunOptions
from pimqtt_agent.settings import Settings


def main(options: RunOptions) -> int:
    """Run a node; return the exit status: 0 stopped, 1 mistakes or already running, 2 unreadable."""
    setproctitle("pimqtt: supervisor")
    logs.begin(verbose=options.verbose)
    path = Path(options.config).absolute()
    try:
        settings = load(Path(options.config), profile=options.profile)
        runtime = runtime_dir(settings.node.id)
        held = lock(runtime, settings.node.id)
        page = _page(settings)
        hardware.preload(settings)
        _banner(settings)
        arguments = ["-c", str(path), *(["--profile", options.profile] if options.profile else [])]
        arguments += ["-v"] if options.verbose else []
        status = supervisor.main(
            settings, lambda: load(path, profile=options.profile), runtime, page, agent.main, arguments, held
        )  # fmt: skip
        os.close(held)
    except ConfigError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the user's terminal
        return error.status
    except PimqttError as error:
        print(f"pimqtt: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return status


def agent_main(options: RunOptions) -> int:
    """Be the agent of a supervisor of another version, with the descriptors that it hands over."""
    setproctitle("pimqtt: agent")
    logs.begin(verbose=options.verbose)
    die_with_parent(signal.SIGTERM)
    control = socket.socket(fileno=options.control)
    ends = {name: socket.socket(fileno=descriptor) for name, descriptor in options.links}
    try:
        _check_link()
        settings = load(Path(options.config), profile=options.profile)
    except PimqttError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the user's terminal
        control.send(f"mistakes {error}".encode()[:8000])
        return getattr(error, "status", 1)
    agent.main(settings, ends, control)
    return 0


def _check_link() -> None:
    """See that the keepers, which go on with their version, understand us: what they don't would end their leases."""
    theirs = os.environ.pop(LINK, str(VERSION))
    if theirs != str(VERSION):
        raise LinkError(f"this version speaks version {VERSION} of the link, what runs speaks {theirs}: restart pimqtt")


def _page(settings: Settings) -> Page:
    """Fill the keepers' page with what the last run left on disk."""
    saved = store.load(state_dir(settings.state_dir, settings.node.id))
    page = Page()
    for device in saved.latched:  # first: no resting value may take a latch's room
        page.write(Record(NODE + device, latched=True))
    for name, resting in saved.resting.items():
        page.write(Record(name, resting, live=False))
    return page


def _banner(settings: Settings) -> None:
    mqtt = settings.mqtt
    logging.getLogger("pimqtt").info(
        "node %s, broker %s:%d, backend %s, %d devices; look at %s/%s/#", settings.node.id, mqtt.host,
        mqtt.port_number, settings.hardware.backend, len(settings.devices), mqtt.base, settings.node.id,
    )  # fmt: skip

