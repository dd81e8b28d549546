"""What ends a run."""

from __future__ import annotations


class BenchmarkError(Exception):
    """Something that must be there is not: a peer, a compiler, a broker, an answer. The run fails."""
