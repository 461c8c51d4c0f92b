"""Pose estimators that learn from a teacher."""

from fpd_mmpose.models.distillers.fpd_distiller import FPDDistiller as FPDDistiller
