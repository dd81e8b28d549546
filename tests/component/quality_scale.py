"""Home Assistant's quality scale: every rule answered, and the answer proven where code can prove it."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from quality_proofs import RULES, TESTS, TIERS
from rig import ROOT

Proof = Callable[[Mapping[str, str], Mapping[str, Any]], bool]
#: The modules that actions go through, and what these may raise.
ACTING = ("actions", "targets", "operations", "insisting", "commanding", "latching", "publishing", "rights", "sessions")
FAILURES = {"RefusedError", "HomeAssistantError", "Unauthorized", "UnknownUser"}
HTTP = re.compile(r"^\s*(import|from) (aiohttp|httpx|requests|urllib)", re.MULTILINE)
POLLING = re.compile(r"DataUpdateCoordinator|SCAN_INTERVAL|should_poll|update_interval")
MAKES_DEVICES = re.compile(r"async_get_or_create\(|DeviceInfo|async_forward_entry_setups")
#: What the config flow stores, what it may have read of a discovery, and the fields of its forms.
STORED = re.compile(r"\bdata=\{([^}]*)\}")
ADDRESS = re.compile(r"discovery_info\.(host|hostname|ip_address|ip_addresses|port)\b")
ASKED = re.compile(r"vol\.(?:Required|Optional)\((\w+)")
LEAST = re.compile(r"--cov-fail-under=(\d+)")
#: What the repository must show beside the component.
BESIDE = ("scripts/test", "tests/component/mypy.ini", "tests/component/test_config_flow.py")
#: What the code must show where a rule is done.
PROOFS: Mapping[str, Proof] = {
    "action-setup": lambda code, _: "async def async_setup(" in code["__init__"],
    "brands": lambda code, _: "brand/icon.png" in code,
    "config-flow": lambda code, raw: raw.get("config_flow") is True and "config_flow" in code,
    "config-entry-unloading": lambda code, _: "async def async_unload_entry(" in code["__init__"],
    "diagnostics": lambda code, _: "async_get_config_entry_diagnostics" in code.get("diagnostics", ""),
    "discovery": lambda code, _: (
        "async_step_mqtt" in code["config_flow"] and "async_step_zeroconf" in code["config_flow"]
    ),
    "integration-owner": lambda _, raw: bool(raw.get("codeowners")),
    "reconfiguration-flow": lambda code, _: "async_step_reconfigure" in code["config_flow"],
    "repair-issues": lambda code, _: "async_create_issue" in code.get("issues", ""),
    "runtime-data": lambda code, _: bool(
        re.search(r"^type \w+Entry = ConfigEntry\[", "\n".join(code.values()), re.MULTILINE)
    ),
    "test-before-setup": lambda code, _: "raise ConfigEntryNotReady" in code["__init__"],
    "unique-config-entry": lambda _, raw: raw.get("single_config_entry") is True,
    "strict-typing": lambda code, _: (
        "py.typed" in code
        and "strict = true" in code.get("tests/component/mypy.ini", "")
        and "-m mypy --config-file tests/component/mypy.ini" in code.get("scripts/test", "")
    ),
    "action-exceptions": lambda code, _: _raised(code, ACTING) <= FAILURES,
    "config-flow-test-coverage": lambda code, _: (
        "tests/component/test_config_flow.py" in code
        and "--include='*/config_flow.py' --fail-under=100" in code.get("scripts/test", "")
    ),
    "exception-translations": lambda code, _: not list(_untranslated(code)),
    "icon-translations": lambda code, _: "icons.json" in code,
    "log-when-unavailable": lambda code, _: (
        '_LOGGER.warning("MQTT is disconnected' in code["fleet"] and '_LOGGER.info("MQTT is connected' in code["fleet"]
    ),
    "test-coverage": lambda code, _: (
        (least := LEAST.search(code.get("scripts/test", ""))) is not None and int(least[1]) >= 95
    ),
}
#: What the code must show where a rule does not apply: every exemption has such a look.
EXEMPTIONS: Mapping[str, Proof] = {
    "appropriate-polling": lambda code, raw: raw.get("iot_class") == "local_push" and not POLLING.search(_all(code)),
    "devices": lambda code, _: not MAKES_DEVICES.search(_all(code)),
    "discovery-update-info": lambda code, _: (
        STORED.findall(code["config_flow"]) == ["CONF_BASE: self._base"] and not ADDRESS.search(code["config_flow"])
    ),
    "docs-conditions": lambda code, _: not {"condition", "device_condition"} & set(code),
    "docs-triggers": lambda code, _: not {"trigger", "device_trigger"} & set(code),
    "reauthentication-flow": lambda code, _: set(ASKED.findall(code["config_flow"])) == {"CONF_BASE", "CONF_SIDEBAR"},
    "async-dependency": lambda _, raw: not raw.get("requirements"),
    "dependency-transparency": lambda _, raw: not raw.get("requirements"),
    "inject-websession": lambda code, _: not HTTP.search(_all(code)),
    **dict.fromkeys(
        (
            "entity-category", "entity-device-class", "entity-disabled-by-default", "entity-event-setup",
            "entity-translations", "entity-unavailable", "entity-unique-id", "has-entity-name", "parallel-updates",
        ),
        lambda code, _: "async_forward_entry_setups" not in _all(code),
    ),
}  # fmt: skip


def _all(code: Mapping[str, str]) -> str:
    return "\n".join(code.values())


def _raised(code: Mapping[str, str], modules: tuple[str, ...]) -> set[str]:
    """Return what these modules raise by name; an error that is raised again was made by one of them."""
    calls = [
        one.exc.func for name in modules for one in ast.walk(ast.parse(code[name]))
        if isinstance(one, ast.Raise) and isinstance(one.exc, ast.Call)
    ]  # fmt: skip
    return {one.id for one in calls if isinstance(one, ast.Name) and one.id != "_error"}


def _untranslated(code: Mapping[str, str]) -> Iterator[str]:
    """Find errors of Home Assistant's that are made without a translation."""
    for name, text in code.items():
        for one in ast.walk(ast.parse(text)) if name.isidentifier() else ():
            named = one.func.id if isinstance(one, ast.Call) and isinstance(one.func, ast.Name) else ""
            keys = {key.arg for key in one.keywords} if isinstance(one, ast.Call) else set()
            if re.fullmatch(r"HomeAssistantError|ServiceValidationError|ConfigEntry\w+", named):
                yield from () if "translation_key" in keys else (f"{name}: {named}",)


