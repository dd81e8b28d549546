"""A headless Chromium by its own protocol (CDP): no tool between us and what a tab really does when it is hidden."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

#: Nothing but loopback is reached, and nothing is asked of the outside.
_OPTIONS = (
    "--headless=new", "--no-sandbox", "--remote-debugging-port=0", "--no-first-run", "--disable-gpu",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
    "--no-proxy-server", "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)  # fmt: skip
_START_S = 30
_ANSWER_S = 30


class CdpError(Exception):
    """Chromium refused a command."""


class Chromium:
    """A browser of one's own; its profile goes with it."""

    def __init__(self) -> None:
        program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        assert program, "chromium is missing: apt-get install chromium"
        self._program = program
        self._folder = Path(tempfile.mkdtemp(prefix="pimqtt-chromium-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: ClientConnection | None = None
        self._reader: asyncio.Task[None] | None = None
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        #: who hears the events of a session
        self.listeners: dict[str, Callable[[str, dict[str, Any]], None]] = {}

    async def start(self) -> Self:
        """Start it and connect; again after a kill."""
        self._spawn()
        async with asyncio.timeout(_START_S):
            while not (address := self._address()):
                await asyncio.sleep(0.05)
        self._socket = await connect(address, max_size=None, proxy=None)
        self._reader = asyncio.create_task(self._read(self._socket))
        return self

    def _spawn(self) -> None:
        for left in ("DevToolsActivePort", "SingletonLock", "SingletonCookie", "SingletonSocket"):
            (self._folder / left).unlink(missing_ok=True)
        command = [self._program, *_OPTIONS, f"--user-data-dir={self._folder}", "about:blank"]
        with (self._folder / "chromium.log").open("ab") as out:
            self._process = subprocess.Popen(command, stdout=out, stderr=out, start_new_session=True)

    def _address(self) -> str:
        """Tell where it listens; nothing while it starts."""
        assert self._process
        assert self._process.poll() is None, (self._folder / "chromium.log").read_text()[-2000:]
        file = self._folder / "DevToolsActivePort"
        found = re.match(r"(\d+)\n(\S+)", file.read_text()) if file.exists() else None
        return f"ws://127.0.0.1:{found[1]}{found[2]}" if found else ""

    async def call(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """Do a command and give its answer."""
        assert self._socket, "chromium is not running"
        number = next(self._numbers)
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        message = {"id": number, "method": method, "params": parameters}
        try:
            async with asyncio.timeout(_ANSWER_S):
                await self._socket.send(json.dumps(message | ({"sessionId": session} if session else {})))
                return await answer
        finally:
            del self._answers[number]

    async def _read(self, socket: ClientConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for text in socket:
                message = json.loads(text)
                if "id" in message:
                    self._answered(message)
                elif listener := self.listeners.get(message.get("sessionId", "")):
                    listener(message["method"], message["params"])
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(CdpError("chromium is gone"))

    def _answered(self, message: dict[str, Any]) -> None:
        answer = self._answers.get(message["id"])
        if answer is None or answer.done():
            return
        if "error" in message:
            answer.set_exception(CdpError(str(message["error"])))
        else:
            answer.set_result(message["result"])

    @property
    def runs(self) -> bool:
        """Whether it was started and not killed."""
        return self._process is not None

    async def close_pages(self) -> None:
        """Close all tabs and windows; the browser goes on."""
        for target in (await self.call("Target.getTargets"))["targetInfos"]:
            if target["type"] == "page":
                with contextlib.suppress(CdpError):  # it went by itself meanwhile
                    await self.call("Target.closeTarget", targetId=target["targetId"])

    def kill(self) -> None:
        """End all of its processes at once, as a crash or an empty battery would."""
        if self._process:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    async def stop(self) -> None:
        """End it."""
        self.kill()
        if self._reader:
            await asyncio.wait({self._reader})
        if self._socket:
            await self._socket.close()
        self._reader = self._socket = None
        self.listeners.clear()

    async def __aenter__(self) -> Self:
        try:
            return await self.start()
        except BaseException:  # a machine that stood still, say
            await self._discard()
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._discard()

    async def _discard(self) -> None:
        await self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)
