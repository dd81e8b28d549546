"""`doctor` on this machine: its clock, and what the kernel grants; each verdict both ways."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pimqtt_agent import clock
from tests.console.conftest import environment
from tests.rig import free_port
from tests.rights import DENIED, granted


def doctor(folder: Path, *before: str, **extra: str) -> dict[str, list[dict[str, Any]]]:
    """Run it where there is no broker, possibly behind another command; return its checks by their words."""
    words = ("doctor", "--json", "--broker", f"127.0.0.1:{free_port()}")
    command = [*before, sys.executable, "-m", "pimqtt_agent", *words]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=30, cwd=folder, env=environment(**extra), check=False
    )
    assert done.stderr == ""
    found: dict[str, list[dict[str, Any]]] = {}
    for line in done.stdout.splitlines():
        check = json.loads(line)
        found.setdefault(check["what"], []).append(check)
    return found


def test_a_synchronised_clock_is_all_right(tmp_path: Path) -> None:
    (check,) = doctor(tmp_path, PIMQTT_CLOCK="sync")["clock"]
    assert (check["status"], check["text"], check["mend"]) == ("ok", "synchronised", "")


def test_another_one_is_a_warning_that_says_what_it_means_and_how_to_mend_it(tmp_path: Path) -> None:
    (check,) = doctor(tmp_path, PIMQTT_CLOCK="unsync")["clock"]
    assert check["status"] == "warn"
    assert "the times in commands prove nothing" in check["text"]
    assert "sudo timedatectl set-ntp true" in check["mend"]
    assert "token or expiry" in check["mend"]


def test_untold_it_asks_the_kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIMQTT_CLOCK", raising=False)
    (check,) = doctor(tmp_path)["clock"]
    assert check["status"] == ("ok" if clock.synchronised() else "warn")


def test_what_the_kernel_grants_is_all_right(tmp_path: Path) -> None:
    checks = doctor(tmp_path)["priority"]
    if granted():
        assert [(check["status"], check["mend"]) for check in checks] == [("ok", "")]
        assert "real-time priority and locked memory are granted" in checks[0]["text"]
    else:
        assert {check["status"] for check in checks} == {"warn"}


def test_what_it_does_not_grant_is_a_warning_each_with_the_line_for_the_unit(tmp_path: Path) -> None:
    priority, memory = doctor(tmp_path, *DENIED)["priority"]
    assert (priority["status"], memory["status"]) == ("warn", "warn")
    assert priority["text"].startswith("no real-time priority (")
    assert priority["mend"] == "set LimitRTPRIO=20 in the unit (systemd/ has one)"
    assert memory["text"].startswith("no locked memory (")
    assert memory["mend"] == "set LimitMEMLOCK=infinity in the unit (systemd/ has one)"


def test_with_one_of_them_only_the_other_is_told(tmp_path: Path) -> None:
    only = DENIED[:2] + tuple(word.replace("-sys_nice,-ipc_lock", "-sys_nice") for word in DENIED[3:])
    unlimited = granted()
    checks = doctor(tmp_path, *only)["priority"]
    if unlimited:
        assert [check["text"][:21] for check in checks] == ["no real-time priority"]
