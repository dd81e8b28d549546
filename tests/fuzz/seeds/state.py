"""Files of a state folder to begin with."""

from __future__ import annotations

import zlib

from tests.fuzz.target import joined

NAMES = (
    "state.json",
    "digests.json",
    "digests.log",
    "digests.log.1",
    "registry.json",
    "instances.json",
    "departed.json",
)
WORDS = (
    '{"resting":',
    '"latched":',
    '"pump"',
    '"car/limit"',
    '[""]',
    '"crc32":',
    "null",
    "true",
    "[",
    "{",
    "]",
    "}",
    '"fan"',
)
_RESTING, _LATCHED = '{"pump":true,"lamp":{"on":true,"brightness":3},"car/limit":50.0}', '["fan"]'
_GOOD = f'{{"resting":{_RESTING},"latched":{_LATCHED}}}'
_CRC32 = zlib.crc32(f"[{_RESTING},{_LATCHED}]".encode())
_STATES = (
    _GOOD,
    f'{_GOOD[:-1]},"crc32":{_CRC32}}}',
    f'{_GOOD[:-1]},"crc32":{_CRC32 ^ 1}}}',
    f'{_GOOD[:-1]},"crc32":{_CRC32}}}'.replace("fan", "pan"),
    "{}",
    '{"latched":[""]}',
    '{"resting":{}}',
    '{"resting":5,"latched":[]}',
    "[]",
    "",
    _GOOD[:-9],
    "\x00" * 30,
    "5",
    '{"resting":{"pump":"ON","fan":1e999,"arm":[],"x":null},"latched":["","gone","a"]}',
    '{"resting":{},"latched":[],"crc32":5}',
    '{"resting":' + "[" * 2000,
)
_DIGESTS = (
    '{"pimqtt/car1/pump/set":["a","b"]}',
    '{"x":5}',
    "{",
    '{"x":' + str(list("abcdefghijklmnopqrst")).replace("'", '"') + "}",
)
_LOGS = ('["pimqtt/car1/pump/set","d"]\n["x",null]\n\n["x', '["a"]\n5\n[1,2]\n', "\xff\xfe", '["x","d"]\n' * 40)
_REGISTRIES = ('["pimqtt/car1/gone/state"]', '["a/#"]', '["\\u0000","+",""]', "{}", '["pimqtt/stop/set"]', '["x",5]')
_INSTANCES = (
    '["abc"]',
    '[""]',
    "[5]",
    "null",
    "{",
    '["a\\nb"]',
    '["' + "x" * 300 + '"]',
    str([f"i{number}" for number in range(150)]).replace("'", '"'),
)
_DEPARTED = (
    '{"old":{"components":{}}}',
    '{"pump":{}}',
    '{"a/#":{"x":1}}',
    '{"x":5}',
    "[]",
    '{"":{"a":1},"\\u0000":{"b":1}}',
)


def seeds() -> list[bytes]:
    """Each file by itself, digests beside their logs, and one content in all."""
    found = [joined(("state.json", text)) for text in _STATES]
    found += [
        joined(("digests.json", text), ("digests.log", line), ("digests.log.1", line))
        for text in _DIGESTS
        for line in _LOGS
    ]
    found += [joined(("registry.json", text)) for text in _REGISTRIES]
    found += [joined(("instances.json", text)) for text in _INSTANCES]
    found += [joined(("departed.json", text)) for text in _DEPARTED]
    return [*found, joined(*((name, _GOOD) for name in NAMES))]
