"""What teaches: live and stored teachers."""
