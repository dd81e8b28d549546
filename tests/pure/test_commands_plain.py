"""From a plain payload to a command: strict, and never anything but a command or the reason why it is none."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.pure.payloads import ALL, FAN, refusal, request


class TestPlain:
    @pytest.mark.parametrize(
        ("entity", "payload", "value"),
        [
            ("switch", "ON", True),
            ("light", "ON", {"on": True, "brightness": 255}),
            ("motor", "50", 50.0),
            ("motor", "-33.5", -33.5),
            ("motor", "+7", 7.0),
            ("motor", ".5", 0.5),
            ("motor", "1e1", 10.0),
            ("motor", "forward", 100.0),
            ("motor", "backward", -100.0),
            ("drive", "left", {"x": -1.0, "y": 0.0}),
            ("drive", '{"x": 0.5, "y": -1}', {"x": 0.5, "y": -1.0}),
            ("light", '{"state": "ON", "brightness": 7}', {"on": True, "brightness": 7}),
            ("button", "PRESS", "PRESS"),
        ],
    )
    def test_the_plain_value(self, entity: str, payload: str, value: Any) -> None:
        assert request(payload, ALL[entity]).value == value

    @pytest.mark.parametrize(
        ("entity", "payload"),
        [
            *[
                ("switch", text)
                for text in ("on", "On", "1", "true", " ON", "ON ", "ON\n", '"ON"', "ÓN", "ON\x00", "x" * 999)
            ],
            *[
                ("motor", text)
                for text in ("1junk", "junk1", "NaN", "nan", "inf", "-inf", "1e999", "--1", "1,5", "1 2")
            ],
            *[("motor", text) for text in ("0x10", "1_0", "٣", "", "true", "null", "None", "FORWARD", "1e", "+", ".")],
            *[
                ("drive", text)
                for text in ('{"x": 1}', '{"x": 1, "y": "1"}', '{"x": 1, "y": null}', '{"x": true, "y": 0}')
            ],
            *[("drive", text) for text in ('{"x": 1, "y": 0, "z": 0}', "{}", "1", "[0, 1]", '{"x": NaN, "y": 0}')],
            *[
                ("light", text)
                for text in ('{"brightness": 5}', '{"state": "on"}', '{"state": "ON", "brightness": 1.5}')
            ],
            *[("button", text) for text in ("press", "ON", "1", '{"value": "press"}')],
        ],
    )
    def test_strictly_what_is_not_one_is_invalid_and_the_reason_quotes_it(self, entity: str, payload: str) -> None:
        error = refusal(payload, ALL[entity])
        assert error.code == "invalid"
        assert str(error)

    def test_the_reason_quotes_what_it_refuses_and_not_all_of_it(self) -> None:
        assert "'1junk'" in str(refusal("1junk", FAN))
        assert len(str(refusal("x" * 60_000))) < 200

    @pytest.mark.parametrize(
        ("entity", "payload"), [("motor", "100.1"), ("motor", "-1000"), ("drive", '{"x":2,"y":0}')]
    )
    def test_a_number_that_is_too_large_is_out_of_range(self, entity: str, payload: str) -> None:
        assert refusal(payload, ALL[entity]).code == "out_of_range"

    @pytest.mark.parametrize("payload", [b"\xff\xfe", b"ON\xff", b"\xc3\x28", b'{"value": "\xff"}', b"\xed\xa0\x80"])
    def test_what_is_not_utf8_is_invalid(self, payload: bytes) -> None:
        assert refusal(payload).code == "invalid"

    @given(value=st.floats(-100, 100))
    def test_every_number_in_the_range_is_read_as_python_and_json_write_it(self, value: float) -> None:
        assert request(repr(value), FAN).value == value
        assert request(json.dumps({"value": value, "ttl": 0.2}), FAN).value == value
