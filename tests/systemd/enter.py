"""Runs inside the fence: loads the filter of system calls by libseccomp, then becomes the command.

``python enter.py FILTER COMMAND...``; FILTER is JSON: ``error`` (errno), ``rules`` (name, conditions as argument, mask,
value), ``absent`` (calls that seem not to exist).
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import sys
from pathlib import Path

_ALLOW, _ERRNO, _MASKED_EQUAL = 0x7FFF0000, 0x00050000, 7


class _Condition(ctypes.Structure):
    _fields_ = (("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64))


def load(text: str) -> None:
    """Build the filter and load it."""
    content = json.loads(text)
    lib = ctypes.CDLL("libseccomp.so.2")
    lib.seccomp_init.restype = ctypes.c_void_p
    lib.seccomp_init.argtypes = [ctypes.c_uint32]
    lib.seccomp_rule_add_array.argtypes = [
        ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint, ctypes.POINTER(_Condition)
    ]  # fmt: skip
    lib.seccomp_load.argtypes = [ctypes.c_void_p]
    made = lib.seccomp_init(_ERRNO | content["error"])
    for name, conditions in content["rules"]:
        number = lib.seccomp_syscall_resolve_name(name.encode())
        if number < 0:  # not on this architecture
            continue
        made_of = [_Condition(arg, _MASKED_EQUAL, mask, value) for arg, mask, value in conditions]
        array = (_Condition * len(made_of))(*made_of)
        problem = lib.seccomp_rule_add_array(made, _ALLOW, number, len(conditions), array)
        assert not problem, (name, problem)
    for name in content["absent"]:
        number = lib.seccomp_syscall_resolve_name(name.encode())
        lib.seccomp_rule_add_array(made, _ERRNO | errno.ENOSYS, number, 0, None)
    problem = lib.seccomp_load(made)
    assert not problem, problem


if __name__ == "__main__":
    load(Path(sys.argv[1]).read_text())
    os.execv(sys.argv[2], sys.argv[2:])
