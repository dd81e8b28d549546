"""Secrets of a configuration: from ``secrets.yaml`` beside it, from a file, or from a program. Never shown."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path as FilePath

from pimqtt_agent.mistakes import Mistakes, Path
from pimqtt_agent.yaml_scalars import typed
from pimqtt_agent.yaml_source import Node, UnreadableError, compose, text_of

COMMAND_S = 5.0
FILE = "secrets.yaml"
_FORMS = "write !secret NAME, !secret {file: PATH} or !secret {command: [PROGRAM, ARGUMENT]}"


class Secrets:
    """Reads them where they are asked for."""

    def __init__(self, mistakes: Mistakes, environ: Mapping[str, str]) -> None:
        """Take the collector of mistakes and the environment of programs."""
        self._mistakes = mistakes
        self._environ = environ
        self._files: dict[str, dict[str, Node]] = {}

    def named(self, node: Node, path: Path) -> Node:
        """Read ``!secret NAME``: beside the file that it stands in, else beside the main file."""
        name = node.text or ""
        if not name:
            return self._mistakes.broken(node, path, f"!secret without a name; {_FORMS}")
        places = [str(FilePath(file).with_name(FILE)) for file in (node.file, self._mistakes.file)]
        file = next((place for place in places if FilePath(place).exists()), places[0])
        try:
            secrets = self._file(file)
        except UnreadableError as error:
            where = f"{file}:{error.line}: not valid YAML" if error.line else error.at(file)
            return self._mistakes.broken(node, path, f"cannot read the secret {name!r}: {where}", status=2)
        if name not in secrets:
            return self._mistakes.broken(node, path, f"unknown secret {name!r}", allowed=sorted(secrets), got=name)
        if (text := secrets[name].text) is None:
            return self._mistakes.broken(node, path, f"the secret {name!r} is not a single value")
        return self._found(node, text, plain=secrets[name].style is None)

    def made(self, node: Node, path: Path) -> Node:
        """Read ``!secret {file: ..}`` and ``!secret {command: ..}``."""
        read: Callable[[], str]
        match node.data:
            case {"file": str(file), **others} if not others:
                source, read = f"file {file!r}", lambda: text_of(str(FilePath(node.file).parent / file))
            case {"command": [str(program), *arguments], **others} if not others and _texts(arguments):
                source, read = f"command {program!r}", lambda: self._run(node, [program, *arguments])
            case _:
                return self._mistakes.broken(node, path, f"no form of a secret; {_FORMS}")
        try:
            return self._found(node, read().strip(), plain=False)
        except UnreadableError as error:
            return self._mistakes.broken(node, path, f"cannot read the secret from {source}: {error}", status=2)

    def _found(self, node: Node, text: str, *, plain: bool) -> Node:
        if len(text) >= 4:
            self._mistakes.secrets.add(text)
        data = typed(text) if plain else text
        return Node(node.file, node.line, text=text, data=data, source="secret", written="!secret")

    def _file(self, file: str) -> dict[str, Node]:
        if file not in self._files:
            root = compose(text_of(file), file)
            self._files[file] = {key.text: value for key, value in root.pairs or () if key.text is not None}
        return self._files[file]

    def _run(self, node: Node, command: list[str]) -> str:
        folder = FilePath(node.file).parent
        try:
            done = subprocess.run(  # noqa: S603 - the user's own file names it, and no shell reads it
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=COMMAND_S,
                check=True,
                cwd=folder,
                env=dict(self._environ),
            )
            return done.stdout.decode()
        except subprocess.TimeoutExpired:
            raise UnreadableError(f"no answer within {COMMAND_S:g} s") from None
        except subprocess.CalledProcessError as error:
            raise UnreadableError(f"exit status {error.returncode}") from None
        except UnicodeDecodeError:
            raise UnreadableError("its output is not UTF-8") from None
        except (OSError, ValueError) as error:
            raise UnreadableError((getattr(error, "strerror", None) or str(error)).lower()) from None


def _texts(arguments: list[object]) -> bool:
    return all(isinstance(argument, str) for argument in arguments)
