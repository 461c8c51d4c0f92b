"""Estimators that learn from a teacher."""

from fpd_mmpose.models.distillers.fpd_distiller import FPDDistiller
from fpd_mmpose.teachers.live import Teacher
from fpd_mmpose.teachers.stored import StoredTeacher

__all__ = ['FPDDistiller', 'StoredTeacher', 'Teacher']
