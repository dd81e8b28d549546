"""`send`, `stop`, `reset`, `call`: what they print, and every exit status."""

from __future__ import annotations

import json
import subprocess
import time

import pytest

from tests.broker.steps import SLOW_S, ran, seconds
from tests.console.conftest import Cli
from tests.rig import Node, wait_for

pytestmark = pytest.mark.broker
At = tuple[str, str]


def test_an_accepted_command_gives_0_and_drives_the_pin(cli: Cli, at: At, car1: Node) -> None:
    before, sent_ns = len(car1.levels(17)), time.monotonic_ns()
    done = cli(*at, "send", "car1/pump", "ON", "--ttl", "3", "--owner", "anna")
    assert (done.returncode, done.stdout, done.stderr) == (0, "car1/pump: accepted ON for 3 s by anna\n", "")
    wait_for(lambda: len(car1.levels(17)) >= before + 2, what="the pump on and off")
    on, off = [row for row in car1.rows() if row["pin"] == 17][before:]
    assert (on["value"], off["value"]) == (1, 0)
    ran(3, sent_ns, on["t_ns"], off["t_ns"], SLOW_S)
    assert seconds(on["t_ns"], off["t_ns"]) > 3 - SLOW_S, "the command line starts slowly: from its start is no bound"


@pytest.mark.usefixtures("car1")
def test_a_command_always_bears_id_time_and_expiry(cli: Cli, at: At) -> None:
    with_json = cli(*at, "--json", "send", "car1/pump", "OFF")
    answer = json.loads(with_json.stdout)
    assert (with_json.returncode, answer["outcome"], answer["target"]) == (0, "accepted", "car1/pump")
    assert answer["id"]
    listen = ["mosquitto_sub", "-p", at[1].rpartition(":")[2], "-t", "pimqtt/car1/nobody/set", "-C", "1", "-W", "10"]
    with subprocess.Popen(listen, stdout=subprocess.PIPE, text=True) as heard:
        time.sleep(0.3)
        cli(*at, "send", "car1/nobody", "OFF")
        sent = json.loads(heard.communicate(timeout=10)[0])
    assert set(sent) == {"value", "id", "at", "expiry"}


@pytest.mark.usefixtures("car1")
def test_a_rejected_command_gives_1_with_code_and_reason(cli: Cli, at: At) -> None:
    done = cli(*at, "send", "car1/pump", "perhaps")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "car1/pump: rejected invalid: 'perhaps' is not ON or OFF\n"
    too_long = cli(*at, "send", "car1/pump", "ON", "--ttl", "61")
    assert too_long.returncode == 1
    assert "rejected ttl_range: ttl 61" in too_long.stderr


@pytest.mark.usefixtures("car1")
def test_a_held_output_is_told_by_its_holder_and_priority_takes_over(cli: Cli, at: At) -> None:
    assert cli(*at, "send", "car1/pump", "ON", "--ttl", "20", "--owner", "anna").returncode == 0
    held = cli(*at, "send", "car1/pump", "ON", "--ttl", "5", "--owner", "bob")
    assert (held.returncode, held.stderr.partition(",")[0]) == (1, "car1/pump: rejected held: 'anna' holds it")
    assert cli(*at, "send", "car1/pump", "ON", "--ttl", "5", "--owner", "bob", "--priority", "1").returncode == 0
    assert cli(*at, "send", "car1/pump", "OFF").returncode == 0


@pytest.mark.usefixtures("car1")
def test_an_unknown_device_is_rejected_by_its_node(cli: Cli, at: At) -> None:
    done = cli(*at, "send", "car1/pomp", "ON")
    assert done.returncode == 1
    assert "car1/pomp: rejected unknown: there is no 'pomp'" in done.stderr


@pytest.mark.usefixtures("car1")
def test_an_unknown_node_gives_3(cli: Cli, at: At) -> None:
    for words in (("send", "car9/pump", "ON"), ("stop", "car9"), ("call", "car9", "-c", "action=get_version")):
        done = cli(*at, *words, "--timeout", "0.5")
        assert (done.returncode, done.stdout) == (3, ""), words
        assert done.stderr.count("\n") == 1
        assert "car9" in done.stderr


@pytest.mark.parametrize("words", [
    ("send", "car1/pump", "ON"), ("stop",), ("reset", "car1"), ("watch",), ("call", "car1", "-c", "action=x"),
])  # fmt: skip
def test_no_broker_gives_4(cli: Cli, nowhere: At, words: tuple[str, ...]) -> None:
    done = cli(*nowhere, *words)
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr == f"pimqtt: broker {nowhere[1]} can't be reached: Connection refused\n"


