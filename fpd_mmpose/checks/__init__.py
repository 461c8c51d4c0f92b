"""Checks a config's data, weights, and settings before a long run."""

from fpd_mmpose.checks.check_config import check
from fpd_mmpose.checks.findings import Report

__all__ = ['Report', 'check']
