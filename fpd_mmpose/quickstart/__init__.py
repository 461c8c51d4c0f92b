"""Distills a student on drawn people: `fpd quickstart`."""
