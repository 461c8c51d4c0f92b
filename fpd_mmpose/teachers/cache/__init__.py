"""A teacher's heatmaps, computed once and stored."""
