"""Weights of other projects under the names used here."""

from .checkpoint import read_state_dict
from .hourglass import from_reference, is_reference_hourglass

__all__ = ['from_reference', 'is_reference_hourglass', 'read_state_dict']
