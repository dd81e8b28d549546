"""The fault matrix: how long pins take to be safe when something fails; ``python -m benchmarks.safety``."""
