"""Damaged files for every reader: each is accepted or refused in one line."""
