"""What was accepted live is known to the next agent, wherever this one dies."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pimqtt_agent.digests import DIGESTS, Digests
from pimqtt_agent.store import Snapshot

ON, OFF = "pimqtt/car1/lamp/set", "pimqtt/car1/pump/set"


def known(folder: Path) -> dict[str, set[str]]:
    digests = Digests(folder)
    return {topic: {d for d in "abcdefghijklmnopqrstuvwxyz" if (topic, d) in digests} for topic in (ON, OFF)}


def test_each_change_is_known_at_once_and_news_are_told(tmp_path: Path) -> None:
    digests = Digests(tmp_path)
    assert digests.add(ON, "a")
    assert not digests.add(ON, "a")
    assert digests.add(ON, "b")
    assert digests.add(OFF, "c")
    assert known(tmp_path) == {ON: {"a", "b"}, OFF: {"c"}}
    assert digests.forget(ON)
    assert not digests.forget(ON)
    assert known(tmp_path) == {ON: set(), OFF: {"c"}}


def test_the_last_of_a_topic_are_kept(tmp_path: Path) -> None:
    digests = Digests(tmp_path)
    for letter in "abcdefghijklmnopqrstuvwxyz":
        digests.add(ON, letter)
    assert known(tmp_path)[ON] == set("abcdefghijklmnopqrstuvwxyz"[-DIGESTS:])


STEPS = st.lists(
    st.tuples(st.sampled_from([ON, OFF]), st.sampled_from("abc"))
    | st.sampled_from([(ON, ""), (OFF, ""), ("save", ""), ("begin", ""), ("finish", ""), ("die", "")]),
    max_size=40,
)


@settings(max_examples=200)
@given(STEPS)
def test_whatever_happened_between_saves_the_next_agent_knows_the_same(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, str]]
) -> None:
    folder = tmp_path_factory.mktemp("digests")
    digests = Digests(folder)
    saving: Snapshot | None = None
    for topic, letter in steps:
        if topic == "save":
            digests.save(digests.begin_save())
        elif topic == "begin":
            saving = digests.begin_save() if saving is None else saving
        elif topic == "finish" and saving is not None:
            digests.save(saving)
            saving = None
        elif topic == "die":
            digests, saving = Digests(folder), None
        elif letter:
            digests.add(topic, letter)
        elif topic in (ON, OFF):
            digests.forget(topic)
        expected = {name: {d for d in "abc" if (name, d) in digests} for name in (ON, OFF)}
        assert known(folder) == expected


def test_a_line_that_was_cut_off_costs_itself_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    Digests(tmp_path).add(ON, "a")
    log = tmp_path / "digests.log"
    log.write_bytes(log.read_bytes()[:-4])
    Digests(tmp_path).add(ON, "b")
    assert known(tmp_path)[ON] == {"b"}
    assert "left out" in caplog.text


def test_a_log_that_can_not_be_written_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "digests.log").mkdir()
    digests = Digests(tmp_path)
    for letter in "abc":
        digests.add(ON, letter)
    assert (ON, "a") in digests
    assert caplog.text.count("can't be written") == 1


def test_an_earlier_log_that_can_not_be_removed_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    digests = Digests(tmp_path)
    digests.add("a", "1")
    saved = digests.begin_save()
    (tmp_path / "digests.log.1").unlink()
    (tmp_path / "digests.log.1").mkdir()
    digests.save(saved)
    assert "can't be written" in caplog.text
    assert ("a", "1") in Digests(tmp_path)


def test_nothing_of_the_log_is_left_after_a_save(tmp_path: Path) -> None:
    digests = Digests(tmp_path)
    digests.add(ON, "a")
    digests.save(digests.begin_save())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["digests.json"]
    assert known(tmp_path)[ON] == {"a"}
