"""What of MMPose's configs works with this project, found by trying."""
