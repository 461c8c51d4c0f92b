"""Reads annotations, boxes, images and videos, with errors that name the record."""
