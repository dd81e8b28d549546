"""How things read: changes, leases and results in one line of words each."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

from pimqtt_agent.client_results import Change, Result, devices_of, number

T = TypeVar("T")
INTERRUPTED = 130


def say(text: str) -> None:
    """Print a line, now: who reads it may be a pipe."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def complain(text: object) -> None:
    """Print a line on stderr."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def say_json(content: Any, *, pretty: bool = False) -> None:
    """Print an object in one line, or in several for the eye."""
    say(json.dumps(content, ensure_ascii=False, indent=2 if pretty else None))


def run(work: Coroutine[Any, Any, int], *, interrupted: int = INTERRUPTED) -> int:
    """Run to the exit status; SIGTERM and SIGHUP end it like Ctrl-C, so that it can clean up."""

    async def main() -> int:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task
        for end in (signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(end, task.cancel)
        return await work

    try:
        return asyncio.run(main())
    except (KeyboardInterrupt, asyncio.CancelledError):
        return interrupted


def compact(content: Any) -> str:
    """Write a value shortly: text as it is, else JSON."""
    if isinstance(content, str):
        return content
    if isinstance(content, float):
        return f"{content:g}"
    if isinstance(content, dict) and set(content) == {"x", "y"}:
        return f"x {compact(content['x'])} y {compact(content['y'])}"
    if isinstance(content, dict) and isinstance(content.get("state"), str):  # a light
        rest = {key: part for key, part in content.items() if key not in ("state", "color_mode")}
        return f"{content['state']} {compact(rest)}".strip()
    return json.dumps(content, ensure_ascii=False, separators=(", ", " ")).replace('"', "").strip("{}")


def line(unix_s: float, name: str, what: str, text: str) -> str:
    """Write a line of a log: when, where, what, its content."""
    clock = time.strftime("%H:%M:%S", time.localtime(unix_s))
    return f"{clock}  {name:<20} {what:<12} {text}".rstrip()


def change(news: Change) -> str:
    """Write a change as a line."""
    return line(news.unix_s, news.name, news.what, content(news))


def content(news: Change) -> str:
    """Write the content of a change."""
    if isinstance(news.content, dict):
        if news.what == "lease":
            return lease(news.content) if news.content else "at rest"
        if news.what == "info":
            return f"{devices(len(devices_of(news.content)))}, pimqtt {news.content.get('version', '?')}"
        if news.what == "result" and "outcome" in news.content:
            return result(Result.read(news.name, news.content))
    return state(news.content) if news.what == "state" else compact(news.content)


def devices(count: int) -> str:
    """Count devices."""
    return "1 device" if count == 1 else f"{count} devices"


def state(raw: Any) -> str:
    """Write a state; Home Assistant's word for an unknown one is `None`."""
    return "unknown" if raw in (None, "None") else compact(raw)


def lease(raw: dict[str, Any]) -> str:
    """Write a lease as it was told."""
    remaining_s = number(raw.get("remaining_s")) or 0.0
    return f"{raw.get('owner')} holds {compact(raw.get('value'))} for {remaining_s:.1f} s, then {resting(raw)}"


def resting(raw: dict[str, Any]) -> str:
    """Write where a lease ends."""
    return "stays" if raw.get("resting") is None else compact(raw["resting"])


def result(answer: Result) -> str:
    """Write a result."""
    if answer.outcome == "rejected":
        return f"rejected {answer.code}: {answer.reason}"
    if answer.outcome == "reverted":
        return f"reverted {answer.cause}: now {state(answer.state)}"
    parts = [answer.outcome]
    if "action" in answer.raw:
        parts.append(f"{answer.raw['action']}")
        parts += [compact(answer.result)] if answer.result is not None else []
    elif answer.state is not None:
        parts.append(compact(answer.state))
    if answer.ttl is not None:
        parts.append(f"for {answer.ttl:g} s")
    if answer.owner:
        parts.append(f"by {answer.owner}")
    return " ".join(parts)
