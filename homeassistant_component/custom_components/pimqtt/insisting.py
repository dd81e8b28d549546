"""Failing an action whose response nobody asked for: an automation must not go on as if all were well."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from homeassistant.exceptions import HomeAssistantError

from .answers import ACCEPTED
from .const import DOMAIN
from .topics import STOP

_LOGGER = logging.getLogger(__name__)


def on_all(response: dict[str, Any]) -> None:
    """Raise the first answer that was not accepted."""
    for what, answer in _refused(response):
        raise _error(what, answer)


def on_any(response: dict[str, Any]) -> None:
    """Raise only where an emergency stop reached nothing: else what comes after it must still be done."""
    answers, refused = response["answers"], list(_refused(response))
    if refused and len(refused) == len(answers):
        raise _error(*refused[0])
    for what, answer in refused:
        _LOGGER.warning("The emergency stop did not reach all: %s", _error(what, answer))


def _refused(response: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    answers = response.get("answers", [response] if "outcome" in response else response)
    items = answers.items() if isinstance(answers, dict) else ((_named(one), one) for one in answers)
    return ((what, answer) for what, answer in items if answer["outcome"] != ACCEPTED)


def _error(what: str, answer: dict[str, Any]) -> HomeAssistantError:
    about = {"what": what, "outcome": str(answer["outcome"]), "code": str(answer["code"] or "-")}
    placeholders = {**about, "reason": str(answer["reason"] or "-")}
    return HomeAssistantError(
        translation_domain=DOMAIN, translation_key="not_done", translation_placeholders=placeholders
    )


def _named(answer: dict[str, Any]) -> str:
    parts = [str(answer[key]) for key in ("node", "device", "action", "entity_id") if answer.get(key)]
    return "/".join(parts) or STOP
