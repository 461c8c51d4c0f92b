"""Weights of other projects under the names used here."""

from .checkpoint import read_state_dict
from .fitting import init_fitting_model, load_fitting, partial_load
from .hourglass import from_reference, is_reference_hourglass, to_reference
from .layouts import recognise
from .loading import install
from .official import from_official, to_official

__all__ = [
    'from_official',
    'from_reference',
    'init_fitting_model',
    'install',
    'is_reference_hourglass',
    'load_fitting',
    'partial_load',
    'read_state_dict',
    'recognise',
    'to_official',
    'to_reference',
]
