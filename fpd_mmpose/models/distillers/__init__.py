"""Estimators that learn from a teacher."""

from .fpd_distiller import FPDDistiller
from .stored_teacher import StoredTeacher
from .teacher import Teacher

__all__ = ['FPDDistiller', 'StoredTeacher', 'Teacher']
