"""Measures pimqtt against other agents, in one run on one machine: ``python -m benchmarks``."""
