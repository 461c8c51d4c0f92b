"""Finds where a teacher and the labels of its student disagree: `fpd analyze`."""
