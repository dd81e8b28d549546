"""Backends: how lines are reached. Chosen in the configuration, never guessed."""
