"""The options of `pimqtt run`, read without the command line's library: a node starts fast. Standard library only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

_LONG = {"-c": "--config", "-v": "--verbose"}
_VALUED = frozenset({"--config", "--profile"})
#: What only a supervisor says, to the agent of another version: descriptors, those of links as NAME=FD.
_HANDED = frozenset({"--control", "--link"})


class RunOptions(NamedTuple):
    """What ``run`` was told; ``control`` and ``links`` (name to descriptor) are an agent's."""

    config: str = "config.yaml"
    profile: str | None = None
    verbose: bool = False
    control: int = -1
    links: tuple[tuple[str, int], ...] = ()


def read(argv: Sequence[str], *, handed: bool = False) -> RunOptions | None:
    """Read the options; None where they ask for help or are wrong: then the whole command line tells."""
    given = _taken_apart(argv, _VALUED | _HANDED if handed else _VALUED)
    if given is None:
        return None
    links = [link.rpartition("=") for link in given.get("--link", ())]
    return RunOptions(
        config=given.get("--config", [RunOptions().config])[-1],
        profile=given.get("--profile", [""])[-1] or None,
        verbose="--verbose" in given,
        control=int(given.get("--control", ["-1"])[-1]),
        links=tuple((name, int(descriptor)) for name, _, descriptor in links),
    )


def _taken_apart(argv: Sequence[str], valued: frozenset[str]) -> dict[str, list[str]] | None:
    """Return the values of each option; None where a word is not understood."""
    found: dict[str, list[str]] = {}
    words = iter(argv)
    for word in words:
        name, equals, value = word.partition("=") if word.startswith("--") else (_LONG.get(word, word), "", "")
        if name in valued:
            given = value if equals else next(words, None)
            if given is None:
                return None
            found.setdefault(name, []).append(given)
        elif name == "--verbose" and not equals:
            found[name] = []
        else:
            return None
    return found
