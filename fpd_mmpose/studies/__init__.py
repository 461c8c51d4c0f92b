"""Experiments that the docs report, to be run again."""
