"""Estimators that learn from a teacher."""

from .fpd_distiller import FPDDistiller
from .teacher import Teacher

__all__ = ['FPDDistiller', 'Teacher']
