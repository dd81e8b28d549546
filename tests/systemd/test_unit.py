"""The systemd unit: valid, says what it must, allows what the agent needs and little else."""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from tests.systemd.unit import UNIT, commands, directives

PROGRAM = "/opt/pimqtt/bin/pimqtt"
#: `systemd-analyze security` of systemd 252: 0 is fenced in entirely, 10 not at all.
EXPOSURE = 2.1


def tool(name: str, *arguments: str | Path, said: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run one of systemd's tools; a machine without it fails the test."""
    found = shutil.which(name)
    assert found, f"{name} is missing: apt install systemd"
    words = [found, *map(str, arguments)]
    return subprocess.run(words, input=said, capture_output=True, text=True, timeout=60, check=False)


def installed(folder: Path, text: str) -> Path:
    """Write a unit as if its program were installed."""
    copy = folder / UNIT.name
    copy.write_text(text.replace(PROGRAM, "/bin/true"))
    return copy


def test_systemd_finds_no_mistake(tmp_path: Path) -> None:
    result = tool("systemd-analyze", "verify", "--man=no", installed(tmp_path, UNIT.read_text()))
    assert (result.returncode, result.stdout + result.stderr) == (0, "")


def test_systemd_would_find_a_mistake(tmp_path: Path) -> None:
    wrong = installed(tmp_path, UNIT.read_text().replace("WatchdogSignal=", "WatchdogSingal="))
    assert "WatchdogSingal" in tool("systemd-analyze", "verify", "--man=no", wrong).stderr


def test_the_exposure_is_what_the_readme_says(tmp_path: Path) -> None:
    unit = installed(tmp_path, UNIT.read_text())
    threshold = f"--threshold={round(EXPOSURE * 10)}"
    result = tool("systemd-analyze", "security", "--no-pager", "--offline=true", threshold, unit)
    assert result.returncode == 0, result.stdout
    overall = re.search(r"Overall exposure level for \S+: (\d+\.\d+)", result.stdout)
    assert overall
    assert float(overall[1]) <= EXPOSURE
    assert f"**{EXPOSURE}**" in (UNIT.parent / "README.md").read_text()


@pytest.mark.parametrize(
    ("section", "name", "values"),
    [
        ("Unit", "StartLimitIntervalSec", ["0"]),
        ("Service", "Type", ["notify"]),
        ("Service", "NotifyAccess", ["main"]),
        ("Service", "User", ["pimqtt"]),
        ("Service", "SupplementaryGroups", ["gpio video i2c"]),
        ("Service", "WatchdogSec", ["10"]),
        ("Service", "WatchdogSignal", ["SIGKILL"]),
        ("Service", "OOMPolicy", ["continue"]),
        ("Service", "Restart", ["always"]),
        ("Service", "KillMode", ["mixed"]),
        ("Service", "TimeoutStopSec", ["10"]),
        ("Service", "RuntimeDirectory", ["pimqtt"]),
        ("Service", "WorkingDirectory", ["/run/pimqtt"]),
        ("Service", "RuntimeDirectoryPreserve", ["restart"]),
        ("Service", "StateDirectory", ["pimqtt"]),
        ("Service", "ConfigurationDirectory", ["pimqtt"]),
        ("Service", "LimitRTPRIO", ["49"]),
        ("Service", "LimitMEMLOCK", ["infinity"]),
        ("Service", "RestrictRealtime", ["no"]),
        ("Service", "ProtectClock", ["no"]),
        ("Service", "DevicePolicy", ["closed"]),
        ("Service", "PrivateDevices", ["no"]),
        ("Service", "ProtectSystem", ["strict"]),
        ("Service", "NoNewPrivileges", ["yes"]),
        ("Service", "CapabilityBoundingSet", [""]),
        ("Service", "RestrictAddressFamilies", ["AF_INET AF_INET6 AF_UNIX AF_NETLINK"]),
        ("Install", "WantedBy", ["multi-user.target"]),
    ],
)
def test_says(section: str, name: str, values: list[str]) -> None:
    assert directives(UNIT)[section][name] == values


def test_allows_the_devices_that_are_needed() -> None:
    allowed = directives(UNIT)["Service"]["DeviceAllow"]
    needed = {"gpiochip", "i2c", "spi", "video4linux", "media", "dma_heap", "vcio"}
    assert {f"char-{name} rw" for name in needed} <= set(allowed)
    assert "/dev/vcio rw" in allowed


def test_each_directive_stands_once_unless_it_adds_up() -> None:
    lists = {"DeviceAllow", "SystemCallFilter"}
    repeated = [
        name
        for section in directives(UNIT).values()
        for name, values in section.items()
        if len(values) > 1 and name not in lists
    ]
    assert repeated == []


def test_commands() -> None:
    assert commands() == {
        "ExecStart": [PROGRAM, "run", "-c", "/etc/pimqtt/config.yaml"],
        "ExecReload": ["/bin/kill", "-HUP", "$MAINPID"],
        "ExecStopPost": [PROGRAM, "safe", "-c", "/etc/pimqtt/config.yaml"],
    }


@cache
def members(group: str) -> frozenset[str]:
    """Return the system calls of one of systemd's groups, groups within it included."""
    listed = tool("systemd-analyze", "syscall-filter", "--no-pager", group)
    assert listed.returncode == 0, listed.stderr
    names = [line.strip() for line in listed.stdout.splitlines()[1:] if line.strip() and line.strip()[0] != "#"]
    return frozenset[str]().union(*(members(name) if name[0] == "@" else {name} for name in names))


def allowed_calls() -> set[str]:
    """Return the system calls that the unit's filter lets through, line after line as systemd does it."""
    allowed = set(members("@default"))
    for line in directives(UNIT)["Service"]["SystemCallFilter"]:
        calls = set().union(*(members(name) if name[0] == "@" else {name} for name in line.lstrip("~").split()))
        allowed = allowed - calls if line[0] == "~" else allowed | calls
    return allowed


def test_real_time_memory_and_clock_are_not_filtered_away() -> None:
    real_time = {
        "sched_setscheduler",
        "sched_setparam",
        "sched_setattr",
        "sched_setaffinity",
        "setpriority",
        "prlimit64",
    }
    memory = {"mlock", "mlock2", "mlockall", "memfd_create", "mmap", "madvise"}
    clock = {"adjtimex", "clock_adjtime", "clock_gettime", "clock_nanosleep", "timerfd_create"}
    processes = {"clone", "clone3", "fork", "execve", "wait4", "waitid", "prctl", "kill", "pidfd_open", "socketpair"}
    assert real_time | memory | clock | processes <= allowed_calls()


def test_what_is_nobodys_business_is_filtered_away() -> None:
    refused = {
        "reboot",
        "settimeofday",
        "clock_settime",
        "mount",
        "init_module",
        "setuid",
        "ptrace",
        "bpf",
        "swapon",
        "chown",
    }
    assert not refused & allowed_calls()


def test_the_account_and_its_groups_are_made(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "group").write_text("video:x:44:\n")
    lines = (UNIT.parent / "pimqtt.sysusers").read_text()
    result = tool("systemd-sysusers", f"--root={tmp_path}", "-", said=lines)
    assert result.returncode == 0, result.stderr
    account = (tmp_path / "etc" / "passwd").read_text()
    assert re.fullmatch(r"pimqtt:x:\d+:\d+:pimqtt agent:/var/lib/pimqtt:/usr/sbin/nologin\n", account)
    groups = dict(line.split(":", 1) for line in (tmp_path / "etc" / "group").read_text().splitlines())
    assert groups.keys() == {"pimqtt", "gpio", "i2c", "video"}
    assert groups["video"] == "x:44:"
    wanted = directives(UNIT)["Service"]["SupplementaryGroups"][0].split()
    assert set(wanted) <= groups.keys()
