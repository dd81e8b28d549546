"""Shared options, values and targets as they are typed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pimqtt_agent.client_results import NoAnswerError
from pimqtt_agent.client_stops import Latching
from pimqtt_agent.client_topics import Place, place, target
from pimqtt_agent.console import operate
from pimqtt_agent.console.options import Shared, hoist, split_host
from pimqtt_agent.errors import PimqttError


@pytest.mark.parametrize(("typed", "hoisted"), [
    ("send a/b ON --broker h:1 --json", "--broker h:1 --json send a/b ON"),
    ("--user=me watch --plain", "--user=me --plain watch"),
    ("watch -c f.yaml", "-c f.yaml watch"),
    ("check -c f.yaml --json", "--json check -c f.yaml"),
    ("call n -c action=x --broker h", "--broker h call n -c action=x"),
    ("-c f.yaml call n -c action=x", "-c f.yaml call n -c action=x"),
    ("run -c f.yaml --json", "--json run -c f.yaml"),
    ("call n --config f.yaml -c action=x", "--config f.yaml call n -c action=x"),
    ("send a/b -30 --owner me --json", "--json send a/b --owner me -- -30"),
    ("send a/b --ttl -1 -.5", "send a/b --ttl -1 -- -.5"),
    ("send a/b --owner=me -3", "send a/b --owner=me -- -3"),
    ("send a/b -x", "send a/b -x"),
    ("send a/b -- --json", "send a/b -- --json"),
    ("send a/b --broker", "--broker send a/b"),
])  # fmt: skip
def test_shared_options_are_brought_to_the_front(typed: str, hoisted: str) -> None:
    assert hoist(typed.split()) == hoisted.split()


@pytest.mark.parametrize(("text", "found"), [
    ("h", ("h", 1883)), ("h:1", ("h", 1)), ("[::1]:9", ("::1", 9)), ("::1", ("::1", 1883)), ("[::1]", ("::1", 1883)),
])  # fmt: skip
def test_hosts_and_ports(text: str, found: tuple[str, int]) -> None:
    assert split_host(text, 1883) == found


@pytest.mark.parametrize("text", ["h:x", "h:0", "h:65536", ":1", "h:٣"])
def test_hosts_that_are_none(text: str) -> None:
    with pytest.raises(PimqttError):
        split_host(text, 1883)


@pytest.mark.parametrize(("text", "value"), [
    ("ON", "ON"), ("5", 5), ("-30", -30), ("+1.5", 1.5), ("1e3", 1000.0), ("1e999", "1e999"),
    ("1junk", "1junk"), ("nan", "nan"),
    ('{"x": 0}', {"x": 0}), ('"5"', "5"), ("true", "true"), ("", ""), ("[1]", [1]), ("٣", "٣"),
])  # fmt: skip
def test_values(text: str, value: Any) -> None:
    found = operate.value(text)
    assert (found, type(found)) == (value, type(value))


def test_the_password_is_in_the_environment_or_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PIMQTT_PASSWORD", "secret")
    assert Shared(user="me").broker().password == "secret"
    (tmp_path / "file").write_text("other\n")
    assert Shared(user="me", password_file="file").broker().password == "other"
    with pytest.raises(PimqttError, match="No such file"):
        Shared(user="me", password_file="missing").broker()


def test_the_configuration_names_the_broker_unless_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert str(Shared().broker()) == "127.0.0.1:1883"
    assert str(Shared(tls=True).broker()) == "127.0.0.1:8883"
    mqtt = "{host: one, user: anna, password: x, base: my/base, tls: true}"
    (tmp_path / "config.yaml").write_text(f"node: a\nmqtt: {mqtt}\nhardware: {{backend: simulated}}\n")
    found = Shared().broker()
    assert (str(found), found.user, found.password, found.base, found.tls) == ("one:8883", "anna", "x", "my/base", True)
    assert Shared(host="two").broker().user is None
    both = Shared(host="two:7", config="config.yaml").broker()
    assert (str(both), both.user, both.base) == ("two:7", "anna", "my/base")


def test_topics_are_taken_apart_as_they_are_made() -> None:
    for where in (Place("n"), Place("n", "d"), Place("n", "d", "e")):
        for level in ("state", "lease"):
            topic = where.topic("my/base", level)
            assert place("my/base", topic) == Place(where.node, where.device, where.entity, level)
    for other in ("pimqtt/reply/x/y", "pimqtt/stop/set", "other/n/state", "pimqtt/n", "pimqtt/n/d/e/f/state"):
        assert place("pimqtt", other) is None


@pytest.mark.parametrize("text", ["", "n", "n/", "N/d", "n/d/e/f", "reply/d", "n/set", "n/d/state", "n/d/+", "n/#"])
def test_targets_that_are_none(text: str) -> None:
    with pytest.raises(PimqttError):
        target(text)


def latching(where: Place | None, word: str, *heard: tuple[str, Any, bool]) -> Latching:
    found = Latching(where, word)
    for topic, content, retained in heard:
        seen = place("pimqtt", topic)
        assert seen
        found.hear(seen, content, retained=retained)
    return found


def test_a_retained_latch_is_no_answer_and_a_live_one_is() -> None:
    waiting = latching(Place("n"), "ON", ("pimqtt/n/stop/state", "ON", True), ("pimqtt/n/d/stop/state", "ON", False))
    assert not waiting.complete(settled=True)
    done = latching(Place("n"), "ON", ("pimqtt/n/stop/state", "ON", False))
    assert done.complete(settled=False)
    assert [result.accepted for result in done.results(1)] == [True]


def test_a_stop_of_all_waits_for_every_node_that_is_online() -> None:
    heard = [
        ("pimqtt/a/availability", "online", True), ("pimqtt/b/availability", "online", True),
        ("pimqtt/c/availability", "offline", True), ("pimqtt/a/stop/state", "ON", False),
    ]  # fmt: skip
    some = latching(None, "ON", *heard)
    assert not some.complete(settled=True)
    with pytest.raises(NoAnswerError, match="no answer from b within 1 s") as missing:
        some.results(1)
    assert [result.target for result in missing.value.answered] == ["a"]
    every = latching(None, "ON", *heard, ("pimqtt/b/stop/state", "ON", False))
    assert not every.complete(settled=False)
    assert every.complete(settled=True)
    assert len(every.results(1)) == 2


def test_a_device_that_its_node_still_holds_is_not_reset() -> None:
    done = latching(
        Place("n", "d"), "OFF", ("pimqtt/n/stop/state", "ON", False), ("pimqtt/n/d/stop/state", "OFF", False)
    )
    (result,) = done.results(1)
    assert (result.outcome, result.code) == ("rejected", "latched")
