"""Teachers: networks that run beside the student, and files of their heatmaps."""
