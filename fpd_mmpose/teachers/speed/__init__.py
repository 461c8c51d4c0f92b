"""Runs a frozen network as fast as the device allows."""
