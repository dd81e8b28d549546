"""From a payload to a command: strict, and never anything but a command or the reason why it is none."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from pimqtt_agent.commands import (
    KEYS,
    MAX_BYTES,
    Envelope,
    Request,
    open_envelope,
    read,
    stale,
)
from pimqtt_agent.devices.drive import Drive
from pimqtt_agent.devices.light import Light
from pimqtt_agent.devices.motor import Motor
from pimqtt_agent.devices.switch import Switch as SwitchDevice
from pimqtt_agent.entities import Button, Entity, Number, Switch
from pimqtt_agent.errors import CommandError
from pimqtt_agent.rules import Rules, Ttl
from pimqtt_agent.strict_json import MAX_DEPTH, MAX_NAME, read_json

SWITCH = Switch(rules=Rules())
FAN = Motor.model_validate({"id": "fan", "kind": "motor", "forward": 23, "backward": 24}).entities()[0]
CAR = Drive.model_validate(
    {"id": "car", "kind": "drive", "left": {"forward": 5, "backward": 6}, "right": {"forward": 13, "backward": 19}}
).entities()[0]
LAMP = Light.model_validate({"id": "lamp", "kind": "light", "pin": 18}).entities()[0]
PRESS = Button()
ALL: dict[str, Entity] = {"switch": SWITCH, "motor": FAN, "drive": CAR, "light": LAMP, "button": PRESS, "sub": Number()}


def request(payload: bytes | str, entity: Entity = SWITCH) -> Request:
    data = payload if isinstance(payload, bytes) else payload.encode()
    return read(entity, open_envelope(data))


def refusal(payload: bytes | str, entity: Entity = SWITCH) -> CommandError:
    with pytest.raises(CommandError) as caught:
        request(payload, entity)
    return caught.value


def with_ttl(**ttl: Any) -> Entity:
    return replace(SWITCH, rules=Rules(ttl=Ttl(**ttl)))


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


class TestTtl:
    def test_a_command_without_one_takes_the_outputs_default_and_is_a_lease(self) -> None:
        assert request("ON", with_ttl(default=5)).ttl_s == 5
        assert request('{"value": "ON"}', with_ttl(default=5)).ttl_s == 5

    def test_of_motion_its_dead_man(self) -> None:
        assert request("forward", FAN).ttl_s == 0.5
        assert request('{"x": 0, "y": 1}', CAR).ttl_s == 0.5

    def test_where_there_is_no_default_it_sets_the_resting_value(self) -> None:
        assert request("ON") == Request(value=True, transition_s=None, ttl_s=None, stop=False)

    def test_where_it_is_required_it_is_rejected(self) -> None:
        assert refusal("ON", with_ttl(required=True)).code == "ttl_required"
        assert refusal("ON", with_ttl(required=True, default=5)).code == "ttl_required"

    @pytest.mark.parametrize("ttl", [0.049, 0, -1, -0.0])
    def test_below_the_floor_it_is_rejected_with_the_limits(self, ttl: float) -> None:
        error = refusal(json.dumps({"value": "ON", "ttl": ttl}))
        assert (error.code, error.extra) == ("ttl_range", {"min": 0.05, "max": None})

    @pytest.mark.parametrize("ttl", [0.99, 60.001])
    def test_outside_of_its_own_range_too(self, ttl: float) -> None:
        error = refusal(json.dumps({"value": "ON", "ttl": ttl}), with_ttl(min=1, max=60))
        assert (error.code, error.extra) == ("ttl_range", {"min": 1, "max": 60})
        assert "1 to 60 s" in str(error)

    @pytest.mark.parametrize("ttl", [1, 60])
    def test_the_limits_themselves_are_taken(self, ttl: float) -> None:
        assert request(json.dumps({"value": "ON", "ttl": ttl}), with_ttl(min=1, max=60)).ttl_s == ttl

    def test_motions_is_capped_by_its_dead_man_unless_max_says_more(self) -> None:
        assert refusal('{"value": 50, "ttl": 0.6}', FAN).code == "ttl_range"
        longer = {"id": "fan", "kind": "motor", "forward": 23, "backward": 24, "ttl": {"max": 3}}
        assert request('{"value": 50, "ttl": 3}', Motor.model_validate(longer).entities()[0]).ttl_s == 3

    def test_a_press_takes_none(self) -> None:
        assert refusal('{"value": "PRESS", "ttl": 5}', PRESS).code == "ttl_range"

    def test_a_pulse_takes_nothing_longer(self) -> None:
        door = SwitchDevice.model_validate({"id": "door", "kind": "switch", "pin": 4, "pulse": 0.5}).entities()[0]
        assert request("ON", door).ttl_s == 0.5
        assert refusal('{"value": "ON", "ttl": 5}', door).code == "ttl_range"


class TestStop:
    """The safe value without ``ttl`` is a stop."""

    @pytest.mark.parametrize(
        ("entity", "payload"),
        [
            ("switch", "OFF"),
            ("switch", '{"value": "OFF", "id": "a", "owner": "b"}'),
            ("motor", "stop"),
            ("motor", "0"),
            ("motor", "-0.0"),
            ("motor", '{"value": 0}'),
            ("drive", "stop"),
            ("drive", '{"x": 0, "y": 0}'),
            ("drive", '{"value": {"x": 0.0, "y": -0.0}}'),
            ("light", "OFF"),
            ("light", '{"state": "OFF", "transition": 9}'),
        ],
    )
    def test_bare_or_in_json(self, entity: str, payload: str) -> None:
        found = request(payload, ALL[entity])
        assert found.stop
        assert (found.ttl_s, found.transition_s) == (None, None)

    @pytest.mark.parametrize("ttl", [{"default": 5}, {"required": True}])
    def test_also_where_a_default_is_set_or_a_ttl_is_required(self, ttl: dict[str, Any]) -> None:
        assert request("OFF", with_ttl(**ttl)).stop

    def test_with_a_ttl_it_is_a_lease(self) -> None:
        assert request('{"value": "OFF", "ttl": 5}') == Request(value=False, transition_s=None, ttl_s=5, stop=False)

    def test_where_safe_is_on_on_is_the_stop(self) -> None:
        valve = replace(SWITCH, rules=Rules(safe=True))
        assert request("ON", valve).stop
        assert not request("OFF", valve).stop


class TestOrderOfCodes:
    def test_invalid_comes_before_out_of_range_and_that_before_the_ttl(self) -> None:
        assert refusal('{"value": 500, "ttl": "x"}', FAN).code == "invalid"
        assert refusal('{"value": 500, "ttl": 99}', FAN).code == "out_of_range"
        assert refusal('{"value": 50, "ttl": 99}', FAN).code == "ttl_range"


class TestStale:
    """A live command is stale only where ``at`` proves it older than its TTL; a resting value: than ``expiry``."""

    AT = Envelope(raw="ON", at=1000.0)

    def test_older_than_its_ttl(self) -> None:
        assert stale(self.AT, 5, 1005.0) == ""
        assert "5.50 s old" in stale(self.AT, 5, 1005.5)

    def test_a_resting_value_older_than_its_expiry(self) -> None:
        envelope = replace(self.AT, expiry=10.0)
        assert stale(envelope, None, 1010.0) == ""
        assert stale(envelope, None, 1011.0)
        assert stale(self.AT, None, 9999.0) == ""

    def test_without_a_synchronised_clock_nothing_is_proven(self) -> None:
        assert stale(self.AT, 5, None) == ""

    def test_without_at_nothing_is_proven(self) -> None:
        assert stale(Envelope(raw="ON"), 5, 1e9) == ""

    @pytest.mark.parametrize("ahead", [0.5, 1.0, 1.5, 1e6])
    def test_a_clock_ahead_of_ours_proves_nothing(self, ahead: float) -> None:
        assert stale(self.AT, 5, 1000.0 - ahead) == ""


class TestSize:
    def test_more_than_the_limit_is_too_large_and_not_read(self) -> None:
        error = refusal(b"{" * (MAX_BYTES + 1))
        assert error.code == "too_large"
        assert str(MAX_BYTES) in str(error)

    def test_up_to_the_limit_it_is_read(self) -> None:
        assert refusal(b"x" * MAX_BYTES).code == "invalid"

    @pytest.mark.parametrize("shape", ["[{}]", '{{"a": {}}}'])
    def test_json_nested_without_end_is_invalid(self, shape: str) -> None:
        for depth in (MAX_DEPTH, 500, *range(900, 1001, 3), 5000):
            before, after = shape.split("{}") if shape[0] == "[" else ('{"a": ', "}")
            payload = '{"value": ' + before * depth + "1" + after * depth + "}"
            assert refusal(payload).code == "invalid"

    def test_what_a_command_needs_is_not_too_deep(self) -> None:
        assert read_json(b'[{"a": [{"b": {"c": [1]}}]}]') == [{"a": [{"b": {"c": [1]}}]}]


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


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8) | st.sampled_from(sorted(KEYS)), inner)
    ),
    max_leaves=12,
)
MESSAGES = st.dictionaries(st.sampled_from(["value", "state", "x", "y", "brightness", *KEYS]), JSON).map(
    lambda message: json.dumps(message).encode("utf-8", "surrogatepass")
)


@given(value=JSON)
def test_json_that_python_writes_is_read_as_python_reads_it(value: Any) -> None:
    """Python writes no key twice, but colons wherever it likes."""
    text = json.dumps(value)
    found: list[Any] = []
    reason = ""
    try:
        found.append(read_json(text.encode("utf-8", "surrogatepass")))
    except CommandError as error:
        reason = str(error)
    assert found == [json.loads(text)] if found else "twice" not in reason


class TestArbitraryBytes:
    @pytest.mark.parametrize("name", sorted(ALL))
    @given(
        payload=st.binary(max_size=200) | MESSAGES | JSON.map(lambda j: json.dumps(j).encode("utf-8", "surrogatepass"))
    )
    @settings(max_examples=60)
    def test_are_a_command_or_a_reason_never_anything_else(self, name: str, payload: bytes) -> None:
        entity = ALL[name]
        refused: list[CommandError] = []
        try:
            found = request(payload, entity)
        except CommandError as error:
            refused.append(error)
        for reason in refused:
            assert reason.code in ("invalid", "out_of_range", "ttl_range", "ttl_required", "too_large")
            assert str(reason)
            json.dumps(reason.extra, allow_nan=False)
        if not refused:
            assert entity.encode(found.value)
            assert found.stop == (found.ttl_s is None and entity.rules is not None and found.value == entity.rules.safe)


@pytest.mark.parametrize("name", ["switch", "motor"])
@given(data=st.data())
def test_a_state_that_is_sent_back_as_a_command_is_the_same_value(name: str, data: st.DataObject) -> None:
    entity = ALL[name]
    value = data.draw(st.booleans() if name == "switch" else st.integers(-100, 100).map(float))
    assert request(entity.encode(value), entity).value == value


@pytest.mark.parametrize("text", [f"{head}{'1' * 60_000}x" for head in ("", "-", "1.", ".", "1e")])
def test_a_long_number_that_is_none_takes_no_time(text: str) -> None:
    """One that could be split in many ways held up the agent for minutes."""
    started_s = time.process_time()
    assert refusal(text, FAN).code == "invalid"
    assert time.process_time() - started_s < 0.5
