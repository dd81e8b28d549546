"""Any bytes as a command: too many, JSON that Python would write, and what is none at all."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pimqtt_agent.commands import KEYS, MAX_BYTES
from pimqtt_agent.errors import CommandError
from pimqtt_agent.strict_json import MAX_DEPTH, read_json
from tests.pure.payloads import ALL, FAN, refusal, request


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
