"""The unit's fence without systemd: the same mounts, rights, limits and system calls, all read from the unit file.

By unshare, mount, prlimit, setpriv and libseccomp; it wants root. What of the unit is not built here is in ``APART``; a
directive that is neither there nor here fails a test.
"""

from __future__ import annotations

import errno
import json
import os
import shlex
import socket
import subprocess
import sys
import sysconfig
from functools import cache
from pathlib import Path

from tests.rig import ROOT
from tests.systemd.unit import UNIT, allowed_calls, directives

#: An account that owns nothing; the package's own may not exist here.
ACCOUNT = 64_444
SERVICE = directives(UNIT)["Service"]
#: Start and end, which `test_commands.py` does; what takes nothing away; what needs systemd itself.
APART = {
    "Type", "NotifyAccess", "ExecStart", "ExecReload", "ExecStopPost", "Restart", "RestartSec", "TimeoutStartSec",
    "TimeoutStopSec", "WatchdogSec", "WatchdogSignal", "KillMode", "OOMPolicy", "RuntimeDirectoryPreserve",
    "RestrictRealtime", "ProtectClock", "PrivateDevices", "PrivateUsers", "PrivateNetwork", "ProcSubset",
    "RemoveIPC", "KeyringMode", "SystemCallArchitectures", "AmbientCapabilities",
}  # fmt: skip
#: What was asked for while it was built.
BUILT = {"SystemCallFilter", "DeviceAllow"}
_NAMESPACES = 0x7E020000 | 0x80
_MEMORY, _SUID = 0x2 | 0x4, 0o6000


def one(name: str, *expected: str) -> str:
    """Return a directive's value; it must be one of those that this file knows to build."""
    (value,) = SERVICE[name]
    BUILT.add(name)
    assert not expected or value in expected, f"{name}={value} is not built here"
    return value


def script(folder: Path) -> str:
    """Return the commands that build the file system below ``folder``/root and enter it."""
    one("ProtectSystem", "strict")
    for name in ("ProtectHome", "PrivateTmp", "PrivateMounts"):
        one(name, "yes")
    root = folder / "root"
    names = {"run": "RuntimeDirectory", "var/lib": "StateDirectory", "etc": "ConfigurationDirectory"}
    own = {f"{parent}/{one(name)}": one(f"{name}Mode") for parent, name in names.items()}
    lines = [
        f"mount -t tmpfs fence {folder}/over; mkdir {folder}/over/up {folder}/over/work",
        f"mount -t overlay fence -o lowerdir=/,upperdir={folder}/over/up,workdir={folder}/over/work {root}",
        f"mkdir -p {root}/opt/pimqtt/python {root}/opt/pimqtt/site {root}/opt/pimqtt/code {root}/opt/pimqtt/bin",
        f"cp {folder}/pimqtt {root}/opt/pimqtt/bin/pimqtt; cp {folder}/filter.json {root}/opt/pimqtt/",
        f"mount --bind {sys.base_prefix} {root}/opt/pimqtt/python",
        f"mount --bind {sysconfig.get_path('purelib')} {root}/opt/pimqtt/site",
        f"mount --bind {ROOT} {root}/opt/pimqtt/code",
        f"mount -t tmpfs run {root}/run",
        *(f"mkdir -p {root}/{place}" for place in own),
        *(_hidden(f"{root}/{place}") for place in ("root", "home", "usr/lib/modules")),
        f"mount -t proc -o hidepid={_hidepid()} proc {root}/proc",
        f"mount --bind /sys {root}/sys; mount --bind /sys/devices {root}/sys/devices",
        f"mount --bind {folder}/var-tmp {root}/var/tmp; mount -t tmpfs -o mode=1777 tmp {root}/tmp",
        *_devices(root),
        *_read_only(root),
        *(f"mount --bind {folder}/{place} {root}/{place}; chmod {mode} {root}/{place}" for place, mode in own.items()),
        f"chown -R {ACCOUNT}:{ACCOUNT} {root}/run/pimqtt {root}/var/lib/pimqtt; chgrp -R {ACCOUNT} {root}/etc/pimqtt",
        f"mount -o remount,bind,ro {root}/etc/pimqtt; mount -o remount,ro {root}; umask {one('UMask')}",
        f'exec chroot {root} sh -c \'cd {one("WorkingDirectory")} && exec "$@"\' sh {_rights()} "$@"',
    ]
    return "set -e\n" + "\n".join(lines) + "\n"


def _hidden(place: str) -> str:
    one("ProtectKernelModules", "yes")
    return f"! [ -d {place} ] || mount -t tmpfs -o mode=0 hidden {place}"


def _hidepid() -> str:
    return str(one("ProtectProc", "invisible"))


def _read_only(root: Path) -> list[str]:
    """Settings, log and control groups of the kernel; what the unit lets be written is mounted anew."""
    for name in ("ProtectKernelTunables", "ProtectKernelLogs", "ProtectControlGroups", "ProtectHostname"):
        one(name, "yes")
    one("ReadWritePaths", "-/sys/devices")
    return [
        f"mount --bind {root}/proc/sys {root}/proc/sys; mount -o remount,bind,ro {root}/proc/sys",
        f"touch {root}/opt/pimqtt/nothing; chmod 0 {root}/opt/pimqtt/nothing",
        f"mount --bind {root}/opt/pimqtt/nothing {root}/proc/kmsg",
        f"mount -o remount,bind,ro {root}/sys",
    ]


