"""`pimqtt announce`: the file by which avahi-daemon announces a node in the local network, made and looked for.

Raspberry Pi OS runs avahi-daemon anyway; a responder of the agent's own would cost memory and time on every Pi.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Final, Self
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from pimqtt_agent.console.checks import Check, ok, warn
from pimqtt_agent.errors import PimqttError

if TYPE_CHECKING:
    from pimqtt_agent.settings import Settings

FOLDER: Final = Path("etc/avahi/services")
FILE: Final = "pimqtt.service"
TYPE: Final = "_pimqtt._tcp"
#: A node listens nowhere. Home Assistant reads the TXT records alone, and finds the node at the broker that it has
#: itself; the broker's port would be a lie wherever the broker is another machine, since mDNS adds the Pi's address.
PORT: Final = 0
#: A DNS label, and one string of a TXT record with its key, in bytes.
_LABEL, _TXT = 63, 255
#: What XML, or a DNS name of a service, may not have.
_NOT_TEXT = re.compile(r"[^\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]+")


@dataclass(frozen=True)
class Announcement:
    """What is said of a node: ``name`` is the service's, ``about`` its TXT record; ``cut``: its name did not fit."""

    name: str
    about: dict[str, str]
    cut: bool = False

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Derive it from a configuration, long names shortened; raises ``PimqttError`` where the base does not fit."""
        node, base = settings.node.id, settings.mqtt.base
        most = _TXT - len("base=")
        if _NOT_TEXT.search(base) or len(base.encode()) > most:
            raise PimqttError(f"mqtt.base {base!r} can't be announced: mDNS takes at most {most} bytes of plain text")
        title = _plain(settings.node.title) or node
        about = {"node": node, "name": _cut(title, _TXT - len("name=")), "base": base}
        # python-zeroconf takes a dot for the end of a label, so that its questions for such a name find nothing
        return cls(_cut(_plain(title.replace(".", " ")) or node, _LABEL), about, cut=about["name"] != title)

    @property
    def xml(self) -> str:
        """Return the service file, in ASCII: the terminal's encoding is nobody's business."""
        texts = [_xml(f"{key}={value}") for key, value in self.about.items()]
        records = "\n".join(f"    <txt-record>{text}</txt-record>" for text in texts)
        return (
            '<?xml version="1.0" standalone="no"?>\n<!DOCTYPE service-group SYSTEM "avahi-service.dtd">\n'
            "<!-- made by `pimqtt announce`; make it again when the node's id or name, or mqtt.base, changes -->\n"
            f"<service-group>\n  <name>{_xml(self.name)}</name>\n  <service>\n    <type>{TYPE}</type>\n"
            f"    <port>{PORT}</port>\n{records}\n  </service>\n</service-group>"
        )


def check(settings: Settings, root: Path) -> Iterator[Check]:
    """Tell whether the node is announced, where avahi-daemon is there."""
    folder = root / FOLDER
    if not folder.is_dir():
        return
    try:
        wanted = Announcement.of(settings).about
    except PimqttError as error:
        yield warn("announce", str(error))
        return
    node, files = wanted["node"], {file: _told(file) for file in sorted(folder.glob("*.service"))}
    file = next((file for file, told in files.items() if any(about.get("node") == node for about in told)), None)
    if file is not None and wanted in files[file]:
        yield ok("announce", f"{node} is announced by mDNS ({file})")
        return
    text = f"{file} announces {node} with another name or base than the configuration has"
    if file is None:
        file = next((file for file, told in files.items() if file.name.startswith("pimqtt") and not told), None)
        text = f"{file} announces nothing"
    if file is not None:
        yield warn("announce", text, installation(settings.file, file))
        return
    # where the first file is another node's
    free = folder / (f"pimqtt-{node}.service" if folder / FILE in files else FILE)
    text = f"{node} is not announced by mDNS, Home Assistant finds it at its own broker; to have it announced"
    yield ok("announce", f"{text}: {installation(settings.file, free)}")


def installation(config: Path, file: Path, profile: str | None = None) -> str:
    """Return the line that installs the service file of a configuration."""
    chosen = f" --profile {quote(profile)}" if profile else ""
    return f"pimqtt announce -c {quote(str(config))}{chosen} | sudo tee {file}"


def _told(file: Path) -> list[dict[str, str]]:
    """Read the TXT records of our services of a file; avahi ignores a broken one, too."""
    try:
        group = ET.parse(file).getroot()  # noqa: S314 - only root writes there
    except (OSError, SyntaxError, LookupError, ValueError):
        return []
    ours = [service for service in group.findall("service") if (service.findtext("type") or "").strip() == TYPE]
    texts = [[record.text or "" for record in service.findall("txt-record")] for service in ours]
    return [dict(text.split("=", 1) for text in each if "=" in text) for each in texts]


def _plain(text: str) -> str:
    """Return it in one line."""
    return " ".join(_NOT_TEXT.sub(" ", text).split())


def _cut(text: str, most: int) -> str:
    """Return what of it fits into so many bytes."""
    return text.encode()[:most].decode(errors="ignore").rstrip()


def _xml(text: str) -> str:
    return escape(text).encode("ascii", "xmlcharrefreplace").decode()
