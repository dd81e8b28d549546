"""Files of ``pimqtt safe`` to begin with: its list, the simulated chip, a configuration's head, a trace, a lock."""

from __future__ import annotations

import struct
from typing import Any

import msgspec

from pimqtt_agent.hardware.levels import _SIZE, LINES
from tests.fuzz.target import joined

LINE = '{"t_ns": 5, "pin": 17, "value": 1}\n'
WORDS = (
    '"node":',
    '"owner":',
    '"started":',
    '"stopped":',
    '"rows":',
    '"backend":"simulated"',
    '"chip":"chip"',
    '"line":',
    '"level":',
    '"trace":"t"',
    '"on_release":"pull"',
    '"pull":1',
    "NaN",
    "1e999",
    "node:",
    "id:",
    "  \n",
    "safe.json",
    "chip",
    "config.yaml",
    "trace",
    "lock",
    LINE,
)
_ROW: dict[str, Any] = {
    "backend": "simulated",
    "chip": "chip",
    "line": 17,
    "name": 17,
    "device": "pump",
    "level": 0,
    "trace": "t",
    "on_release": "latch",
    "pull": 0,
}
_WHOLE = {"node": "car1", "owner": 1, "started": 5, "stopped": False, "rows": [_ROW]}
_CHANGES: tuple[dict[str, Any], ...] = (
    {"line": 1024},
    {"line": -1},
    {"line": True},
    {"level": 0.5},
    {"level": True},
    {"level": "1"},
    {"chip": "a\0b"},
    {"chip": "no/such"},
    {"chip": 5},
    {"trace": 5},
    {"trace": "a\0"},
    {"trace": []},
    {"pull": 1, "on_release": "pull"},
    {"device": []},
    {"backend": "kernel", "chip": "nothing"},
    {"backend": 5, "chip": "x\0"},
    {"on_release": []},
    {"name": {}},
    {"line": 5.0},
    {"level": 1e400},
)
_LISTS: tuple[Any, ...] = (
    {**_WHOLE, "owner": "x"},
    {**_WHOLE, "rows": 5},
    {**_WHOLE, "rows": {}},
    {**_WHOLE, "owner": 10**18},
    {**_WHOLE, "stopped": True},
    [],
    5,
    {**_WHOLE, "owner": True},
    {**_WHOLE, "node": 5},
    {"rows": [_ROW]},
    {**_WHOLE, "owner": -1, "started": 0},
    {**_WHOLE, "owner": 1},
    {**_WHOLE, "rows": [{}, _ROW]},
    {**_WHOLE, "rows": [5, _ROW]},
    {**_WHOLE, "rows": [[], _ROW]},
)
_RAW = (b"", b"{", b"[" * 3000, b'{"rows": NaN}', b"\xff")
_CHIPS = (
    b"",
    bytes(_SIZE),
    struct.pack("<d", 0.5) * LINES,
    struct.pack("<d", float("nan")) * 30,
    b"\xff" * _SIZE,
    b"\1" * _SIZE,
)
_CONFIGURATIONS = (
    "node: car1\n",
    "node: {id: car1}\n",
    "node:\n  id: car1\n",
    "node:\n\n # x\n  name: y\n  id: 'a'\n",
    "node: a\nnode: b",
    "node:\n" + "  \n" * 40,
    "node: {name: x, id: y}",
    "nodes: 5",
    "",
    'node: "x" # y',
    "node:" + "\t" * 50,
)
_TRACES = (
    LINE,
    LINE * 3 + LINE[:9],
    LINE[:9] + LINE,
    "\n\n" + LINE,
    "5\n",
    '{"pin": "x", "value": []}\n',
    '{"pin": []}\n',
    "\xff\n",
    "[" * 3000 + "\n",
)
_LOCKS = (b"123\n", b"", b"\xff\xfe\n", b"1\nERROR all is well\n", b"\x1b[2J", b"9" * 60)


def seeds() -> list[bytes]:
    """Each file by itself, the chip's beside a list."""
    text = msgspec.json.encode
    found = [joined(("safe.json", text({**_WHOLE, "rows": [{**_ROW, **change}, _ROW]}))) for change in _CHANGES]
    found.append(joined(("safe.json", text(_WHOLE).replace(b'"line":17', b'"line":' + b"9" * 30))))
    found += [joined(("safe.json", text(content))) for content in _LISTS]
    found += [joined(("safe.json", raw)) for raw in _RAW]
    found += [joined(("chip", chip), ("safe.json", text(_WHOLE))) for chip in _CHIPS]
    found += [joined(("config.yaml", node)) for node in _CONFIGURATIONS]
    found += [joined(("trace", trace)) for trace in _TRACES]
    return [*found, *(joined(("lock", content)) for content in _LOCKS)]