@pytest.mark.usefixtures("car1")
def test_numbers_below_zero_words_and_json_are_values(cli: Cli, at: At) -> None:
    back = cli(*at, "send", "car1/fan", "-30", "--owner", "me")
    assert back.stdout == "car1/fan: accepted -30 for 0.5 s by me\n"
    ahead = cli(*at, "send", "car1/car", '{"x": 0, "y": 0.5}', "--owner", "me")
    assert ahead.stdout.startswith("car1/car: accepted x 0 y 0.5")
    assert cli(*at, "send", "car1/car", "stop").stdout == "car1/car: accepted x 0 y 0 by anonymous\n"
    broken = cli(*at, "send", "car1/car", '{"x": 0')
    assert (broken.returncode, broken.stderr.count("\n")) == (1, 1)
    assert "is not JSON" in broken.stderr


@pytest.mark.parametrize(("target", "words"), [
    ("pump", "is not NODE/DEVICE or NODE/DEVICE/ENTITY"), ("car1/Pump", "'Pump' is no id"),
    ("stop/pump", "can't be a node"), ("car1/pump/stop", "pimqtt stop car1/pump"), ("a/b/c/d", "is not NODE/DEVICE"),
])  # fmt: skip
def test_a_target_that_is_none_is_told_without_a_broker(cli: Cli, nowhere: At, target: str, words: str) -> None:
    done = cli(*nowhere, "send", target, "ON")
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_stop_latches_and_reset_leaves_it(cli: Cli, at: At, car1: Node) -> None:
    assert cli(*at, "send", "car1/pump", "ON", "--ttl", "30").returncode == 0
    stopped = cli(*at, "stop", "car1/pump")
    assert (stopped.returncode, stopped.stdout) == (0, "car1/pump: stopped\n")
    car1.wait_level(17, 0)
    refused = cli(*at, "send", "car1/pump", "ON", "--ttl", "1")
    assert (refused.returncode, "rejected latched" in refused.stderr) == (1, True)
    reset = cli(*at, "reset", "car1/pump")
    assert (reset.returncode, reset.stdout) == (0, "car1/pump: reset\n")
    assert cli(*at, "send", "car1/pump", "ON", "--ttl", "0.2").returncode == 0


@pytest.mark.usefixtures("car1")
def test_stop_without_a_target_stops_every_node(cli: Cli, at: At) -> None:
    assert cli(*at, "stop").stdout == "car1: stopped\n"
    still = cli(*at, "reset", "car1/pump")
    assert (still.returncode, still.stdout) == (1, "")
    assert "all of car1 is stopped" in still.stderr
    assert cli(*at, "reset").stdout == "car1: reset\n"
    assert cli(*at, "send", "car1/pump", "OFF").returncode == 0


@pytest.mark.usefixtures("car1")
def test_stop_of_an_unknown_device_is_rejected(cli: Cli, at: At) -> None:
    done = cli(*at, "stop", "car1/pomp")
    assert (done.returncode, "rejected unknown" in done.stderr) == (1, True)


@pytest.mark.usefixtures("car1")
def test_call_prints_the_answer(cli: Cli, at: At) -> None:
    done = cli(*at, "call", "car1", "-c", "action=token", "-c", "device=car")
    assert done.returncode == 0
    assert json.loads(done.stdout)["max_age_s"] == 0.5
    beat = cli(*at, "call", "car1", "-c", "action=heartbeat", "-c", "owner=me")
    assert (beat.returncode, beat.stdout) == (0, "car1: accepted heartbeat by me\n")
    unknown = cli(*at, "call", "car1", "-c", "action=fly")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert "rejected unknown" in unknown.stderr
    for wrong in ((), ("-c", "action")):
        done = cli(*at, "call", "car1", *wrong)
        assert (done.returncode, done.stderr.count("\n")) == (1, 1)


def test_shared_options_may_stand_anywhere_and_the_configuration_names_the_broker(cli: Cli, at: At, car1: Node) -> None:
    assert cli("send", "car1/pump", "OFF", *at).returncode == 0
    assert cli("-c", str(car1.config), "send", "car1/pump", "OFF").returncode == 0
    assert cli("send", "-c", str(car1.config), "car1/pump", "OFF").returncode == 0


def test_a_wrong_command_line_gives_2_and_help_shows_every_command(cli: Cli) -> None:
    assert cli("send").returncode == 2
    assert cli("fly").returncode == 2
    shown = cli("--help")
    assert shown.returncode == 0
    assert "\x1b" not in shown.stdout
    for word in ["run", "safe", "check", "schema", "demo", "send", "watch", "stop", "reset", "drive", "doctor", "call"]:
        assert f" {word} " in shown.stdout
    assert cli("--version").stdout.startswith("pimqtt ")
