"""Hooks."""

from fpd_mmpose.engine import hooks

__all__ = ['hooks']
