"""The process of a relay: ``relay_server.py BROKER_PORT LOG SEED``.

Prints its port; takes paces as lines of JSON, each answered by a line once it is in force; ends with its input.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import sys
import time
from pathlib import Path
from typing import TextIO

from benchmarks.safety.world.direction import BOTH, Direction
from benchmarks.safety.world.lane import Lane, Pace, Passed

HOST = "127.0.0.1"
Paces = dict[Direction, Pace]


async def serve(broker_port: int, log: TextIO, seed: int) -> None:
    """Pass on between whoever connects and the broker, as standard input says."""
    paces: Paces = {way: Pace(seed + number) for number, way in enumerate(BOTH)}
    async with asyncio.TaskGroup() as tasks:
        door = socket.create_server((HOST, 0))
        door.setblocking(False)
        doorman = tasks.create_task(_accept(door, broker_port, paces, log))
        print(door.getsockname()[1], flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            order = json.loads(line)
            for way in order["directions"]:
                paces[way].set(**order["pace"])
            print(0, flush=True)
        doorman.cancel()


async def _accept(door: socket.socket, broker_port: int, paces: Paces, log: TextIO) -> None:
    async with asyncio.TaskGroup() as connections:
        number = 0
        while True:
            client, _ = await asyncio.get_running_loop().sock_accept(door)
            number += 1
            connections.create_task(_connection(number, client, broker_port, paces, log))


async def _connection(number: int, client: socket.socket, broker_port: int, paces: Paces, log: TextIO) -> None:
    def lane(way: Direction, source: socket.socket, target: socket.socket) -> Lane:
        def note(read_ns: int, length: int) -> None:
            row = Passed(time.monotonic_ns(), read_ns, way, number, length)
            print(json.dumps(vars(row)), file=log, flush=True)

        return Lane(paces[way], source, target, note)

    with client, socket.socket() as broker, contextlib.suppress(OSError):
        for end in (client, broker):
            end.setblocking(False)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(broker, (HOST, broker_port))
        async with asyncio.TaskGroup() as ways:
            ways.create_task(lane("to_broker", client, broker).run())
            ways.create_task(lane("to_agent", broker, client).run())


if __name__ == "__main__":
    with Path(sys.argv[2]).open("a") as file:
        asyncio.run(serve(int(sys.argv[1]), file, int(sys.argv[3])))
