"""What is kept in the repository: one file a target, an input a line (JSON text, a character a byte)."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from tests.fuzz.registry import TARGETS

FOLDER = Path(__file__).parent / "corpus"


def kept(name: str) -> list[bytes]:
    """Read what was kept of a target."""
    file = FOLDER / f"{name}.jsonl"
    lines = file.read_text(encoding="ascii").splitlines() if file.exists() else []
    return [json.loads(line).encode("latin-1") for line in lines]


def keep(name: str, inputs: list[bytes]) -> None:
    """Write what is to be kept of a target."""
    FOLDER.mkdir(exist_ok=True)
    lines = [json.dumps(data.decode("latin-1")) + "\n" for data in inputs]
    (FOLDER / f"{name}.jsonl").write_text("".join(lines), encoding="ascii")


def begin(name: str, folder: Path) -> None:
    """Put seeds and what was kept into a folder, as libFuzzer wants them."""
    folder.mkdir(parents=True, exist_ok=True)
    for data in (*TARGETS[name].seeds(), *kept(name)):
        (folder / hashlib.sha1(data, usedforsecurity=False).hexdigest()).write_bytes(data)
