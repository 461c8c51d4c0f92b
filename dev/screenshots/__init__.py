"""Pictures of the web demo for the docs."""
