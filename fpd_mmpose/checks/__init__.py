"""Checks a config's data, weights, and settings before a long run."""

from fpd_mmpose.checks.check_config import check as check
from fpd_mmpose.checks.findings import Report as Report
from fpd_mmpose.checks.weight_files import check_weights as check_weights