def _devices(root: Path) -> list[str]:
    """DevicePolicy=closed: the pseudo devices, and what DeviceAllow names, where this machine has it."""
    one("DevicePolicy", "closed")
    characters = Path("/proc/devices").read_text().partition("\n\n")[0].splitlines()[1:]
    majors = dict(line.split()[::-1] for line in characters)
    wanted = [f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom", "tty")]
    for allowed in SERVICE["DeviceAllow"]:
        name, rights = allowed.split()
        assert rights == "rw"
        major = int(majors.get(name.removeprefix("char-"), -1))
        nodes = [name] if name.startswith("/") else [str(p) for p in Path("/dev").rglob("*") if _major(p) == major]
        wanted += [node for node in nodes if Path(node).exists()]
    here = [(node, f"{root}{node}") for node in wanted]
    made = [f"mkdir -p {Path(there).parent}; touch {there}; mount --bind {node} {there}" for node, there in here]
    return [f"mount -t tmpfs -o mode=755 dev {root}/dev", *made]


def _major(path: Path) -> int:
    return os.major(path.stat().st_rdev) if path.is_char_device() else 0


def _rights() -> str:
    """The account, no capability, no new privileges, limits, then the filter."""
    for name, value in (("NoNewPrivileges", "yes"), ("CapabilityBoundingSet", ""), ("LimitMEMLOCK", "infinity")):
        one(name, value)
    assert one("User") == one("Group") == "pimqtt"
    assert one("SupplementaryGroups")  # they give devices, of which this machine has none
    limits = " ".join(["prlimit", f"--core={one('LimitCORE')}", *(row for row in _raised() if granted(row))])
    who = f"setpriv --reuid {ACCOUNT} --regid {ACCOUNT} --clear-groups"
    none = "--no-new-privs --bounding-set=-all --inh-caps=-all --ambient-caps=-all"
    return f"{limits} {who} {none} {PYTHON} /opt/pimqtt/code/tests/systemd/enter.py /opt/pimqtt/filter.json"


def _raised() -> tuple[str, str]:
    return f"--rtprio={one('LimitRTPRIO')}", "--memlock=unlimited"


@cache
def granted(limit: str) -> bool:
    """Whether this machine lets us raise a limit: a container without CAP_SYS_RESOURCE does not."""
    return not subprocess.run(["prlimit", limit, "true"], capture_output=True, check=False).returncode


def real_time() -> bool:
    """Whether what the unit grants for real time can be granted here."""
    return all(map(granted, _raised()))


PYTHON = (
    "/usr/bin/env PYTHONHOME=/opt/pimqtt/python LD_LIBRARY_PATH=/opt/pimqtt/python/lib "
    "PYTHONPATH=/opt/pimqtt/code:/opt/pimqtt/site PYTHONDONTWRITEBYTECODE=1 "
    f"/opt/pimqtt/python/bin/python{sys.version_info[0]}.{sys.version_info[1]}"
)


@cache
def system_calls() -> str:
    """Return the filter: the unit's list, and the conditions that systemd adds for the other directives."""
    for name in ("MemoryDenyWriteExecute", "RestrictNamespaces", "RestrictSUIDSGID", "LockPersonality"):
        one(name, "yes")
    families = [int(getattr(socket, name)) for name in one("RestrictAddressFamilies").split()]
    special: dict[str, list[list[tuple[int, int, int]]]] = {
        "socket": [[(0, 0xFFFFFFFF, family)] for family in families],
        "mmap": [[(2, _MEMORY, prot)] for prot in (0, 2, 4)], "mprotect": [[(2, 4, 0)]], "pkey_mprotect": [[(2, 4, 0)]],
        "shmat": [[(2, 0o100000, 0)]],
        "clone": [[(0, _NAMESPACES, 0)]], "unshare": [[(0, _NAMESPACES, 0)]], "setns": [], "clone3": [],
        "chmod": [[(1, _SUID, 0)]], "fchmod": [[(1, _SUID, 0)]], "fchmodat": [[(2, _SUID, 0)]],
        "personality": [[(0, 0xFFFFFFFF, persona)] for persona in (0, 0xFFFFFFFF)],
    }  # fmt: skip
    rules = [(name, conditions) for name in sorted(allowed_calls()) for conditions in special.get(name, [[]])]
    return json.dumps({"error": getattr(errno, one("SystemCallErrorNumber")), "rules": rules, "absent": ["clone3"]})


def prepare(folder: Path, configuration: str) -> None:
    """Make what the script mounts: the unit's folders, the installed program, the filter."""
    for place in ("over", "root", "var-tmp", "run/pimqtt", "var/lib/pimqtt", "etc/pimqtt"):
        (folder / place).mkdir(parents=True)
    (folder / "etc/pimqtt/config.yaml").write_text(configuration)
    (folder / "pimqtt").write_text(f'#!/bin/sh\nexec {PYTHON} -m pimqtt_agent "$@"\n')
    (folder / "pimqtt").chmod(0o755)
    (folder / "filter.json").write_text(system_calls())
    (folder / "fence").write_text(script(folder))


def command(folder: Path, *words: str) -> list[str]:
    """Return the command line that runs ``words`` inside the fence."""
    root = [] if os.geteuid() == 0 else ["sudo", "-n", "-E"]
    return [*root, "unshare", "--mount", "--propagation", "private", "sh", str(folder / "fence"), *words]


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command inside the fence to its end."""
    return subprocess.run(command(folder, *words), capture_output=True, text=True, timeout=60, check=False)


def python(*words: str) -> list[str]:
    """Return the words that run Python inside."""
    return [*shlex.split(PYTHON), *words]
