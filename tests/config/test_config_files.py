"""Files and folders that a configuration names: what `check` says of each before a node is run with it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pimqtt_agent.config import examine
from pimqtt_agent.errors import ConfigError, PimqttError
from pimqtt_agent.paths import state_dir
from tests.config.texts import HEAD, Read, Told, devices

NOBODY = 65534


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificates and keys as openssl makes them: two pairs, one key with a passphrase, both in one file."""
    folder = tmp_path_factory.mktemp("made")

    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    for name in ("mine", "other"):
        pair = ("-keyout", f"{name}.key", "-out", f"{name}.crt")
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-days", "2", *pair)
    openssl("rsa", "-in", "mine.key", "-aes256", "-passout", "pass:hunter2xyz", "-out", "locked.key")
    openssl("x509", "-in", "mine.crt", "-outform", "DER", "-out", "mine.der")
    (folder / "both.pem").write_text((folder / "mine.crt").read_text() + (folder / "mine.key").read_text())
    return folder


@pytest.fixture
def here(folder: Path, made: Path) -> Path:
    """The configuration's folder with these files in it, and some that are no certificates."""
    for file in made.iterdir():
        shutil.copy(file, folder)
    (folder / "empty.crt").touch()
    (folder / "words.crt").write_text("-----BEGIN NOTHING-----\n")
    (folder / "sub").mkdir()
    return folder


@pytest.fixture
def open_folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that any user reaches."""
    with tempfile.TemporaryDirectory(prefix="pimqtt-test-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        monkeypatch.chdir(folder)
        yield folder


@pytest.fixture
def as_nobody() -> Iterator[None]:
    """Go on without the rights of root, where they are there."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def tls(**files: str) -> str:
    return HEAD + "mqtt:\n  tls:\n" + "".join(f"    {key}: {file}\n" for key, file in files.items())


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    "files",
    [
        {"ca": "mine.crt"},
        {"ca": "mine.crt", "cert": "mine.crt", "key": "mine.key"},
        {"cert": "both.pem"},
        {"cert": "both.pem", "key": "both.pem"},
        {"insecure": "true"},
    ],
)
def test_what_can_be_used(noted: Told, files: dict[str, str]) -> None:
    assert noted(tls(**files)) == []


PEM = "holds no certificate (in PEM form: -----BEGIN CERTIFICATE-----)"
TLS = [
    ({"ca": "nope.crt"}, 5, "ca: 'nope.crt' is not there (HERE/nope.crt)"),
    ({"ca": "sub"}, 5, "ca: 'sub' is a folder; a file is needed"),
    ({"ca": "mine.crt/x"}, 5, "ca: 'mine.crt/x' can't be read by user USER: not a directory"),
    ({"ca": "empty.crt"}, 5, f"ca: 'empty.crt' {PEM}"),
    ({"ca": "words.crt"}, 5, f"ca: 'words.crt' {PEM}"),
    ({"ca": "mine.key"}, 5, f"ca: 'mine.key' {PEM}"),
    ({"ca": "mine.der"}, 5, f"ca: 'mine.der' {PEM}"),
    ({"cert": "mine.crt"}, 5, "cert: 'mine.crt' holds no private key (in PEM form); name its file in mqtt.tls.key"),
    ({"cert": "nope.crt", "key": "mine.key"}, 5, "cert: 'nope.crt' is not there (HERE/nope.crt)"),
    ({"cert": "words.crt", "key": "mine.key"}, 5, f"cert: 'words.crt' {PEM}"),
    ({"cert": "mine.crt", "key": "nope.key"}, 6, "key: 'nope.key' is not there (HERE/nope.key)"),
    ({"cert": "mine.crt", "key": "sub"}, 6, "key: 'sub' is a folder; a file is needed"),
    ({"cert": "mine.crt", "key": "empty.crt"}, 6, "key: 'empty.crt' holds no private key (in PEM form)"),
    ({"cert": "mine.crt", "key": "other.key"}, 6, "key: 'other.key' is not the key of the certificate HERE/mine.crt"),
    (
        {"cert": "mine.crt", "key": "locked.key"},
        6,
        "key: 'locked.key' is locked by a passphrase, which nobody could type; write it without one",
    ),
]


@pytest.mark.parametrize(("files", "line", "words"), TLS)
def test_what_can_not(found: Told, here: Path, files: dict[str, str], line: int, words: str) -> None:
    user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
    words = words.replace("HERE", str(here)).replace("USER", user)
    assert found(tls(**files)) == [f"config.yaml:{line}: mqtt.tls.{words}"]


@pytest.mark.usefixtures("here")
def test_all_at_once_also_beside_other_mistakes(found: Told) -> None:
    lines = found(tls(ca="nope.crt", cert="empty.crt", key="sub") + "devices: [{id: a, kind: swich}]\n")
    places = ["mqtt.tls.ca", "mqtt.tls.cert", "mqtt.tls.key", "devices[0].kind"]
    assert [line.split(": ")[1] for line in lines] == places


def test_a_key_without_a_certificate_is_told_wherever_a_file_is_read(told: Told) -> None:
    assert told(tls(key="mine.key")) == [
        "config.yaml:5: mqtt.tls.key: a key needs its certificate; set mqtt.tls.cert, or leave key out"
    ]


@pytest.mark.usefixtures("here")
def test_only_check_looks_at_certificates_so_that_a_node_starts_without(read: Read) -> None:
    assert read(tls(ca="nope.crt", cert="words.crt")).mqtt.tls is not None


def test_a_path_from_a_secret_is_not_shown(found: Told) -> None:
    text = HEAD + "mqtt: {tls: {ca: !secret ca}}"
    assert found(text, secrets="ca: hunter2xyz.crt\n") == [
        f"config.yaml:3: mqtt.tls.ca: the value (not shown) is not there ({Path.cwd()}/***)"
    ]


