"""Metrics."""

from .mpii_pckh import MpiiPCKh, mpii_pckh

__all__ = ['MpiiPCKh', 'mpii_pckh']
