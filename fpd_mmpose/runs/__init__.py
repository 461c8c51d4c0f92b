"""Keeps runs safe: checkpoints, resuming, and numbers that are not finite."""
