"""The options that every command shares, wherever they stand on the line, and the broker that they name."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass, replace
from functools import cached_property
from getpass import getpass
from pathlib import Path
from typing import TYPE_CHECKING

from pimqtt_agent.client_broker import Broker
from pimqtt_agent.errors import PimqttError

if TYPE_CHECKING:
    from pimqtt_agent.settings import Settings

PASSWORD = "PIMQTT_PASSWORD"
HERE = "config.yaml"
_FLAGS = frozenset({"--json", "--plain", "--tls"})
_VALUED = frozenset({"--broker", "--user", "--password-file", "--ca"})
_CONFIG = frozenset({"-c", "--config"})
#: Commands with a `--config` of their own.
_OWN_CONFIG = frozenset({"announce", "check", "doctor", "run", "safe", "schema"})
_NEGATIVE, _OPTION = re.compile(r"-[.\d].*", re.ASCII), re.compile(r"--[^=]+")


def hoist(argv: list[str]) -> list[str]:
    """Bring shared options that stand after the command before it, and `send`'s negative value to the end."""
    front: list[str] = []
    rest: list[str] = []
    values: list[str] = []
    words = iter(argv)
    command = ""
    for word in words:
        name, equals, _ = word.partition("=")
        valued = _has_value(name, command)
        if word == "--":
            return [*front, *rest, word, *words]
        if name in _FLAGS or valued:
            front.append(word)
            if valued and not equals:
                front += [value for value in [next(words, None)] if value is not None]
        elif command == "send" and _NEGATIVE.fullmatch(word) and not _OPTION.fullmatch(rest[-1]):
            values.append(word)
        else:
            rest.append(word)
            command = command or ("" if word.startswith("-") else word)
    return [*front, *rest, *(["--", *values] if values else [])]


def _has_value(name: str, command: str) -> bool:
    """Whether it is a shared option with a value; of `call` `-c` is an option of its own, and `--config` is not."""
    own = command in _OWN_CONFIG or (command == "call" and name == "-c")
    return name in _VALUED or (name in _CONFIG and not own)


@dataclass
class Shared:
    """The shared options."""

    host: str | None = None
    user: str | None = None
    password_file: str | None = None
    tls: bool = False
    ca: str | None = None
    config: str | None = None
    json: bool = False
    plain: bool = False

    @property
    def lines(self) -> bool:
        """Whether to print lines instead of a live view."""
        return self.plain or self.json or not sys.stdout.isatty()

    @cached_property
    def settings(self) -> Settings | None:
        """The configuration that is named, or lies here; raises ``ConfigError``."""
        if self.config is None and not Path(HERE).is_file():
            return None
        from pimqtt_agent.config import load  # noqa: PLC0415 - slow, and seldom needed

        return load(Path(self.config or HERE))

    def broker(self) -> Broker:
        """Return the broker: named, else the configuration's, else this machine's."""
        named = self.host and not self.config
        known = Broker() if named or self.settings is None else Broker.of(self.settings.mqtt)
        if self.tls or self.ca:
            known = replace(known, tls=True, ca=self.ca or known.ca, port=8883 if known.port == 1883 else known.port)
        if self.host:
            host, port = split_host(self.host, known.port)
            known = replace(known, host=host, port=port)
        if self.user:
            known = replace(known, user=self.user, password=self._password())
        return known

    def _password(self) -> str | None:
        if self.password_file:
            try:
                return Path(self.password_file).read_text(encoding="utf-8").splitlines()[0]
            except (OSError, UnicodeDecodeError, IndexError) as error:
                reason = getattr(error, "strerror", None) or "there is no line of text in it"
                raise PimqttError(f"--password-file {self.password_file}: {reason}") from None
        if PASSWORD in os.environ:
            return os.environ[PASSWORD]
        return getpass(f"Password of {self.user}: ") if sys.stdin.isatty() else None


def split_host(text: str, port: int) -> tuple[str, int]:
    """Read ``HOST[:PORT]``; an IPv6 address with a port stands in brackets."""
    host, colon, tail = text.rpartition(":")
    if not colon or (":" in host and not host.endswith("]")):
        host, tail = text, ""
    if tail:
        if not (tail.isascii() and tail.isdigit() and 0 < int(tail) < 65536):
            raise PimqttError(f"--broker {text!r}: {tail!r} is no port (1 to 65535)")
        port = int(tail)
    host = host.removeprefix("[").removesuffix("]")
    if not host:
        raise PimqttError(f"--broker {text!r} names no host")
    return host, port
