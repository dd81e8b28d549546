"""What a run needs and stands on: the peers' environment, bytecode, versions, the machine."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.errors import BenchmarkError
from tests.rig import ROOT

#: The peers; what they pull in is told with the results.
PEERS = ("mqtt-io==2.7.0", "ha-mqtt-discoverable==0.26.0")
#: What pimqtt's figures depend on.
OURS = ("paho-mqtt", "msgspec", "pydantic", "numpy", "simplejpeg")


def cache() -> Path:
    """Return the folder outside the checkout for what is built once."""
    folder = os.environ.get("PIMQTT_CACHE")
    if folder:
        return Path(folder)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pimqtt"


def run(*words: str | Path) -> str:
    """Run a command; return what it printed."""
    try:
        done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=True)
    except FileNotFoundError:
        raise BenchmarkError(f"{words[0]} is missing") from None
    except subprocess.CalledProcessError as error:
        raise BenchmarkError(f"{' '.join(map(str, words))}: {(error.stderr or error.stdout).strip()[-2000:]}") from None
    return done.stdout


def prepare_peers() -> Path:
    """Install the peers into an environment of their own; return its Python."""
    folder = cache() / "bench-venv"
    python = folder / "bin" / "python"
    stamp = folder / "pimqtt-peers"
    wanted = "\n".join(PEERS)
    if not stamp.exists() or stamp.read_text() != wanted:
        print(f"installing {', '.join(PEERS)} into {folder} ...", file=sys.stderr)
        run(sys.executable, "-m", "venv", "--clear", folder)
        run(python, "-m", "pip", "install", "--quiet", "--compile", *PEERS)
        stamp.write_text(wanted)
    return python


def compile_bytecode(*checkouts: Path) -> None:
    """Compile what is started, and let children keep their bytecode: an agent is not compiled at every start."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    for checkout in (ROOT, *checkouts):
        run(sys.executable, "-m", "compileall", "-q", checkout / "pimqtt_agent")


def versions(peers: Path | None) -> dict[str, str]:
    """Name the versions of all that takes part."""
    found = {"python": platform.python_version(), "mosquitto": _mosquitto()}
    found |= {name: version(name) for name in OURS}
    if peers:
        code = "import importlib.metadata as m, json; print(json.dumps({d.name: d.version for d in m.distributions()}))"
        found |= {f"peers/{name}": number for name, number in sorted(json.loads(run(peers, "-c", code)).items())}
    return found


def machine() -> dict[str, Any]:
    """Describe the machine, and how busy it was before."""
    model = "unknown"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() in ("model name", "Model"):
            model = value.strip()
    memory_kib = int(Path("/proc/meminfo").read_text().split()[1])
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "memory_mib": memory_kib // 1024,
        "system": platform.platform(),
        "load_before": os.getloadavg()[0],
    }


def commit(checkout: Path = ROOT) -> str:
    """Name the commit that is measured, and whether the package differs from it."""
    try:
        name = run("git", "-C", checkout, "rev-parse", "--short=12", "HEAD").strip()
        changed = run("git", "-C", checkout, "status", "--porcelain", "--", "pimqtt_agent").strip()
    except BenchmarkError:
        return "unknown"
    return f"{name} with changes" if changed else name


def _mosquitto() -> str:
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if not program:
        raise BenchmarkError("mosquitto is missing: apt-get install mosquitto")
    done = subprocess.run([program, "-h"], capture_output=True, text=True, check=False)
    return done.stdout.splitlines()[0].removeprefix("mosquitto version ")
