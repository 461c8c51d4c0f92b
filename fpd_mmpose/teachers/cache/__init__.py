"""Files of a teacher's heatmaps."""
