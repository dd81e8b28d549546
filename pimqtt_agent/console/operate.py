"""`send`, `stop`, `reset`, `call`: say it, wait for the answer, turn it into a line and an exit status."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any

import msgspec

from pimqtt_agent import client_topics
from pimqtt_agent.client import Client
from pimqtt_agent.client_results import NoAnswerError, Result
from pimqtt_agent.console import output
from pimqtt_agent.console.options import Shared
from pimqtt_agent.errors import PimqttError
from pimqtt_agent.rules import ANONYMOUS

ACCEPTED, REJECTED, NO_ANSWER, NO_BROKER = 0, 1, 3, 4
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def value(text: str) -> Any:
    """Read a value as typed: a number, JSON where it looks like an object, a list or a quoted text, else the text."""
    if _NUMBER.fullmatch(text) and math.isfinite(float(text)):
        return float(text) if re.search(r"[.eE]", text) else int(text)
    if text[:1] in ("{", "[", '"'):
        try:
            return msgspec.json.decode(text)
        except msgspec.DecodeError as error:
            raise PimqttError(f"{text!r} is not JSON: {error}") from None
    return text


def arguments(pairs: Iterable[str]) -> dict[str, Any]:
    """Read ``key=value`` pairs."""
    found = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals or not key:
            raise PimqttError(f"-c {pair!r} is not key=value")
        found[key] = value(text)
    return found


async def send(
    shared: Shared, target: str, text: str, *, ttl: float | None, owner: str | None, priority: int | None,
    token: str | None, timeout: float,
) -> int:  # fmt: skip
    """Send one command."""
    wanted = value(text)
    client_topics.target(target)
    async with Client(shared.broker()) as client:
        result = await client.send(
            target, wanted, ttl=ttl, owner=owner or ANONYMOUS, priority=priority, token=token, timeout=timeout
        )
    return told(shared, [result])


async def latch(shared: Shared, target: str | None, *, on: bool, timeout: float) -> int:
    """Set or reset an emergency stop."""
    if target is not None:
        client_topics.target(target, least=1, most=2)
    async with Client(shared.broker()) as client:
        try:
            results = await (client.stop if on else client.reset)(target, timeout=timeout)
        except NoAnswerError as error:
            told(shared, error.answered, words="stopped" if on else "reset")
            raise
    return told(shared, results, words="stopped" if on else "reset")


async def call(shared: Shared, node: str, pairs: list[str], *, timeout: float) -> int:
    """Do a node call."""
    given = arguments(pairs)
    action = given.pop("action", None)
    if not isinstance(action, str):
        raise PimqttError("which action? for example: -c action=list_actions")
    async with Client(shared.broker()) as client:
        result = await client.call(node, action, timeout=timeout, **given)
    if shared.json or not result.accepted or result.result is None:
        return told(shared, [result])
    output.say_json(result.result, pretty=not shared.lines)
    return ACCEPTED


def told(shared: Shared, results: Iterable[Result], words: str = "") -> int:
    """Print answers, refusals on stderr; return the exit status."""
    status = ACCEPTED
    for result in results:
        status = status if result.accepted else REJECTED
        if shared.json:
            output.say_json({"target": result.target, **_raw(result)})
        if not result.accepted:
            output.complain(f"{result.target}: {output.result(result)}")
        elif not shared.json:
            output.say(f"{result.target}: {words or output.result(result)}")
    return status


def _raw(result: Result) -> dict[str, Any]:
    keys = ("outcome", "code", "reason", "value", "state")
    return dict(result.raw) or {key: getattr(result, key) for key in keys}