def quality_scale(folder: Path, root: Path = ROOT) -> Iterator[str]:
    """Check quality_scale.yaml: every rule of the manifest's tier is answered, and where it can be, by the code."""
    raw, about = (yaml.safe_load((folder / name).read_text()) for name in ("quality_scale.yaml", "manifest.json"))
    if set(raw) != {"rules"}:
        yield "needs rules and nothing else"
        return
    yield from (f"{rule}: no such rule" for rule in raw["rules"] if rule not in RULES)
    code = {path.stem: path.read_text(encoding="utf-8") for path in folder.glob("*.py")}
    code |= {
        str(path.relative_to(folder)): ""
        for path in folder.glob("**/*")
        if path.suffix in (".png", ".typed", ".json") or path.name == "py.typed"
    }
    code |= {name: (root / name).read_text(encoding="utf-8") for name in BESIDE if (root / name).is_file()}
    for tier, rules in TIERS.items():
        for rule in rules.split():
            yield from _rule(rule, raw["rules"].get(rule), code, about)
        if tier == about.get("quality_scale"):
            break


def _rule(rule: str, raw: Any, code: Mapping[str, str], about: Mapping[str, Any]) -> Iterator[str]:
    answer = raw if isinstance(raw, dict) else {"status": raw}
    status = answer.get("status")
    if not set(answer) <= {"status", "comment"} or status not in ("done", "exempt"):
        yield f"{rule}: {raw!r} is neither done nor exempt"
    elif status == "exempt" and not answer.get("comment"):
        yield f"{rule}: exempt without a comment"
    elif status == "done" and rule not in TESTS:
        yield f"{rule}: done, but no test shows it"
    elif status == "done" and rule in PROOFS and not PROOFS[rule](code, about):
        yield f"{rule}: done, but the code does not show it"
    elif status == "exempt" and rule not in EXEMPTIONS:
        yield f"{rule}: exempt, but nothing looks whether it applies"
    elif status == "exempt" and not EXEMPTIONS[rule](code, about):
        yield f"{rule}: exempt, but the code shows that it applies"
