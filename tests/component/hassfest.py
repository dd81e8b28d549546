"""What Home Assistant's own checks (hassfest) ask of a custom component, and some of our own. Each returns mistakes.

They take the folder of a component, so that each can be shown a broken one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from awesomeversion import AwesomeVersion, AwesomeVersionStrategy
from homeassistant.helpers import selector
from quality_scale import quality_scale

MANIFEST: dict[str, type] = {
    "domain": str, "name": str, "after_dependencies": list, "codeowners": list, "config_flow": bool,
    "dependencies": list, "documentation": str, "integration_type": str, "iot_class": str, "issue_tracker": str,
    "loggers": list, "mqtt": list, "quality_scale": str, "requirements": list, "single_config_entry": bool,
    "version": str, "zeroconf": list,
}  # fmt: skip
REQUIRED = (
    "domain",
    "name",
    "codeowners",
    "documentation",
    "integration_type",
    "iot_class",
    "issue_tracker",
    "version",
)
CHOICES: dict[str, set[str]] = {
    "integration_type": {"device", "entity", "hardware", "helper", "hub", "service", "system"},
    "iot_class": {"assumed_state", "calculated", "cloud_polling", "cloud_push", "local_polling", "local_push"},
    "quality_scale": {"bronze", "silver", "gold", "platinum"},
}
VERSIONS = [
    AwesomeVersionStrategy.CALVER, AwesomeVersionStrategy.SEMVER, AwesomeVersionStrategy.SIMPLEVER,
    AwesomeVersionStrategy.BUILDVER, AwesomeVersionStrategy.PEP440,
]  # fmt: skip
KEY = re.compile(r"(?!.+[_-]{2})(?![_-])[a-z0-9-_]+(?<![_-])")
PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
ICON = re.compile(r"mdi:[a-z0-9-]+")


def load(path: Path) -> Any:
    """Read JSON or YAML."""
    text = path.read_text(encoding="utf-8")
    return json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)


def manifest(folder: Path) -> Iterator[str]:
    """Check manifest.json."""
    raw = load(folder / "manifest.json")
    for key, value in raw.items():
        yield from _entry(key, value)
    yield from (f"{key}: missing" for key in REQUIRED if key not in raw)
    first = ["domain", "name"]
    if list(raw) != first + sorted(set(raw) - set(first)):
        yield "keys are not in the order domain, name, then by the alphabet"
    if raw.get("domain") != folder.name:
        yield f"domain: {raw.get('domain')!r} is not the folder's name"
    for key in ("documentation", "issue_tracker"):
        if not str(raw.get(key)).startswith("https://"):
            yield f"{key}: {raw.get(key)!r} is no https address"
    if AwesomeVersion(str(raw.get("version"))).strategy not in VERSIONS:
        yield f"version: {raw.get('version')!r} is none"
    yield from _imports(folder, raw)


def _entry(key: str, value: Any) -> Iterator[str]:
    if key not in MANIFEST:
        yield f"{key}: no key of a manifest"
    elif not isinstance(value, MANIFEST[key]):
        yield f"{key}: {value!r} is no {MANIFEST[key].__name__}"
    elif key in CHOICES and value not in CHOICES[key]:
        yield f"{key}: {value!r} is none of {sorted(CHOICES[key])}"
    elif isinstance(value, list) and not all(isinstance(one, str) for one in value):
        yield f"{key}: {value!r} has more than texts"


def _imports(folder: Path, raw: Mapping[str, Any]) -> Iterator[str]:
    """Whoever imports another component must name it, but for those that are always there."""
    named = {*raw.get("dependencies", []), *raw.get("after_dependencies", []), folder.name}
    always = {"diagnostics", "repairs", "system_health", "websocket_api", "http"}
    for path in sorted(folder.glob("*.py")):
        for line in path.read_text(encoding="utf-8").splitlines():
            found = re.match(r"\s*from homeassistant\.components(?:\.(\w+)\S* import| import (.+))", line)
            names = [] if found is None else [found[1]] if found[1] else re.split(r",\s*", found[2])
            for name in names:
                component = name.split(" ")[0]
                if component not in named | always:
                    yield f"{path.name} imports {component}, which the manifest does not name"


def translations(folder: Path) -> Iterator[str]:
    """Check the translations: each by itself, and all against English."""
    texts = {path.stem: dict(_leaves(load(path))) for path in sorted((folder / "translations").glob("*.json"))}
    if "en" not in texts:
        yield "en.json: missing"
        return
    for language, leaves in texts.items():
        for key, text in leaves.items():
            yield from (f"{language}: {key}: {mistake}" for mistake in _text_mistakes(key, text))
        for key in sorted(texts["en"].keys() ^ leaves.keys()):
            yield f"{language}: {key}: {'missing' if key in texts['en'] else 'not in en'}"
        for key in sorted(texts["en"].keys() & leaves.keys()):
            if set(PLACEHOLDER.findall(str(leaves[key]))) != set(PLACEHOLDER.findall(str(texts["en"][key]))):
                yield f"{language}: {key}: other placeholders than in en"
        yield from (f"{language}: {one}" for one in _shape(load(folder / "translations" / f"{language}.json")))


def _leaves(raw: Any, head: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(raw, dict):
        for key, value in raw.items():
            yield from _leaves(value, f"{head}.{key}" if head else key)
    else:
        yield head, raw


def _text_mistakes(key: str, text: Any) -> Iterator[str]:
    if not isinstance(text, str) or not text:
        yield f"{text!r} is no text"
        return
    if text != text.strip():
        yield "spaces at an end"
    if re.search(r"<[a-z/]", text):
        yield "HTML"
    if re.search(r"https?://", text):
        yield "an address: use a placeholder"
    if "[%" in text:
        yield "a reference, which only core has"
    if re.search(r"'\{[^{}]*\}'", text):
        yield "a placeholder in quotes"
    yield from (f"placeholder {one!r}" for one in PLACEHOLDER.findall(text) if not one.isidentifier())
    yield from (f"key {part!r}" for part in key.split(".") if not KEY.fullmatch(part))


_FLOW = {"flow_title", "step", "error", "abort", "progress", "create_entry"}
_STEP = {"title", "description", "data", "data_description", "menu_options", "submit", "sections"}
_ROOTS = {"title", "config", "options", "services", "exceptions", "issues", "system_health", "selector", "device"}


def _shape(raw: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"{key}: no part of a translation" for key in raw if key not in _ROOTS)
    for part in ("config", "options"):
        yield from _flow(part, raw.get(part, {}))
    for name, issue in raw.get("issues", {}).items():
        if "title" not in issue or ("description" in issue) == ("fix_flow" in issue):
            yield f"issues.{name}: needs a title, and a description or else a fix_flow"
        yield from _flow(f"issues.{name}.fix_flow", issue.get("fix_flow", {}))
    for name, one in raw.get("exceptions", {}).items():
        if set(one) != {"message"}:
            yield f"exceptions.{name}: needs a message and nothing else"
    for name, one in raw.get("services", {}).items():
        if not {"name", "description"} <= set(one) <= {"name", "description", "fields", "sections"}:
            yield f"services.{name}: needs name and description"
        for field, about in one.get("fields", {}).items():
            if set(about) != {"name", "description"}:
                yield f"services.{name}.fields.{field}: needs name and description"


def _flow(where: str, raw: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"{where}.{key}: no part of a flow" for key in raw if key not in _FLOW)
    for name, step in raw.get("step", {}).items():
        yield from (f"{where}.step.{name}.{key}: no part of a step" for key in step if key not in _STEP)
        if set(step.get("data", {})) != set(step.get("data_description", {})):
            yield f"{where}.step.{name}: data and data_description differ"


def services(folder: Path) -> Iterator[str]:
    """Check services.yaml, and that every action and field of it is named."""
    raw, english = load(folder / "services.yaml"), load(folder / "translations" / "en.json").get("services", {})
    yield from (f"{name}: not in services.yaml, but in the translations" for name in english if name not in raw)
    for name, service in raw.items():
        about, fields = english.get(name, {}), (service or {}).get("fields", {})
        yield from (f"{name}.{key}: no part of an action" for key in service or {} if key not in ("target", "fields"))
        if not about:
            yield f"{name}: not in the translations"
        if set(fields) != set(about.get("fields", {})):
            yield f"{name}: fields and their translations differ"
        if (service or {}).get("target"):
            yield from _selector(f"{name}.target", {"target": service["target"]})
        for field, options in fields.items():
            yield from _field(f"{name}.{field}", options or {})


def _field(where: str, raw: Mapping[str, Any]) -> Iterator[str]:
    known = {"example", "default", "required", "advanced", "selector", "filter"}
    yield from (f"{where}.{key}: no part of a field" for key in raw if key not in known)
    if not isinstance(raw.get("required", False), bool):
        yield f"{where}.required: no true or false"
    if "selector" not in raw:
        yield f"{where}: no selector"
    else:
        yield from _selector(where, raw["selector"])


def _selector(where: str, raw: Any) -> Iterator[str]:
    try:
        selector.validate_selector(raw)
    except Exception as error:  # noqa: BLE001 - voluptuous or probatio, by version
        yield f"{where}: {error}"


def icons(folder: Path) -> Iterator[str]:
    """Check icons.json: every action has one."""
    raw = load(folder / "icons.json")
    yield from (f"{key}: no part of icons" for key in raw if key != "services")
    named, wanted = raw.get("services", {}), load(folder / "services.yaml")
    yield from (f"services.{name}: no such action" for name in named if name not in wanted)
    for name in wanted:
        icon = named.get(name)
        if not isinstance(icon, dict) or set(icon) != {"service"}:
            yield f"services.{name}: needs an object with service"
        elif not ICON.fullmatch(str(icon["service"])):
            yield f"services.{name}: {icon['service']!r} is no icon"


CHECKS: Mapping[str, Callable[[Path], Iterator[str]]] = {
    "manifest": manifest, "translations": translations, "services": services, "icons": icons,
    "quality_scale": quality_scale,
}  # fmt: skip
