"""Compares ways of training at equal budgets: `fpd study`."""

from fpd_mmpose.studies.paired_statistics import Difference as Difference
from fpd_mmpose.studies.paired_statistics import paired_difference as paired_difference
from fpd_mmpose.studies.paired_statistics import (
    paired_difference_of_people as paired_difference_of_people,
)
from fpd_mmpose.studies.study_plan import read_study as read_study
from fpd_mmpose.studies.study_report import StudyReport as StudyReport
from fpd_mmpose.studies.study_run import run_study as run_study
