"""What lgpio and gpiozero do to whoever does not know them: a pipe in the working directory, a board's revision."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.broker.steps import eventually, told
from tests.kernel.bench import LAMP, LATE_S, START_S, Outside, configuration, pimqtt
from tests.rig import ROOT, Mosquitto, Node, Observer

pytestmark = [pytest.mark.broker, pytest.mark.gpiochip("pi")]
#: A mount namespace of its own, in which the working directory can't be written and no file tells the revision.
BARE = """
mkdir -p bare && mount -t tmpfs -o ro none bare && cd bare || exit 90
mount --bind /dev/null /proc/cpuinfo || exit 91
[ ! -d /proc/device-tree ] || mount -t tmpfs -o ro none /proc/device-tree || exit 92
exec "$@"
"""
#: The same command by a Python without site-packages: what it may import stands in PYTHONPATH.
WITHOUT_SITE = 'shift; exec "$BASE_PYTHON" -S "$@"'


@pytest.fixture
def start(shared_broker: Mosquitto, tmp_path: Path, alone: None) -> Iterator[Callable[..., Node]]:  # noqa: ARG001
    started: list[Node] = []

    def begin_with(before: tuple[str, ...], **env: str) -> Node:
        node = Node(tmp_path / "node", configuration(shared_broker.port, "backend: pi"), env)
        node.before = before
        started.append(node)
        return node.start(wait=False)

    yield begin_with
    for node in started:
        node.__exit__(None, None, None)


async def test_in_a_folder_that_can_not_be_written_on_a_board_that_tells_no_revision(
    start: Callable[..., Node], watch: Observer, outside: Outside
) -> None:
    user = () if os.geteuid() == 0 else ("--map-root-user",)
    node = start(("unshare", *user, "--mount", "sh", "-c", BARE, "sh"))
    await watch.wait("pimqtt/car1/availability", lambda seen: seen.text == "online", START_S)
    await eventually(lambda: node.pid("keeper pins"), START_S)
    assert Path(f"/proc/{node.pid('keeper pins')}/cwd").readlink().name == "bare"  # noqa: ASYNC240
    for value, level in (("ON", 1), ("OFF", 0)):
        assert (await told(watch, "lamp", {"value": value}))["outcome"] == "accepted"
        await outside.until({LAMP: level}, LATE_S)
    assert list(node.folder.rglob(".lgd-nfy*")) == [], "no pipe is left, nowhere"
    assert "ERROR" not in node.log.read_text()


async def test_the_placeholder_of_lgpio_is_told_with_the_mend(
    start: Callable[..., Node], watch: Observer, tmp_path: Path
) -> None:
    """PyPI's lgpio 0.0.0.2, which Python 3.13 gets, is an empty module."""
    node = start(("sh", "-c", WITHOUT_SITE, "sh"), **with_placeholder(tmp_path / "site"))
    await watch.wait("pimqtt/car1/availability", lambda seen: seen.text == "online", START_S)
    assert (await told(watch, "lamp", {"value": "ON"}))["code"] == "unavailable"
    words = await eventually(lambda: "lgpio" in node.log.read_text() and node.log.read_text(), START_S, "a reason")
    assert "the installed Python package lgpio is PyPI's placeholder without code" in words
    assert "sudo apt install python3-lgpio" in words
    assert "Traceback" not in words
    doctor = pimqtt(node, "doctor", "-c", str(node.config), "--plain")
    assert doctor.returncode == 1
    assert "sudo apt install python3-lgpio" in doctor.stdout, doctor.stdout + doctor.stderr


def with_placeholder(site: Path) -> dict[str, str]:
    """Make the environment of a Python whose packages are ours, but for lgpio."""
    site.mkdir()
    for folder in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:
        for entry in Path(folder).iterdir():
            if "lgpio" not in entry.name:
                (site / entry.name).symlink_to(entry)
    (site / "lgpio.py").touch()
    return {"BASE_PYTHON": str(Path(sys.executable).resolve()), "PYTHONPATH": f"{ROOT}{os.pathsep}{site}"}