@pytest.mark.parametrize("path", ["", '"\\0"', '"a\\0b"'])
@pytest.mark.parametrize("option", ["mqtt: {tls: {ca: PATH}}", "hardware: {trace: PATH}", "state_dir: PATH"])
def test_what_can_be_no_name_of_a_file(told: Told, path: str, option: str) -> None:
    text = f"node: car1\nhardware: {{backend: simulated}}\n{option.replace('PATH', path or repr(''))}\n"
    text = text.replace("{backend: simulated}\nhardware: {", "{backend: simulated, ")
    (line,) = told(text)
    assert line.endswith("is not allowed here; allowed: a file's name")


@pytest.mark.parametrize("option", ["mqtt: {tls: {ca: ~nobody-like-it/x}}", "state_dir: ~nobody-like-it"])
def test_a_home_that_is_not_there(told: Told, option: str) -> None:
    (line,) = told(HEAD + option)
    assert line.endswith(": there is no such home")


def test_a_home(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/pi")
    settings = read(HEAD + "mqtt: {tls: {ca: ~/ca.crt}}\nstate_dir: ~/state\n")
    assert settings.mqtt.tls is not None
    assert (settings.mqtt.tls.ca, settings.state_dir) == ("/home/pi/ca.crt", "/home/pi/state")


# --- the trace


def trace(name: str) -> str:
    return f"node: car1\nhardware: {{backend: simulated, trace: {name}}}\n"


def test_a_trace_in_a_folder_that_is_not_there(told: Told, folder: Path) -> None:
    missing = f"there is no folder {folder}/nope; make it first"
    assert told(trace("nope/trace.jsonl")) == [
        f"config.yaml:2: hardware.trace: 'nope/trace.jsonl' can't be written: {missing}"
    ]
    (folder / "file").touch()
    assert told(trace("file/trace.jsonl")) == [
        f"config.yaml:2: hardware.trace: 'file/trace.jsonl' can't be written: {folder}/file is no folder"
    ]
    (folder / "sub").mkdir()
    assert told(trace("sub")) == [
        "config.yaml:2: hardware.trace: 'sub' can't be written: it is a folder; a file's name is needed"
    ]
    for name in ("x" * 300, "x" * 300 + "/trace.jsonl"):
        (line,) = told(trace(name))
        assert line.endswith("can't be written: file name too long")


def test_a_trace_beside_the_configuration_or_anywhere(read: Read, noted: Told, folder: Path) -> None:
    (folder / "sub").mkdir()
    for name in ("trace.jsonl", "sub/trace.jsonl", f"{folder}/trace.jsonl", "/dev/null"):
        assert read(trace(name)).hardware.model_dump()["trace"] == str(folder / name)
        assert noted(trace(name)) == []


# --- the state


def test_a_state_folder_starts_at_the_configurations(read: Read, folder: Path) -> None:
    assert read(HEAD + "state_dir: state\n").state_dir == str(folder / "state")


def test_a_state_folder_that_can_not_be(found: Told, folder: Path) -> None:
    (folder / "file").touch()
    for name in ("file", "file/below"):
        (line,) = found(HEAD + f"state_dir: {name}\n")
        assert line.startswith(f"config.yaml:3: state_dir: '{name}' can't be used: {folder}/file")


def test_a_state_folder_that_is_there_or_will_be_made(noted: Told, folder: Path) -> None:
    for name in (".", "new", "new/and/deeper"):
        assert noted(HEAD + f"state_dir: {name}\n") == []
    assert not (folder / "new").exists()


def test_a_state_folder_whose_name_is_too_long(found: Told) -> None:
    (line,) = found(HEAD + f"state_dir: {'x' * 300}\n")
    assert line.endswith(": file name too long")


# --- rights


def test_what_belongs_to_another_user(open_folder: Path, made: Path, request: pytest.FixtureRequest) -> None:
    for name in ("state", "traces"):
        (open_folder / name).mkdir()
        (open_folder / name).chmod(0o555)
    shutil.copy(made / "mine.crt", open_folder / "ca.crt")
    (open_folder / "ca.crt").chmod(0o000)
    text = (
        "node: car1\nhardware: {backend: simulated, trace: traces/trace.jsonl}\n"
        "mqtt: {tls: {ca: ca.crt}}\nstate_dir: state/of/mine\n"
    )
    (open_folder / "config.yaml").write_text(text)
    request.getfixturevalue("as_nobody")
    user = subprocess.run(["id", "-un", str(os.geteuid())], capture_output=True, text=True, check=True).stdout.strip()
    theirs = f"is not user {user}'s to write"
    with pytest.raises(ConfigError) as caught:
        examine("config.yaml", environ={})
    assert caught.value.lines == [
        f"config.yaml:2: hardware.trace: 'traces/trace.jsonl' can't be written: {open_folder}/traces {theirs}",
        f"config.yaml:3: mqtt.tls.ca: 'ca.crt' can't be read by user {user}: permission denied",
        f"config.yaml:4: state_dir: 'state/of/mine' can't be used: {open_folder}/state {theirs}",
    ]


def test_a_node_does_not_start_with_a_state_that_it_can_not_keep(
    open_folder: Path, request: pytest.FixtureRequest
) -> None:
    (open_folder / "car1").mkdir()
    (open_folder / "car1").chmod(0o555)
    request.getfixturevalue("as_nobody")
    with pytest.raises(PimqttError, match=r"car1 can't be written by user \d+; give it to that user, or set state_dir"):
        state_dir(str(open_folder), "car1")


def test_devices_are_not_asked_for(noted: Told) -> None:
    assert noted(devices("{id: eye, kind: camera, source: {v4l2: /dev/video99}}")) == []
