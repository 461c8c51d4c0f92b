"""Reports of finished and running trainings, to show to others."""

from fpd_mmpose.run_reports.run_report import SUFFIXES, RunReport, report_runs

__all__ = ['SUFFIXES', 'RunReport', 'report_runs']
