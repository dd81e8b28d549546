"""Runs inside the fence: tries what the service may do and what it may not; prints what came of each as JSON."""

from __future__ import annotations

import ctypes
import json
import mmap
import os
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

libc = ctypes.CDLL(None, use_errno=True)


def call(number: object) -> None:
    """Raise what a function of the C library has set."""
    if isinstance(number, int) and number < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def real_time(priority: int) -> None:
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(priority))
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def others() -> None:
    """Raise where no process of another account is to be seen."""
    if not [pid for pid in Path("/proc").iterdir() if pid.name.isdigit() and pid.stat().st_uid != os.getuid()]:
        raise FileNotFoundError(2, "none")


def suid() -> None:
    path = Path("/tmp/suid")
    path.touch()
    try:
        path.chmod(0o4755)
    finally:
        path.unlink()


MAY: dict[str, Callable[[], object]] = {
    "write its state": lambda: Path("/var/lib/pimqtt/x").write_text("x"),
    "write where it runs": lambda: Path("x").write_text("x"),
    "write its own /tmp": lambda: Path("/tmp/x").write_text("x"),
    "read its configuration": lambda: Path("/etc/pimqtt/config.yaml").read_text(),
    "read the memory's size": lambda: Path("/proc/meminfo").read_text(),
    "use /dev/null": lambda: Path("/dev/null").write_text("x"),
    "ask whether the clock is synchronised": lambda: call(libc.adjtimex(ctypes.create_string_buffer(256))),
    "get real time up to 49": lambda: real_time(49),
    "lock its memory": lambda: call(libc.mlockall(7)),
    "use IPv4": lambda: socket.socket(socket.AF_INET).close(),
    "use IPv6": lambda: socket.socket(socket.AF_INET6).close(),
    "use local sockets": lambda: socket.socket(socket.AF_UNIX).close(),
    "use netlink": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW).close(),
    "start a process": lambda: os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0),
}
MAY_NOT: dict[str, Callable[[], object]] = {
    "write to /usr": lambda: Path("/usr/x").write_text("x"),
    "write to /etc": lambda: Path("/etc/x").write_text("x"),
    "write its configuration": lambda: Path("/etc/pimqtt/config.yaml").write_text("x"),
    "write to /var": lambda: Path("/var/tmp/../x").write_text("x"),
    "see root's home": lambda: list(Path("/root").iterdir()),
    "see a home": lambda: list(Path("/home").iterdir()),
    "see others' /tmp": lambda: [Path("/tmp/outside").read_text()],
    "see others' processes": others,
    "read the kernel's log": lambda: Path("/dev/kmsg").read_text(),
    "read the kernel's log by /proc": lambda: os.open("/proc/kmsg", os.O_RDONLY | os.O_NONBLOCK),
    "see modules": lambda: list(Path("/usr/lib/modules").iterdir()),
    "change a kernel setting": lambda: Path("/proc/sys/kernel/hostname").write_text("x"),
    "write to control groups": lambda: Path("/sys/fs/cgroup/x").mkdir(),
    "open a disk": lambda: os.open("/dev/loop0", os.O_RDONLY),
    "open the memory": lambda: os.open("/dev/mem", os.O_RDONLY),
    "make a device": lambda: os.mknod("/tmp/null", 0o20666, os.makedev(1, 3)),
    "mount": lambda: call(libc.mount(b"x", b"/tmp", b"tmpfs", 0, None)),
    "make a namespace": lambda: call(libc.unshare(0x10000000)),
    "be root": lambda: os.setuid(0),
    "have a capability": lambda: os.chown("/tmp", 0, 0),
    "make a setuid program": suid,
    "write to executable memory": lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_WRITE | mmap.PROT_EXEC),
    "make memory executable": lambda: call(libc.mprotect(libc.mmap, 4096, 5)),
    "trace a process": lambda: call(libc.ptrace(0, 0, 0, 0)),
    "set the clock": lambda: time.clock_settime(time.CLOCK_REALTIME, time.time()),
    "name the host": lambda: socket.sethostname("x"),
    "reboot": lambda: call(libc.reboot(0)),
    "get real time above 49": lambda: real_time(50),
    "use raw packets": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW),
    "use Bluetooth": lambda: socket.socket(31, socket.SOCK_RAW, 1),
    "behave as another system": lambda: call(libc.personality(0x0040000)),
}


def tried(act: Callable[[], object]) -> str:
    """Return what it came to: empty where it was done."""
    try:
        act()
    except OSError as error:
        return error.strerror or str(error)
    return ""


if __name__ == "__main__":
    status = dict(line.split(":\t", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":\t" in line)
    done, refused = ({word: tried(act) for word, act in acts.items()} for acts in (MAY, MAY_NOT))
    sys.stdout.write(json.dumps({"may": done, "may not": refused, "status": status, "umask": os.umask(0)}))
