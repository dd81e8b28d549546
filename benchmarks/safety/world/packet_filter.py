"""The kernel's packet filter, in this process: a fault is there at once, not when a program has started."""

from __future__ import annotations

import ctypes

from benchmarks.errors import BenchmarkError


def apply(rules: str) -> None:
    """Apply rules in nft's language, all or none, to the network of this thread."""
    library = _library()
    context = ctypes.c_void_p(library.nft_ctx_new(0))
    try:
        library.nft_ctx_buffer_error(context)
        if library.nft_run_cmd_from_buffer(context, rules.encode()):
            said = ctypes.string_at(library.nft_ctx_get_error_buffer(context)).decode().strip()
            raise BenchmarkError(f"nft: {said}")
    finally:
        library.nft_ctx_free(context)


def _library() -> ctypes.CDLL:
    try:
        library = ctypes.CDLL("libnftables.so.1")
    except OSError:
        raise BenchmarkError("nftables is missing: apt-get install nftables") from None
    library.nft_ctx_new.restype = ctypes.c_void_p
    library.nft_ctx_get_error_buffer.restype = ctypes.c_void_p
    library.nft_ctx_get_error_buffer.argtypes = [ctypes.c_void_p]
    return library
