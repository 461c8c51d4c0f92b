"""What tools/quickstart.sh runs: a student distilled on drawn people."""
