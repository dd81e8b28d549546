"""Commands as JSON: which keys, what is given back in a refusal, what is told first, and keys that come twice."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pimqtt_agent.commands import KEYS, Envelope, open_envelope
from pimqtt_agent.strict_json import MAX_NAME
from tests.pure.payloads import CAR, FAN, refusal, request


class TestEnvelope:
    def test_value_and_all_the_keys(self) -> None:
        message = {
            "value": "ON", "ttl": 5, "id": "a1", "owner": "ann", "priority": 3, "at": 1e9, "expiry": 9, "token": "t",
        }  # fmt: skip
        assert open_envelope(json.dumps(message).encode()) == Envelope(
            raw="ON", plain=False, ttl=5, id="a1", owner="ann", priority=3, at=1e9, expiry=9, token="t"
        )

    def test_white_space_around_json_is_json(self) -> None:
        assert open_envelope(b' \r\n\t{"value": "ON"}\n').raw == "ON"

    def test_an_object_without_value_that_has_none_of_the_keys_is_itself_the_value(self) -> None:
        assert open_envelope(b'{"state": "ON"}').raw == {"state": "ON"}
        assert open_envelope(b"{}").raw == {}

    @pytest.mark.parametrize("key", sorted(KEYS))
    def test_with_one_of_them_it_is_rejected(self, key: str) -> None:
        error = refusal(json.dumps({"x": 1, "y": 0, key: "5"}), CAR)
        assert error.code == "invalid"
        assert key in str(error)

    def test_so_it_is_with_unknown_keys_beside_value(self) -> None:
        error = refusal('{"value": "ON", "tll": 5}')
        assert error.code == "invalid"
        assert "'tll'" in str(error)

    def test_an_object_gets_a_ttl_as_value(self) -> None:
        car = request('{"value": {"x": 0, "y": 1}, "ttl": 0.25}', CAR)
        assert (car.value, car.ttl_s) == ({"x": 0.0, "y": 1.0}, 0.25)

    @pytest.mark.parametrize("key", sorted(KEYS - {"ttl"}))
    @pytest.mark.parametrize("wrong", [None, [], {}, True])
    def test_a_key_of_the_wrong_type_is_invalid(self, key: str, wrong: Any) -> None:
        error = refusal(json.dumps({"value": "ON", key: wrong}))
        assert error.code == "invalid"
        assert key in str(error)

    @pytest.mark.parametrize("ttl", [None, "5", [], {}, True, False])
    def test_a_ttl_that_is_no_number_is_invalid_never_a_command_without_one(self, ttl: Any) -> None:
        assert refusal(json.dumps({"value": "ON", "ttl": ttl})).code == "invalid"

    @pytest.mark.parametrize("priority", [-1, 10, 1.0, "1", 99])
    def test_priority_is_a_whole_number_from_0_to_9(self, priority: Any) -> None:
        assert refusal(json.dumps({"value": "ON", "priority": priority})).code == "invalid"

    @pytest.mark.parametrize("key", ["id", "owner", "token"])
    @pytest.mark.parametrize("text", ["", "x" * (MAX_NAME + 1)])
    def test_names_have_1_to_64_characters(self, key: str, text: str) -> None:
        assert refusal(json.dumps({"value": "ON", key: text})).code == "invalid"

    @pytest.mark.parametrize("expiry", [0, -1, "9"])
    def test_expiry_is_above_0(self, expiry: Any) -> None:
        assert refusal(json.dumps({"value": "ON", "expiry": expiry})).code == "invalid"

    def test_no_owner_means_anonymous_and_so_does_the_word(self) -> None:
        assert open_envelope(b"ON").owner is None
        assert open_envelope(b'{"value": "ON", "owner": "anonymous"}').owner is None

    @pytest.mark.parametrize(
        "payload", ['{"value": NaN}', '{"value": Infinity}', '{"value": 1e999}', '{"value": }', "{"]
    )
    def test_what_is_not_json_is_invalid(self, payload: str) -> None:
        assert refusal(payload, FAN).code == "invalid"

    @given(
        fields=st.fixed_dictionaries(
            {"value": st.sampled_from(["ON", "OFF"])},
            optional={
                "ttl": st.floats(0.05, 1e6),
                "id": st.text(min_size=1, max_size=MAX_NAME).filter(lambda t: t.isprintable()),
                "owner": st.text(min_size=1, max_size=MAX_NAME).filter(lambda t: t.isprintable() and t != "anonymous"),
                "priority": st.integers(0, 9),
                "at": st.floats(0, 4e9),
                "expiry": st.floats(0.001, 1e9),
                "token": st.text("0123456789abcdef.", min_size=1, max_size=MAX_NAME),
            },
        )
    )
    def test_what_is_written_is_read(self, fields: dict[str, Any]) -> None:
        envelope = open_envelope(json.dumps(fields).encode())
        assert envelope.raw == fields["value"]
        for key in KEYS:
            assert getattr(envelope, key) == fields.get(key, 0 if key == "priority" else None)


class TestEcho:
    """A rejection repeats id, owner and value of what could not be read."""

    @pytest.mark.parametrize(
        "wrong",
        [{"tll": 1}, {"ttl": "x"}, {"priority": 99}, {"expiry": 0}, {"token": 5}],
    )
    def test_id_and_owner(self, wrong: dict[str, Any]) -> None:
        error = refusal(json.dumps({"value": "ON", "id": "a1", "owner": "ann", **wrong}))
        assert error.extra == {"id": "a1", "owner": "ann", "value": "ON"}

    def test_also_without_value(self) -> None:
        assert refusal('{"id": "a1", "ttl": 5}').extra == {"id": "a1"}

    def test_an_id_that_is_a_number_so_that_its_sender_learns_of_it(self) -> None:
        error = refusal('{"value": "ON", "id": 17}')
        assert (error.code, error.extra) == ("invalid", {"id": 17, "value": "ON"})

    @pytest.mark.parametrize("wrong", ["x" * 65, [1], {}, None, 10**80])
    def test_nothing_that_is_no_name(self, wrong: Any) -> None:
        assert refusal(json.dumps({"value": "ON", "id": wrong})).extra == {"value": "ON"}

    @pytest.mark.parametrize("value", ["OFF", 5, 1.5, None, True, {"x": 1}, [1], "x" * 200])
    def test_a_value_as_it_was_sent(self, value: Any) -> None:
        assert refusal(json.dumps({"value": value, "tll": 5})).extra == {"value": value}

    def test_a_long_value_in_short(self) -> None:
        assert len(refusal(json.dumps({"value": ["x" * 5000], "tll": 5})).extra["value"]) == 60


class TestOrderOfCodes:
    def test_invalid_comes_before_out_of_range_and_that_before_the_ttl(self) -> None:
        assert refusal('{"value": 500, "ttl": "x"}', FAN).code == "invalid"
        assert refusal('{"value": 500, "ttl": 99}', FAN).code == "out_of_range"
        assert refusal('{"value": 50, "ttl": 99}', FAN).code == "ttl_range"


class TestTwice:
    """A key that stands twice in an object is refused: the sender can't have meant both."""

    @pytest.mark.parametrize(
        ("payload", "key"),
        [
            ('{"value":"ON","value":"OFF"}', "value"),
            ('{"value": "ON", "value": "ON"}', "value"),
            ('{"value": "ON" , "ttl" : 5 ,\n"ttl"\t:9}', "ttl"),
            (r'{"value": "ON", "ttl": 5, "\u0074tl": 9}', "ttl"),
            ('{"value": {"x": 1, "y": 0, "x": 0}}', "x"),
            ('{"x": 1, "y": 0, "x": 0}', "x"),
            ('{"state": "ON", "color": {"r": 1, "g": 1, "b": 1, "r": 2}}', "r"),
            ('{"value": [{}, [{"a": 1, "b": ":", "a": 2}]]}', "a"),
            ('{"a:b": 1, "a:b": 2}', "a:b"),
            ('{"": 1, "": 2}', ""),
        ],
    )
    def test_it_is_invalid_and_named(self, payload: str, key: str) -> None:
        error = refusal(payload, CAR)
        assert (error.code, f"key {key!r} is given twice" in str(error)) == ("invalid", True)

    @pytest.mark.parametrize(
        "payload",
        [
            '{"value": {"value": "a:b", "id": "::"}, "id": "x:y", "owner": "\\":\\""}',
            '{"value": [{"a": 1}, {"a": 2}], "owner": "\\u003a:"}',
            '{"value": 123456789012345678901234567890, "id": "big:number"}',
        ],
    )
    def test_colons_in_texts_and_equal_keys_of_different_objects_are_fine(self, payload: str) -> None:
        assert open_envelope(payload.encode()).raw == json.loads(payload)["value"]

    def test_what_stands_once_is_repeated(self) -> None:
        assert refusal('{"value": "ON", "ttl": 5, "ttl": 6, "id": "a", "owner": "b"}').extra == {
            "value": "ON", "id": "a", "owner": "b",
        }  # fmt: skip
        assert refusal('{"value": "ON", "value": "OFF", "id": "a"}').extra == {"id": "a"}
        assert refusal('{"value": "ON", "id": "a", "id": "b"}').extra == {"value": "ON"}
