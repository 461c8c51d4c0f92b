"""Experiments whose results the documentation reports."""
