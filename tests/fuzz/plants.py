"""Bugs to be found: copies of real functions with a mistake in them. Nothing here is ever in the product."""

from __future__ import annotations

import inspect
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import FunctionType
from typing import Any

from pimqtt_agent import commands, entities, intake, strict_json
from tests.fuzz.target import replaced


@contextmanager
def swallowed() -> Iterator[None]:
    """An exception that nobody hears of: who sent a wrong command waits for ever."""
    wrong = _copy(intake.Intake.take, "self._refuse(job, error.code, str(error), error.extra)", "pass")
    with replaced(intake.Intake, "take", wrong):
        yield


@contextmanager
def accepted_nan() -> Iterator[None]:
    """A speed that is no number: text is read by ``float``, and a comparison the other way round lets NaN pass."""
    reading = _copy(
        entities.from_text, "_NUMBER.fullmatch(text)", "text.lower() in ('nan', '-nan') or _NUMBER.fullmatch(text)"
    )
    reading = _copy(entities.from_text, "value if math.isfinite(value) else text", "value", reading)
    finite = _copy(entities.number, "value if math.isfinite(value) else None", "value")
    finite = _copy(entities.number, "abs(raw) <= sys", "not abs(raw) > sys", finite)
    ranged = _copy(entities.Number.decode, "not self.min <= value <= self.max", "value < self.min or value > self.max")
    opened = _copy(commands.open_envelope, 'text[:1] in "+-.0123456789"', "text", None)
    with ExitStack() as stack:
        for owner, name, wrong in (
            (entities, "from_text", reading),
            (commands, "from_text", reading),
            (entities, "number", finite),
            (entities.Number, "decode", ranged),
            (commands, "open_envelope", opened),
        ):
            stack.enter_context(replaced(owner, name, wrong))
        yield


@contextmanager
def leak() -> Iterator[None]:
    """A cache that forgets nothing."""
    wrong = _copy(
        strict_json.read_json, "return message", "read_json.__dict__.setdefault(text, message)\n    return message"
    )
    with replaced(commands, "read_json", wrong), replaced(strict_json, "read_json", wrong):
        yield


PLANTS: dict[str, tuple[str, Callable[[], Any]]] = {
    "swallowed": ("commands", swallowed),
    "nan": ("commands", accepted_nan),
    "leak": ("values", leak),
}


def _copy(function: Any, right: str, wrong: str, before: Any = None) -> Any:
    """Compile a function's source again, with one thing changed; ``before`` is a copy to go on from."""
    source = getattr(before or function, "planted", None) or textwrap.dedent(inspect.getsource(function))
    assert right in source, right
    source = source.replace(right, wrong)
    found: dict[str, Any] = {}
    exec(compile(source, f"<planted {function.__name__}>", "exec"), vars(sys.modules[function.__module__]), found)
    copy: FunctionType = found[function.__name__]
    copy.planted = source  # type: ignore[attr-defined]
    return copy
