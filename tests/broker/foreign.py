"""A kind of somebody else's package, as pip would install it, for real keepers."""

from __future__ import annotations

import os
from pathlib import Path

from tests.rig import ROOT


def install(folder: Path, name: str, code: str) -> dict[str, str]:
    """Install the module ``name`` with its class of the same name, capitalised; return what a node needs to find it."""
    installed = folder / f"{name}-1.0.dist-info"
    installed.mkdir(parents=True)
    (folder / f"{name}.py").write_text(code)
    (installed / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text(f"[pimqtt.kinds]\n{name} = {name}:{name.capitalize()}\n")
    return {"PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])}
