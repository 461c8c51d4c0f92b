"""Benchmarks, run by the commands in tools."""
