"""Exports networks in 8 bits."""
