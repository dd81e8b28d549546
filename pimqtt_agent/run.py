"""`pimqtt run`: read the configuration, take the node's lock, be its supervisor."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from setproctitle import setproctitle

from pimqtt_agent import agent, store, supervisor
from pimqtt_agent.config import load
from pimqtt_agent.errors import ConfigError, PimqttError
from pimqtt_agent.keeper.page import NODE, Page, Record
from pimqtt_agent.kernel_asks import die_with_parent
from pimqtt_agent.paths import runtime_dir, state_dir
from pimqtt_agent.settings import Settings


def parser() -> argparse.ArgumentParser:
    """Return the options of ``run``."""
    arguments = argparse.ArgumentParser(prog="pimqtt run", description="Run this node until it is told to stop.")
    arguments.add_argument("-c", "--config", default="config.yaml", help="the configuration (config.yaml)")
    arguments.add_argument("--profile", help="a profile of the configuration")
    arguments.add_argument("-v", "--verbose", action="store_true", help="tell more in the log")
    return arguments


def main(argv: Sequence[str]) -> int:
    """Run a node; return the exit status: 0 stopped, 1 mistakes or already running, 2 unreadable."""
    options = parser().parse_args(argv)
    setproctitle("pimqtt: supervisor")
    _log(verbose=options.verbose)
    path = Path(options.config).absolute()
    try:
        settings = load(Path(options.config), profile=options.profile)
        runtime = runtime_dir(settings.node.id)
        held = supervisor.lock(runtime, settings.node.id)
        page = _page(settings)
        _banner(settings)
        arguments = ["-c", str(path), *(["--profile", options.profile] if options.profile else [])]
        status = supervisor.main(
            settings, lambda: load(path, profile=options.profile), runtime, page, agent.main, arguments
        )  # fmt: skip
        os.close(held)
    except ConfigError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the user's terminal
        return error.status
    except PimqttError as error:
        print(f"pimqtt: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return status


def agent_main(argv: Sequence[str]) -> int:
    """Be the agent of a supervisor of another version: ``--control FD --link NAME=FD ...``."""
    setproctitle("pimqtt: agent")
    arguments = parser()
    arguments.add_argument("--control", type=int, required=True)
    arguments.add_argument("--link", action="append", required=True)
    options = arguments.parse_args(argv)
    _log(verbose=options.verbose)
    ends = {}
    for link in options.link:
        name, _, descriptor = link.rpartition("=")
        ends[name] = socket.socket(fileno=int(descriptor))
    try:
        settings = load(Path(options.config), profile=options.profile)
    except ConfigError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the user's terminal
        return error.status
    die_with_parent(signal.SIGTERM)
    agent.main(settings, ends, socket.socket(fileno=options.control))
    return 0


def _log(*, verbose: bool) -> None:
    text = "%(asctime)s %(levelname)s %(name)s: %(message)s"
    logging.basicConfig(level=logging.DEBUG if verbose else logging.INFO, stream=sys.stderr, format=text)


def _page(settings: Settings) -> Page:
    """Fill the keepers' page with what the last run left on disk."""
    saved = store.load(state_dir(settings.state_dir, settings.node.id))
    page = Page()
    for name, resting in saved.resting.items():
        page.write(Record(name, resting, live=False))
    for device in saved.latched:
        page.write(Record(NODE + device, latched=True))
    return page


def _banner(settings: Settings) -> None:
    mqtt = settings.mqtt
    logging.getLogger("pimqtt").info(
        "node %s, broker %s:%d, backend %s, %d devices; look at %s/%s/#", settings.node.id, mqtt.host,
        mqtt.port_number, settings.hardware.backend, len(settings.devices), mqtt.base, settings.node.id,
    )  # fmt: skip

