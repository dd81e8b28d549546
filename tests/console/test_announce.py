"""`announce`: the service file for avahi-daemon, and what `doctor` says of it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pimqtt_agent.console import announcing, doctor_host
from pimqtt_agent.console.announcing import Announcement
from pimqtt_agent.console.checks import Check
from pimqtt_agent.errors import PimqttError
from pimqtt_agent.settings import Settings
from tests.console.conftest import Cli
from tests.console.terminal import Terminal

#: avahi-service.dtd: what each element has in it, in order.
DTD = {
    "service-group": r"name (service )+",
    "service": r"type (subtype )*(domain-name )?(host-name )?port (txt-record )*",
}
GOOD = "node: {id: car1, name: The red car}\nmqtt: {base: garage/pimqtt}\nhardware: {backend: simulated}\n"
ABOUT = {"node": "car1", "name": "The red car", "base": "garage/pimqtt"}


def settings(name: str | None = None, base: str = "pimqtt", node: str = "car1") -> Settings:
    content: dict[str, Any] = {
        "node": {"id": node, "name": name}, "mqtt": {"base": base}, "hardware": {"backend": "simulated"},
    }  # fmt: skip
    return Settings.model_validate(content)


def read(xml: str) -> tuple[str, dict[str, str]]:
    """Read a service file as avahi-daemon does: its name, its TXT record."""
    group = ET.fromstring(xml)
    assert not any(element.attrib for element in group.iter())  # a name with replace-wildcards would lose its %h
    for element in group.iter():
        children = "".join(f"{child.tag} " for child in element)
        assert re.fullmatch(DTD.get(element.tag, ""), children), f"{element.tag}: {children}"
    assert group.tag == "service-group"
    (service,) = group.findall("service")
    assert (service.findtext("type"), service.findtext("port")) == ("_pimqtt._tcp", "0")
    records = [record.text or "" for record in service.findall("txt-record")]
    assert max(len(record.encode()) for record in records) <= 255
    return group.findtext("name", ""), dict(record.split("=", 1) for record in records)


@given(name=st.text(max_size=300), base=st.from_regex(r"[a-z&<>\"'%ä=]{1,20}(/[a-z]{1,20})?", fullmatch=True))
@example(name="]]> &amp; <!-- %h \ud800 \x00\ufffe", base="a")
@example(name="\U0001f697" * 200, base="b" * 250)
@example(name="...", base="a")
def test_any_name_comes_back_out_of_the_file(name: str, base: str) -> None:
    title, about = read(Announcement.of(settings(name, base)).xml)
    assert 0 < len(title.encode()) <= 63
    assert "." not in title
    assert about.keys() == {"node", "name", "base"}
    assert (about["node"], about["base"]) == ("car1", base)
    given_name = " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]", " ", name).split())
    fallback = "Car1" if not name else "car1"
    assert (given_name or fallback).startswith(about["name"])
    if len(given_name.encode()) <= 250:
        assert about["name"] == (given_name or fallback)
        if "." not in given_name and len(given_name.encode()) <= 63:
            assert title == about["name"]


def test_a_name_that_is_too_long_is_cut_between_characters() -> None:
    cut = Announcement.of(settings("ä" * 126))
    assert (cut.about["name"], cut.cut) == ("ä" * 125, True)
    assert Announcement.of(settings("ä" * 125)).cut is False
    assert Announcement.of(settings("x" + "ä" * 40)).name == "x" + "ä" * 31


@pytest.mark.parametrize("base", ["b" * 251, "ä" * 126, "a\ufffe"])
def test_a_base_that_does_not_fit_is_refused(base: str) -> None:
    with pytest.raises(PimqttError, match=r"mqtt\.base '.*' can't be announced: mDNS takes at most 250 bytes"):
        Announcement.of(settings(base=base))


def test_it_prints_the_file_alone(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(GOOD)
    for words in (("announce",), ("announce", "-c", "config.yaml"), ("-c", "config.yaml", "announce")):
        done = cli(*words, LC_ALL="C")
        assert (done.returncode, done.stderr) == (0, "")
        assert read(done.stdout) == ("The red car", ABOUT)
        assert done.stdout.startswith("<?xml ")


def test_mistakes_are_answered_as_check_does(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "wrong.yaml").write_text("nodes: car1\nhardware: {backend: simulated}\n")
    for file, status in (("wrong.yaml", 1), ("missing.yaml", 2)):
        check, done = cli("check", "-c", file), cli("announce", "-c", file)
        assert (done.returncode, done.stdout, done.stderr) == (status, "", check.stderr)
    (tmp_path / "long.yaml").write_text(GOOD.replace("garage", "g" * 245))
    done = cli("announce", "-c", "long.yaml")
    assert (done.returncode, done.stdout) == (1, "")
    assert "mDNS takes at most 250 bytes" in done.stderr


def test_a_cut_name_is_told(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(GOOD.replace("The red", "The" + " very" * 60))
    done = cli("announce")
    assert done.returncode == 0
    assert done.stderr.startswith("note: the name is too long for mDNS; it says 'The very very")


def test_a_terminal_is_told_how_to_install_it(tmp_path: Path) -> None:
    (tmp_path / "my car.yaml").write_text(GOOD)
    with Terminal(tmp_path, "announce", "-c", "my car.yaml", columns=200) as terminal:
        assert terminal.status() == 0
        line = "pimqtt announce -c 'my car.yaml' | sudo tee /etc/avahi/services/pimqtt.service"
        assert f"to install it: {line}" in terminal.text


def test_the_line_that_installs_it_keeps_the_profile(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(GOOD + "profiles: {dev box: {mqtt: {base: other}}}\n")
    with Terminal(tmp_path, "announce", "-c", "p.yaml", "--profile", "dev box", columns=200) as terminal:
        assert terminal.status() == 0
        assert "base=other" in terminal.text
        assert "to install it: pimqtt announce -c p.yaml --profile 'dev box' | sudo tee" in terminal.text


def looked(root: Path, node: str = "car1") -> list[Check]:
    """Give what `doctor` finds below a folder."""
    (root / "car1.yaml").write_text(GOOD)
    found = settings("The red car", "garage/pimqtt", node).model_copy(update={"file": root / "car1.yaml"})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(doctor_host, "_granted", list)  # it forks, and asks for this machine
        return [check for check in doctor_host.checks(found, root) if check.what == "announce"]


def test_doctor_says_nothing_where_no_avahi_is(tmp_path: Path) -> None:
    assert looked(tmp_path) == []


def test_doctor_sees_whether_the_node_is_announced(tmp_path: Path) -> None:
    services = tmp_path / "etc/avahi/services"
    services.mkdir(parents=True)
    (services / "ssh.service").write_text("<service-group><name>x</name><service><type>_ssh._tcp</type></service>")
    (check,) = looked(tmp_path)
    assert (check.status, check.text.partition(",")[0]) == ("ok", "car1 is not announced by mDNS")
    assert check.text.endswith(f": pimqtt announce -c {tmp_path}/car1.yaml | sudo tee {services}/pimqtt.service")
    (services / "pimqtt.service").write_text(Announcement.of(settings("The red car", "garage/pimqtt")).xml)
    (check,) = looked(tmp_path)
    assert (check.status, check.text.partition("(")[0]) == ("ok", "car1 is announced by mDNS ")
    (check,) = looked(tmp_path, "car2")
    assert (check.status, check.text.endswith(f"{services}/pimqtt-car2.service")) == ("ok", True)


@pytest.mark.parametrize("content", ["", "<service-group>", "<?xml version='1.0' encoding='none'?><a/>", "\ud800"])
def test_doctor_tells_a_service_file_that_announces_nothing(tmp_path: Path, content: str) -> None:
    services = tmp_path / "etc/avahi/services"
    services.mkdir(parents=True)
    (services / "pimqtt.service").write_bytes(content.encode(errors="surrogatepass"))
    (check,) = looked(tmp_path)
    assert (check.status, check.text) == ("warn", f"{services}/pimqtt.service announces nothing")
    assert check.mend.endswith(f"| sudo tee {services}/pimqtt.service")


def test_doctor_sees_a_file_of_before(tmp_path: Path) -> None:
    services = tmp_path / "etc/avahi/services"
    services.mkdir(parents=True)
    (services / "mine.service").write_text(Announcement.of(settings("The old car")).xml)
    (check,) = looked(tmp_path)
    assert check.status == "warn"
    assert "announces car1 with another name or base" in check.text
    assert check.mend.endswith(f"| sudo tee {services}/mine.service")


def test_doctor_tells_a_base_that_can_not_be_announced(tmp_path: Path) -> None:
    (tmp_path / "etc/avahi/services").mkdir(parents=True)
    (check,) = announcing.check(settings(base="b" * 251), tmp_path)
    assert (check.status, "can't be announced" in check.text) == ("warn", True)
