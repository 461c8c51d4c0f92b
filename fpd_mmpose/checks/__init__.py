"""Checks a config's data, weights, and settings before a long run."""

from fpd_mmpose.checks.check_config import check
from fpd_mmpose.checks.findings import Report
from fpd_mmpose.checks.weight_files import check_weights

__all__ = ['Report', 'check', 'check_weights']
