"""What libraries import at their top and seldom use."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

_TRY = """
import sys
from pimqtt_agent.deferred import defer
for name in ("email", "importlib.metadata", "difflib"):
    sys.modules.pop(name, None)
defer("importlib.metadata", "entry_points")
defer("difflib")
import difflib
import importlib.metadata as metadata
from importlib.metadata import entry_points
assert "email" not in sys.modules
assert "SequenceMatcher" not in vars(difflib)
"""


def _python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", _TRY + code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(("code", "printed"), [
    ("print(difflib.get_close_matches('relai', ['relay']))", "['relay']"),
    ("print(metadata.version('pytest').split('.')[0].isdigit())", "True"),
    ("print(any(e.name == 'pytest' for e in entry_points(group='console_scripts')))", "True"),
    ("import importlib.metadata._meta as m; print(m.PackageMetadata.__name__)", "PackageMetadata"),
    ("from importlib.metadata import PackageNotFoundError as E; print(E.__mro__[1].__name__)", "ModuleNotFoundError"),
    ("difflib.x", None),
])
def test_deferred_module_is_the_module_once_it_is_used(code: str, printed: str | None) -> None:
    if printed is None:
        code = f"\ntry: {code}\nexcept AttributeError as error: print(error)"
        printed = "module 'difflib' has no attribute 'x'"
    assert _python(code) == printed


def test_second_time_nothing_happens() -> None:
    assert _python("difflib.ndiff; before = sys.modules['difflib']; defer('difflib')\n"
                   "print(sys.modules['difflib'] is before)") == "True"


def test_node_starts_without_what_it_does_not_use(tmp_path: Path) -> None:
    """A missing configuration is found after everything was imported."""
    command = [sys.executable, "-X", "importtime", "-m", "pimqtt_agent", "run", "-c", str(tmp_path / "none.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    names = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert done.returncode == 2
    assert "pimqtt_agent.supervisor" in names
    assert not names & {"email", "http.client", "zipfile", "urllib.request", "importlib.metadata", "difflib", "typer"}
