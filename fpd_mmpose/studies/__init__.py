"""Compares ways of training at equal budgets: `fpd study`."""

from fpd_mmpose.studies.paired_statistics import (
    Difference,
    paired_difference,
    paired_difference_of_people,
)
from fpd_mmpose.studies.study_plan import read_study
from fpd_mmpose.studies.study_report import StudyReport
from fpd_mmpose.studies.study_run import run_study

__all__ = [
    'Difference',
    'StudyReport',
    'paired_difference',
    'paired_difference_of_people',
    'read_study',
    'run_study',
]
