"""Checks a config's data, weights, and settings before a long run."""

from fpd_mmpose.checks.check_config import check_config
from fpd_mmpose.checks.findings import Report
from fpd_mmpose.checks.splits import set_data_root

__all__ = ['Report', 'check_config', 'set_data_root']
