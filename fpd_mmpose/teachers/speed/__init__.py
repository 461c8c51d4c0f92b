"""Runs frozen networks as fast as the device allows."""
