"""The quick start: a student distilled on drawn people."""
