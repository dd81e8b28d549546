"""The systemd unit: valid, says what it must, allows what the agent needs and little else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.systemd.unit import UNIT, allowed_calls, commands, directives, tool

PROGRAM = "/opt/pimqtt/bin/pimqtt"
#: `systemd-analyze security` of systemd 252: 0 is fenced in entirely, 10 not at all.
EXPOSURE = 2.1


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
        ("Service", "LimitCORE", ["0"]),
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
