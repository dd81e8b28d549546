"""Configurations to begin with: every option, and every kind of mistake."""

from __future__ import annotations

from pathlib import Path

from pimqtt_agent.devices import KINDS
from tests.fuzz.seeds.configuration_texts import ENTRIES, HARDWARE, HEAD, MQTT, PROFILES, TEXTS
from tests.fuzz.seeds.configuration_words import CERTIFICATE, KEY, LOCKED_KEY, OTHER_KEY

ROOT = Path(__file__).parents[3]
#: A file: its name (the first one's is its first line) and what stands in it.
File = tuple[str, str | bytes]


def seeds(secret: str) -> list[list[File]]:
    """Records of each."""
    return [
        *_examples(),
        *_mistaken(),
        *_hardware(),
        *_secrets(secret),
        *_includes(),
        *_tls(),
        _whole(f"{HEAD}mqtt: {{host: '${{HOST}}', port: ${{PORT}}}}", ("!env", "HOST=a\nPORT=5x")),
        *(_whole(f"{HEAD}{text}", ("!profile live", "")) for text in PROFILES),
    ]


def _examples() -> list[list[File]]:
    example = (ROOT / "config.example.yaml").read_text(encoding="utf-8")
    short = "\n".join(line.partition(" #")[0] for line in example.splitlines() if line and line.lstrip()[:1] != "#")
    kinds = [_whole(f"{HEAD}devices:\n  - {kind.example}\n") for kind in KINDS.values() if kind.example]
    many = "".join(f"  - {{id: a{n}, kind: switch, pin: {n % 1000}}}\n" for n in range(1100))
    return [_whole(short), _whole(short, ("!profile live", "")), *kinds, _whole(f"{HEAD}devices:\n{many}")]


def _mistaken() -> list[list[File]]:
    found = [_whole(f"{HEAD}devices:\n  - {entry}\n") for entry in ENTRIES]
    found += [_whole(text) for text in TEXTS]
    found += [_whole(f"{HEAD}mqtt: {{{text}}}\n") for text in MQTT]
    found += [_whole(f"{HEAD}mqtt:\n  " + text.replace(", ", "\n  ") + "\n") for text in MQTT]
    forms = ("!secret ''", "{user: !secret ''}", "{host: [[[[[[[[[[1]]]]]]]]]]}")
    return [*found, *(_whole(f"{HEAD}mqtt: {text}\n") for text in forms)]


def _hardware() -> list[list[File]]:
    pins = ("4", "'4'", "'x:3'", "-1", "4000", "[1]")
    return [
        _whole(f"node: a\nhardware: {text}\ndevices: [{{id: p, kind: switch, pin: {pin}}}]\n")
        for text in HARDWARE
        for pin in pins
    ]


def _secrets(secret: str) -> list[list[File]]:
    hidden = ("secrets.yaml", f"key: {secret}\nport: 1883\nlist: [1]\nempty:\n")
    found = [
        _whole(f"{HEAD}mqtt: {{user: x, password: !secret {name}, port: !secret port}}\n", hidden)
        for name in ("key", "none", "list", "empty", "port")
    ]
    found.append(_whole(f"{HEAD}mqtt: {{host: !secret key, port: !secret key}}\n", hidden))
    found.append(_whole(f"{HEAD}mqtt: {{password: !secret key}}\n", ("secrets.yaml", "a: [")))
    found.append(_whole(f"{HEAD}mqtt: {{password: !secret {{file: p}}}}\n", ("p", f"{secret}\n")))
    commands = [f"!secret {{command: [a, {word}]}}" for word in ("late", "fails", "missing", "binary", secret)]
    forms = (
        "!secret",
        "!secret {}",
        "!secret [1]",
        "!secret {file: 5}",
        "!secret {command: [1]}",
        "!secret {file: no}",
    )
    return [*found, *(_whole(f"{HEAD}mqtt: {{user: {form}}}\n") for form in (*commands, *forms))]


def _includes() -> list[list[File]]:
    device = "- {id: a, kind: switch, pin: 4}\n- {id: b, kind: switch, pin: 5}\n"
    forms = (
        "!include other.yaml",
        "[!include other.yaml, {id: c, kind: switch, pin: 4}]",
        "[!include no.yaml]",
        "[!include config.yaml]",
        "[!include ]",
        "!include [1]",
        "[!include '']",
        '[!include "a\\0b"]',
    )
    contents = (device, "{id: a}", "[", b"\xff", "")
    return [_whole(f"{HEAD}devices: {form}\n", ("other.yaml", content)) for form in forms for content in contents]


def _tls() -> list[list[File]]:
    whole = (CERTIFICATE, CERTIFICATE, KEY)
    wrong = (("x", CERTIFICATE, KEY), (CERTIFICATE, "x", KEY), (CERTIFICATE, CERTIFICATE, "x"))
    keys = ((CERTIFICATE, CERTIFICATE, OTHER_KEY), (CERTIFICATE, CERTIFICATE, LOCKED_KEY))
    several = (whole, *wrong, *keys, (CERTIFICATE, KEY, CERTIFICATE), ("", "", ""))
    text = f"{HEAD}mqtt: {{tls: {{ca: ca.crt, cert: c.crt, key: k.key}}}}"
    found: list[list[File]] = [
        _whole(text, ("ca.crt", ca), ("c.crt", cert), ("k.key", key)) for ca, cert, key in several
    ]
    single = f"{HEAD}mqtt: {{tls: {{cert: c.crt}}}}"
    return [*found, *(_whole(single, ("c.crt", content)) for content in (CERTIFICATE + KEY, CERTIFICATE))]


def _whole(text: str, *others: File) -> list[File]:
    head, _, rest = text.partition("\n")
    return [(head, rest), *others]
