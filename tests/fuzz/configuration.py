"""A configuration and all that it may refer to: includes, secrets, variables, profiles, certificates.

A record's head is a file's name, its content what follows; ``!profile NAME`` and ``!env`` (``NAME=VALUE`` a line) set
those. Nothing outside the folder is read, and no program is run: a secret's ``command`` prints its last word here.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from pimqtt_agent import discovery, yaml_secrets, yaml_tags
from pimqtt_agent.config import examine
from pimqtt_agent.errors import ConfigError
from pimqtt_agent.hardware.recorded import safe_levels
from pimqtt_agent.model import Model
from pimqtt_agent.safe import node_of
from pimqtt_agent.topics import Topics
from pimqtt_agent.yaml_source import UnreadableError, text_of
from tests.fuzz.seeds.configuration import seeds
from tests.fuzz.seeds.configuration_words import WORDS
from tests.fuzz.target import RECORD, Finding, Target, joined, records, replaced

SECRET = "tOpSeCrEt99"


class Configuration(Target):
    """From bytes to settings, or to mistakes in plain words."""

    name = "configuration"
    modules = (
        "config",
        "yaml_source",
        "yaml_tags",
        "yaml_scalars",
        "yaml_environ",
        "yaml_secrets",
        "profiles",
        "mistakes",
        "explain",
        "plain_words",
        "shapes",
        "checks",
        "line_checks",
        "file_checks",
        "settings",
    )
    share = 30
    takes_ms = 6
    words = WORDS

    @classmethod
    def seeds(cls) -> list[bytes]:
        return [joined(*parts) for parts in seeds(SECRET)]

    def patches(self) -> Iterable[AbstractContextManager[None]]:
        fake: Any = SimpleNamespace(**vars(subprocess))
        fake.run = _run
        return (
            replaced(yaml_secrets, "subprocess", fake),
            replaced(yaml_secrets, "text_of", self._text_of),
            replaced(yaml_tags, "text_of", self._text_of),
        )

    def open(self) -> None:
        self._main = self.folder / "config.yaml"
        self._before = Path.cwd()
        os.chdir(self.folder)  # relative names lead nowhere else

    def close(self) -> None:
        os.chdir(self._before)

    def run(self, data: bytes) -> None:
        environ = {"NAME": "value", "PORT": "1883", "EMPTY": ""}
        profile, files = None, set()
        main, *others = data.split(RECORD)
        files.add(self._file("config.yaml", main))
        for head, content in records(RECORD.join(others), 5) if others else ():
            if head.startswith("!profile"):
                profile = head[9:]
            elif head.startswith("!env"):
                lines = content.decode("utf-8", "replace").splitlines()
                environ |= {key: value for key, _, value in (line.partition("=") for line in lines) if key}
            else:
                files.add(self._file(head, content))
        try:
            self._hidden = SECRET if data.count(b": tOpSeCrEt99\n") == data.count(SECRET.encode()) == 1 else "\0"
            self._examine(profile, environ)
        finally:
            for file in files:
                file.unlink(missing_ok=True)

    def _file(self, name: str, content: bytes) -> Path:
        safe = "".join(c for c in name if c.isalnum() or c in "._-")[:40].strip(".") or "other.yaml"
        path = self.folder / safe
        path.write_bytes(content)
        return path

    def _examine(self, profile: str | None, environ: dict[str, str]) -> None:
        node_of(self._main.read_text(encoding="utf-8", errors="replace"))
        try:
            settings, notes = examine(self._main, profile=profile, environ=environ)
        except ConfigError as error:
            check_lines(error, self._hidden)
            return
        if any(self._hidden in note for note in notes):
            raise Finding("a note shows the secret")
        if self._hidden in repr(settings.mqtt.password):
            raise Finding("the settings show the secret")
        model = Model(Topics(settings.mqtt.base, settings.node.id), settings.devices)
        node = discovery.Node(topics=model.topics, identity="x", title=settings.node.title, model="x")
        for device in settings.devices:
            discovery.device_payload(node, device)
            levels = safe_levels(device) if device.keeper == "pins" else {}
            for line, level in levels.items():
                if not 0 <= level <= 1:
                    raise Finding(f"line {line} would be safe at {level!r}")

    def _text_of(self, file: str) -> str:
        try:
            inside = Path(file).resolve().is_relative_to(self.folder)
        except (OSError, ValueError, RuntimeError):
            return text_of(file)
        if not inside:
            raise UnreadableError("no such file")
        return text_of(file)


def check_lines(error: ConfigError, hidden: str) -> None:
    """Tell an error that does not speak to its user."""
    if not error.lines or error.status not in (1, 2):
        raise Finding(f"an error without a word: {error!r}")
    for line in error.lines:
        if not line.isprintable():
            raise Finding(f"not a line of text: {line!r}")
        if hidden in line:
            raise Finding(f"the secret is shown: {line!r}")


def _run(command: list[str], **_: Any) -> Any:
    word = command[-1]
    if word == "late":
        raise subprocess.TimeoutExpired(command, 5)
    if word == "fails":
        raise subprocess.CalledProcessError(3, command)
    if word == "missing" or "\0" in "".join(command):
        raise FileNotFoundError(2, "No such file or directory")
    return subprocess.CompletedProcess(command, 0, b"\xff" if word == "binary" else word.encode("utf-8", "replace"))
