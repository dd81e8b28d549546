"""`camera`: its configuration."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from pydantic import ValidationError

from pimqtt_agent.devices import KINDS
from pimqtt_agent.devices.camera import Camera
from tests.devices.scripted_camera import make


@pytest.mark.parametrize(
    ("raw", "choice"),
    [
        ("synthetic", ("synthetic", True)),
        ("pi", ("pi", 0)),
        ({"pi": 1}, ("pi", 1)),
        ({"v4l2": "/dev/video0"}, ("v4l2", "/dev/video0")),
        ({"file": "/clip.mp4"}, ("file", "/clip.mp4")),
    ],
)
def test_a_source_survives_the_way_to_its_keeper(raw: object, choice: tuple[str, Any]) -> None:
    device = make(source=raw)
    assert device.source.choice == choice
    sent = device.model_dump(mode="json", exclude_unset=True)
    assert KINDS["camera"].model_validate(sent) == device


@pytest.mark.parametrize(
    ("options", "quoted"),
    [
        ({"source": "web"}, "is no source; allowed: synthetic, pi, {file: PATH}"),
        ({"source": {}}, "one source is needed"),
        ({"source": {"pi": 0, "file": "x"}}, "one source is needed"),
        ({"source": {"fil": "x"}}, "fil"),
        ({"source": {"pi": -1}}, "pi"),
        ({"width": 641}, "multiple of 2"),
        ({"rotation": 45}, "90"),
        ({"max_bytes": 1_000_000}, "less than 1000000"),
        ({"quality": 20}, "30"),
        ({"interval": 0}, "interval"),
        ({"stall_s": 0}, "stall_s"),
        ({"framerate": 5}, "framerate"),
    ],
)
def test_mistakes_are_told(options: dict[str, Any], quoted: str) -> None:
    with pytest.raises(ValidationError) as caught:
        make(**options)
    assert quoted in str(caught.value)


def test_a_relative_file_starts_at_the_configurations_folder() -> None:
    raw = {"id": "eye", "kind": "camera", "source": {"file": "clips/a.mp4"}}
    assert Camera.model_validate(raw, context={"folder": "/etc/pimqtt"}).source.file == "/etc/pimqtt/clips/a.mp4"
    raw = {"id": "eye", "kind": "camera", "source": {"file": "/a.mp4"}}
    assert Camera.model_validate(raw, context={"folder": "/etc/pimqtt"}).source.file == "/a.mp4"


def test_idle_and_keep_open_exclude_each_other() -> None:
    assert [path for path, _ in make(keep_open=True, idle_s=3).mistakes()] == ["idle_s"]
    assert list(make(keep_open=True).mistakes()) == list(make(idle_s=3).mistakes()) == []


def test_the_editors_schema_knows_both_forms() -> None:
    schema = Camera.model_json_schema()
    assert {"enum": ["synthetic", "pi"], "type": "string"} in schema["properties"]["source"]["anyOf"]


def test_entities() -> None:
    picture, snapshot, taken, size = make().entities()
    assert (picture.key, picture.platform, picture.name, picture.retained) == ("", "camera", "Picture", False)
    assert snapshot.decode("PRESS") == ("PRESS", None)
    assert (taken.key, taken.device_class, size.enabled_by_default) == ("taken", "timestamp", False)
    assert "< 10 " in (taken.value_template or ""), "tests/component/test_picture_time.py has Home Assistant render it"
    assert Camera.keeper == "camera"


def test_the_cameras_libraries_are_loaded_by_nothing_else() -> None:
    script = """
import sys
from pimqtt_agent import devices
from pimqtt_agent.devices.camera import Camera
import pimqtt_agent.media.sources, pimqtt_agent.media.grabber
Camera.model_validate({"id": "eye", "kind": "camera", "source": "synthetic"}).entities()
print(sorted({"numpy", "av", "simplejpeg", "picamera2"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
